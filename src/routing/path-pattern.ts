/**
 * Path patterns: `/users/:id(\d+)/files/*` -> segments.
 */
import { parseParam } from "./parse-param.ts";
import type { ParamToken } from "./parse-param.ts";
import { respellBytes, wouldBeDotSegment } from "./rebuild-path.ts";
import { RoutingError } from "./routing-error.ts";
import { SegmentMatcher } from "./segment-matcher.ts";

export type PatternSegment =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "matched";
      readonly matcher: SegmentMatcher;
      readonly names: readonly string[];
      /** The expressions as written, "" for none. */
      readonly constraintSources: readonly string[];
    }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "rest"; readonly name: string };

/** A parsed pattern. The segments are what stands between slashes; `/a/` has `a` and an empty one. */
export interface PathPattern {
  readonly source: string;
  readonly segments: readonly PatternSegment[];
  /** Names of the parameters from left to right; the rest is `*` unless it has a name. */
  readonly paramNames: readonly string[];
  /** The pattern ends in `*` and takes any rest. */
  readonly hasRest: boolean;
}

export const PARAMS_MAX = 32;

interface LiteralToken {
  readonly kind: "literal";
  readonly raw: string;
  readonly position: number;
}

type SegmentToken = LiteralToken | ParamToken;

/**
 * Parses a pattern. Literal parts are normalised as paths are, so that `/caf%c3%a9` and `/café`
 * are the same pattern.
 *
 * @throws RoutingError with a position in `source`.
 */
export function parsePathPattern(source: string): PathPattern {
  if (!source.startsWith("/")) {
    const hint = /^\w+:\/\//.test(source)
      ? "write the path only; the host belongs in `hosts`"
      : `write \`/${source}\``;
    throw new RoutingError("a path begins with a slash", hint, 0);
  }
  const segments: PatternSegment[] = [];
  let position = 0;
  while (position < source.length) {
    const { segment, end } = parseSegment(source, position + 1);
    segments.push(segment);
    position = end;
  }
  const paramNames = segments.flatMap(namesOf);
  checkNames(paramNames, source);
  const hasRest = segments.at(-1)?.kind === "rest";
  // Copies have no room left to grow, and there are thousands.
  return { source, segments: segments.slice(), paramNames: paramNames.slice(), hasRest };
}

function namesOf(segment: PatternSegment): readonly string[] {
  if (segment.kind === "literal") return [];
  return segment.kind === "matched" ? segment.names : [segment.name];
}

function checkNames(names: readonly string[], source: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    const position = source.lastIndexOf(twice) - 1;
    throw new RoutingError(`two parameters are called \`${twice}\``, "rename one", position);
  }
  if (names.length > PARAMS_MAX) {
    throw new RoutingError("too many parameters", `at most ${PARAMS_MAX}`, 0);
  }
}

/** The segment from `start`, after its slash, up to `end`, the next slash or the end. */
function parseSegment(source: string, start: number): { segment: PatternSegment; end: number } {
  if (source[start] === "*") return { segment: parseRest(source, start), end: source.length };
  const tokens: SegmentToken[] = [];
  let position = start;
  while (position < source.length && source[position] !== "/") {
    const isParam = source[position] === ":";
    const { token, end } = isParam ? parseParam(source, position) : parseLiteral(source, position);
    if (isParam && tokens.at(-1)?.kind === "param") {
      const hint = "put a character between them, such as `-` or `.`";
      throw new RoutingError(
        "where one parameter ends and the next begins is unclear",
        hint,
        position,
      );
    }
    tokens.push(token);
    position = end;
  }
  return { segment: segmentOf(tokens, source, start, position), end: position };
}

function parseRest(source: string, start: number): PatternSegment {
  const name = /^\*([A-Za-z_]\w*)?/.exec(source.slice(start))![1];
  const end = start + 1 + (name?.length ?? 0);
  if (end < source.length) {
    const hint = "`*` takes all the rest and stands last; `:name` takes one segment";
    throw new RoutingError("something follows the `*`", hint, end);
  }
  return { kind: "rest", name: name ?? "*" };
}

/** Characters with a meaning in patterns, which `\` takes away. */
const ESCAPABLE = ":*()+\\";

