import { compilePattern, type Pattern } from "../../policy/values/pattern.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { parseOrigin } from "../../policy/values/origin.ts";
import { Refusal } from "../../policy/values/refusal.ts";

/** `*`, `null`, an origin, or one with a wildcard; as parsed by `originRule`. */
export type OriginRule = string | { readonly regex: string };

const HINT = "write it like https://app.example.com, https://*.example.com or http://localhost:*";
/** Scheme, perhaps `*.`, a host, perhaps a port; of one with a wildcard. */
const WITH_WILDCARD = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([a-z0-9._-]+)(?::(\*|\d{1,5}))?$/;
/** Of other programs than browsers: `capacitor://localhost`, `chrome-extension://abcdef`. */
const OTHER_SCHEME = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(?::\d{1,5})?$/;
const OWN_PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };

/** An origin as browsers write it, in which `*.` may stand for names below and `:*` for any port. */
export function parseOriginRule(written: string): string {
  if (written === "*" || written === "null") return written;
  const lower = written.toLowerCase();
  if (!lower.includes("*")) {
    if (!/^https?:/.test(lower) && OTHER_SCHEME.test(lower)) return lower;
    return parseOrigin(written);
  }
  const [, scheme, below = "", host, port] = WITH_WILDCARD.exec(lower) ?? [];
  if (scheme === undefined || host === undefined) {
    throw new Refusal(`${JSON.stringify(written)} is not an origin`, HINT);
  }
  const isOwn = port === undefined || port === OWN_PORTS[scheme];
  return `${scheme}://${below}${host}${isOwn ? "" : `:${port}`}`;
}

export function originRule() {
  return parsedText(parseOriginRule, {
    what: "an origin",
    hint: HINT,
    sample: "https://app.example.com",
  });
}

/** Which origins pages may have. */
export class AllowedOrigins {
  /** Any page at all. */
  readonly isAny: boolean;
  private readonly exact: ReadonlySet<string>;
  private readonly wildcards: readonly Wildcard[];
  private readonly patterns: readonly Pattern[];

  constructor(rules: readonly OriginRule[]) {
    const texts = rules.filter((rule) => typeof rule === "string");
    this.isAny = texts.includes("*");
    this.exact = new Set(texts.filter((text) => !text.includes("*")));
    this.wildcards = texts
      .filter((text) => text !== "*" && text.includes("*"))
      .map((text) => new Wildcard(text));
    this.patterns = rules.flatMap((rule) => {
      return typeof rule === "string" ? [] : [compilePattern(rule.regex)];
    });
  }

  /** @param origin as a browser sends it: compared byte by byte (Fetch standard, CORS check) */
  allows(origin: string): boolean {
    if (this.isAny || this.exact.has(origin)) return true;
    for (const wildcard of this.wildcards) if (wildcard.takes(origin)) return true;
    for (const pattern of this.patterns) if (pattern.test(origin)) return true;
    return false;
  }
}

const NAMES_BELOW = /^(?:[a-z0-9_-]+\.)+$/;

class Wildcard {
  private readonly prefix: string;
  private readonly host: string;
  private readonly takesBelow: boolean;
  /** "" for the scheme's own, "*" for any. */
  private readonly port: string;

  constructor(text: string) {
    const [, scheme, below, host, port = ""] = WITH_WILDCARD.exec(text)!;
    this.prefix = `${scheme}://`;
    this.host = host!;
    this.takesBelow = below !== undefined;
    this.port = port;
  }

  takes(origin: string): boolean {
    if (!origin.startsWith(this.prefix)) return false;
    const colon = origin.indexOf(":", this.prefix.length);
    const port = colon < 0 ? "" : origin.slice(colon + 1);
    if (this.port === "*" ? !/^\d{0,5}$/.test(port) : port !== this.port) return false;
    const host = origin.slice(this.prefix.length, colon < 0 ? undefined : colon);
    if (!this.takesBelow) return host === this.host;
    return host.endsWith(`.${this.host}`) && NAMES_BELOW.test(host.slice(0, -this.host.length));
  }
}
