/**
 * Rewrites: what is changed of a request on its way to the service, and where a redirect leads;
 * templates of these are compiled against the pattern of the route.
 */
import { bindTemplate, parseTemplate } from "./parse-template.ts";
import type { TemplateParts } from "./parse-template.ts";
import type { PathPattern } from "./path-pattern.ts";
import type { PathTemplate } from "./path-template.ts";
import { QueryRewrite } from "./query-rewrite.ts";
import { hidesDotSegment, hidesParent, removeDotSegments, respellBytes } from "./rebuild-path.ts";
import { RoutingError } from "./routing-error.ts";

export interface RewriteRule {
  /** A template: `/v2/:id/*`. */
  readonly path?: string | undefined;
  /** Host, with a port or without, as it is sent. */
  readonly host?: string | undefined;
  readonly query?:
    | {
        readonly set?: Readonly<Record<string, string>> | undefined;
        /** Names; `*` is all. */
        readonly remove?: readonly string[] | undefined;
      }
    | undefined;
}

/** What to do with each part of a request; null leaves it as it is. */
export interface CompiledRewrite {
  readonly path: PathTemplate | null;
  readonly query: QueryRewrite | null;
  readonly host: string | null;
}

/** @throws RoutingError with a position in `rule.path`. */
export function compileRewrite(rule: RewriteRule, pattern: PathPattern): CompiledRewrite {
  return {
    path: rule.path === undefined ? null : compilePathTemplate(rule.path, pattern),
    query: compileQueryRewrite(rule.query?.set ?? {}, rule.query?.remove ?? []),
    host: rule.host ?? null,
  };
}

/**
 * A template of a path. Whatever the parameters are, what it makes stays where the template leads:
 * values have no slash, are no dot segments, and only the rest, which stands last, may be empty.
 *
 * @throws RoutingError
 */
export function compilePathTemplate(source: string, pattern: PathPattern): PathTemplate {
  if (!source.startsWith("/")) {
    throw new RoutingError("a path begins with a slash", `write \`/${source}\``, 0);
  }
  const misplaced = /[?#{}\s]|:(?![A-Za-z_])/.exec(source.replaceAll(/\\./g, "__"));
  if (misplaced !== null) throw misplacedCharacter(misplaced[0], misplaced.index);
  const parts = parseTemplate(source);
  checkRestPlace(parts, source, /^$/);
  const literals = parts.literals.map((literal) => {
    const text = respellBytes(Buffer.from(literal, "utf8").toString("latin1"));
    if (typeof text === "string") return text;
    throw new RoutingError("a broken percent escape", "a percent sign is written `%25`", 0);
  });
  const sample = literals.join("x");
  if (removeDotSegments(sample) !== sample || hidesDotSegment(sample)) {
    throw new RoutingError("an empty segment or a dot segment", "write the path it leads to", 0);
  }
  // Services that take raw paths may be sent parameters with encoded slashes.
  if (hidesParent(literals.join("%2F"))) {
    const hint = "put another character between the dots and the parameter";
    throw new RoutingError("`..` next to a parameter could lead up", hint, 0);
  }
  return bindTemplate({ literals, places: parts.places }, pattern);
}

function misplacedCharacter(character: string, position: number): RoutingError {
  const hints: Readonly<Record<string, string>> = {
    "?": "the query is changed by `query`",
    "#": "fragments are not sent to servers",
    ":": "a parameter is written `:name`; `\\:` is the character",
    "{": "parameters are written `:name`",
    "}": "parameters are written `:name`",
  };
  const hint = hints[character] ?? "write `%20`";
  return new RoutingError(`\`${character}\` cannot be part of a path`, hint, position);
}

/** `*` may be empty and may end in a slash, so a slash comes before it and none after. */
function checkRestPlace(parts: TemplateParts, source: string, after: RegExp): void {
  for (const { isRest, position, end } of parts.places) {
    if (!isRest) continue;
    if (source[position - 1] !== "/" || !after.test(source.slice(end))) {
      throw new RoutingError(
        "`*` out of its place",
        "it follows a slash and stands last",
        position,
      );
    }
  }
}

/**
 * A template of a Location: a path, or a URL with scheme and host.
 *
 * @throws RoutingError
 */
export function compileRedirect(source: string, pattern: PathPattern): PathTemplate {
  const start = /^(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]*|(?=\/))/.exec(source);
  if (start === null) {
    const hint = "begin with `/` or `https://`";
    throw new RoutingError("a redirect needs a path or a URL", hint, 0);
  }
  const parts = parseTemplate(source);
  const inHost = parts.places.find((place) => place.position < start[0].length);
  if (inHost !== undefined) {
    const hint = "the client would choose where it is sent; name the host";
    throw new RoutingError("a parameter within the host of a redirect", hint, inHost.position);
  }
  checkRestPlace(parts, source, /^(?:$|[?#])/);
  return bindTemplate(parts, pattern);
}

function compileQueryRewrite(
  set: Readonly<Record<string, string>>,
  remove: readonly string[],
): QueryRewrite | null {
  const names = Object.keys(set);
  if (names.length === 0 && remove.length === 0) return null;
  const added = Object.entries(set)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
  return new QueryRewrite(remove.includes("*"), [...new Set([...remove, ...names])], added);
}