const MISPLACED: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  "*": ["`*` within a segment", "`/*` at the end takes the rest; `\\*` is the character"],
  "(": ["a `(` that follows no parameter", "`:name(\\d+)` constrains one; `\\(` is the character"],
  ")": ["a `)` without its `(`", "`\\)` is the character"],
  "{": [
    "`{` cannot be part of a path",
    "parameters are written `:name`, with a constraint `:name(\\d+)`",
  ],
  "}": ["`}` cannot be part of a path", "parameters are written `:name`"],
  "?": [
    "`?` cannot be part of a path",
    "the query is matched by `query`; optional parts need a route each",
  ],
  "#": ["`#` cannot be part of a path", "fragments are not sent to servers"],
  " ": ["a space cannot be part of a path", "write `%20`"],
};

/** A segment of characters that mean nothing here and are written only one way: nearly every one. */
const PLAIN_SEGMENT = /[\w.~-]+(?=\/|$)/y;
const PLAIN = /^[\w.~-]+$/;

function parseLiteral(source: string, start: number): { token: LiteralToken; end: number } {
  PLAIN_SEGMENT.lastIndex = start;
  if (PLAIN_SEGMENT.test(source)) {
    const end = PLAIN_SEGMENT.lastIndex;
    return { token: { kind: "literal", raw: source.slice(start, end), position: start }, end };
  }
  let raw = "";
  let position = start;
  while (position < source.length) {
    let character = source[position]!;
    if (character === "/" || character === ":") break;
    const misplaced = MISPLACED[character];
    if (misplaced !== undefined) throw new RoutingError(misplaced[0], misplaced[1], position);
    if (character === "\\") {
      character = source[++position] ?? "";
      if (character === "" || !ESCAPABLE.includes(character)) {
        const hint = "only `: * ( ) +` and `\\` are written with one";
        throw new RoutingError("a `\\` in front of an ordinary character", hint, position - 1);
      }
    }
    raw += character;
    position++;
  }
  return { token: { kind: "literal", raw, position: start }, end: position };
}

/** The literal as it stands in a normalised path; characters beyond ASCII as UTF-8. */
function normalLiteral(token: LiteralToken): string {
  if (PLAIN.test(token.raw)) return token.raw;
  const bytes = Buffer.from(token.raw, "utf8").toString("latin1");
  const text = respellBytes(bytes);
  if (typeof text === "string") return text;
  const hint = "a percent sign is written `%25`; control characters are refused in every path";
  throw new RoutingError("a broken percent escape or a control character", hint, token.position);
}

function segmentOf(
  tokens: readonly SegmentToken[],
  source: string,
  start: number,
  end: number,
): PatternSegment {
  const params = tokens.filter((token) => token.kind === "param");
  const only = params[0];
  if (only === undefined) {
    const first = tokens[0];
    const text = first?.kind === "literal" ? normalLiteral(first) : "";
    checkLiteralSegment(text, source, start, end);
    return { kind: "literal", text };
  }
  if (tokens.length === 1 && only.constraint === null) return { kind: "param", name: only.name };
  return {
    kind: "matched",
    matcher: matcherOf(tokens),
    names: params.map((param) => param.name),
    constraintSources: params.map((param) => param.constraintSource),
  };
}

function checkLiteralSegment(text: string, source: string, start: number, end: number): void {
  if (text === "" && end < source.length) {
    throw new RoutingError("an empty segment", "paths are matched with `//` merged to `/`", start);
  }
  if (wouldBeDotSegment(text) && !(text.startsWith(";") && end === source.length)) {
    const hint = "dot segments are removed or refused before paths are matched";
    throw new RoutingError("a segment that no request can have", hint, start);
  }
}

function matcherOf(tokens: readonly SegmentToken[]): SegmentMatcher {
  let key = "";
  let prefix = "";
  const separators: string[] = [];
  const constraints = [];
  for (const token of tokens) {
    if (token.kind === "param") {
      key += `:(${token.constraintSource})`;
      separators.push("");
      constraints.push(token.constraint);
      continue;
    }
    const text = normalLiteral(token);
    key += text;
    if (separators.length === 0) prefix = text;
    else separators[separators.length - 1] = text;
  }
  return new SegmentMatcher(key, prefix, separators, constraints);
}
