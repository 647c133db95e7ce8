import { formatAddress, parseHost, parsePort, parseSocketPath } from "./address.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";

/** How a target is spoken to; `h2c` is HTTP/2 in clear text with prior knowledge. */
export type TargetScheme = "http" | "https" | "h2c" | "unix";

/** Where one instance of a service answers. */
export interface TargetUrl {
  /** Canonical form, the target's identity: `http://10.0.0.1:3000`, `unix:/run/app.sock`. */
  url: string;
  scheme: TargetScheme;
  /** Name or address, IPv6 without brackets; empty for a Unix socket. */
  host: string;
  /** 0 for a Unix socket. */
  port: number;
  /** Path of the Unix socket; empty for TCP. */
  socketPath: string;
  /** Path the service lives under, `/v2`, without a closing slash; empty at the root. */
  path: string;
}

const HINT = "write http://host:port, https://host, h2c://host:port or unix:/path.sock";
const SCHEMES = ["http", "https", "h2c", "unix"] as const;

/** A target as users write it. Query, fragment and user info have no meaning here: refused. */
export function parseTargetUrl(text: string): TargetUrl {
  if (text.startsWith("unix:")) return parseUnixTarget(text.slice(5));
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(.*)$/i.exec(text);
  if (parts === null) throw new Refusal(`${JSON.stringify(text)} is not a URL`, hintFor(text));
  const [, schemeText = "", authority = "", path = "", rest = ""] = parts;
  const scheme = parseScheme(schemeText);
  if (rest !== "")
    throw new Refusal(`a target's URL has no query or fragment (${rest})`, "drop it");
  if (authority.includes("@")) {
    throw new Refusal(
      "a target's URL has no user name or password",
      "drop everything before the @",
    );
  }
  if (authority === "") throw new Refusal(`${JSON.stringify(text)} names no host`, HINT);
  const { host, port } = parseAuthority(authority, scheme === "https" ? 443 : 80);
  const url = `${scheme}://${formatAddress({ host, port })}`;
  return { url, scheme, host, port, socketPath: "", path: parsePrefix(path) };
}

/** A path that services are reached under: `/v2/` -> `/v2`, `/` -> empty. */
export function parsePrefix(text: string): string {
  if (text === "" || text === "/") return "";
  if (!text.startsWith("/")) {
    throw new Refusal(`${JSON.stringify(text)} is not a path`, `write /${text}`);
  }
  // Visible ASCII only: anything else must come percent-encoded (RFC 3986 2).
  if (!/^[!-~]+$/.test(text) || /[?#"<>\\^`{|}]/.test(text)) {
    throw new Refusal(
      `${JSON.stringify(text)} has characters a path cannot have`,
      "percent-encode them",
    );
  }
  if (/\/\.{1,2}(\/|$)|\/\//.test(text)) {
    throw new Refusal(`${JSON.stringify(text)} has empty or dot segments`, "write the plain path");
  }
  return text.endsWith("/") ? text.slice(0, -1) : text;
}

/** Schema of a target's URL. */
export function targetUrl() {
  const sample = "http://127.0.0.1:3000";
  return parsedText(parseTargetUrl, { what: "a target", hint: HINT, sample });
}

/** `/path.sock` or `/path.sock:/prefix`. */
function parseUnixTarget(text: string): TargetUrl {
  const split = text.indexOf(":/");
  const socketPath = parseSocketPath(split === -1 ? text : text.slice(0, split));
  const path = split === -1 ? "" : parsePrefix(text.slice(split + 1));
  return { url: `unix:${socketPath}`, scheme: "unix", host: "", port: 0, socketPath, path };
}

function parseScheme(text: string): TargetScheme {
  const scheme = text.toLowerCase();
  const known = SCHEMES.find((name) => name === scheme);
  if (known === undefined || known === "unix") {
    throw new Refusal(`unknown scheme ${JSON.stringify(text)}`, suggestion(scheme, SCHEMES));
  }
  return known;
}

function parseAuthority(text: string, portDefault: number): { host: string; port: number } {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text);
  if (parts === null) throw new Refusal(`${JSON.stringify(text)} is not a host`, HINT);
  const [, host = "", port] = parts;
  if (port === undefined || port === "") return { host: parseHost(host), port: portDefault };
  const number = parsePort(port);
  if (number === 0) throw new Refusal("port 0 cannot be connected to");
  return { host: parseHost(host), port: number };
}

function hintFor(text: string): string {
  return /^[\w.-]+(:\d+)?(\/.*)?$/.test(text) ? `write http://${text}` : HINT;
}
