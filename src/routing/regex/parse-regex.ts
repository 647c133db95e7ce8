/**
 * Regular expressions as routing takes them: the part of the JavaScript syntax that describes a
 * regular language, so that matching takes one step a character whatever the client sends. What needs
 * backtracking (backreferences, lookaround) is refused.
 */
import { RoutingError } from "../routing-error.ts";
import { DOT, ignoringCase, union } from "./char-set.ts";
import type { CharSet } from "./char-set.ts";
import { parseClass, parseEscape } from "./parse-class.ts";

export type RegexNode =
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "choice"; readonly parts: readonly RegexNode[] }
  | {
      readonly kind: "repeat";
      readonly part: RegexNode;
      readonly min: number;
      readonly max: number;
    };

export const REPEAT_MAX = 1000;
const DEPTH_MAX = 50;

/** What is being read, and how far. */
export interface RegexCursor {
  readonly source: string;
  position: number;
  depth: number;
  ignoreCase: boolean;
}

/**
 * Parses an expression that has to match a whole text: a `^` at the start and a `$` at the end say
 * what is the case anyway and are dropped. `(?i)` at the start ignores the case of ASCII letters.
 *
 * @throws RoutingError with a position in `source`.
 */
export function parseRegex(source: string): RegexNode {
  const cursor: RegexCursor = { source, position: 0, depth: 0, ignoreCase: false };
  if (source.startsWith("(?i)")) {
    cursor.ignoreCase = true;
    cursor.position = 4;
  }
  if (source[cursor.position] === "^") cursor.position++;
  const node = parseChoice(cursor);
  if (cursor.position < source.length) {
    throw new RoutingError(
      "a `)` without its `(`",
      "write `\\)` for the character",
      cursor.position,
    );
  }
  return node;
}

/** The node for exactly this text. */
export function literalNode(text: string): RegexNode {
  const parts: RegexNode[] = [];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    parts.push({ kind: "set", set: [code, code] });
  }
  return { kind: "sequence", parts };
}

function parseChoice(cursor: RegexCursor): RegexNode {
  const parts = [parseSequence(cursor)];
  while (cursor.source[cursor.position] === "|") {
    cursor.position++;
    parts.push(parseSequence(cursor));
  }
  return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
}

function parseSequence(cursor: RegexCursor): RegexNode {
  const parts: RegexNode[] = [];
  while (cursor.position < cursor.source.length) {
    const character = cursor.source[cursor.position]!;
    if (character === "|" || character === ")") break;
    if (character === "$" && cursor.position === cursor.source.length - 1) {
      cursor.position++;
      break;
    }
    parts.push(parseRepeat(cursor, parseAtom(cursor, character)));
  }
  return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
}

function parseAtom(cursor: RegexCursor, character: string): RegexNode {
  switch (character) {
    case "(":
      return parseGroup(cursor);
    case "[":
      return setNode(cursor, parseClass(cursor));
    case "\\":
      return setNode(cursor, parseEscape(cursor));
    case ".":
      cursor.position++;
      return { kind: "set", set: DOT };
    case "^":
    case "$": {
      const hint =
        "the whole text has to match, leave it out; `\\" + character + "` is the character";
      throw new RoutingError(`\`${character}\` within an expression`, hint, cursor.position);
    }
    case "*":
    case "+":
    case "?": {
      const hint = `write \`\\${character}\` for the character`;
      throw new RoutingError(`\`${character}\` has nothing to repeat`, hint, cursor.position);
    }
    default: {
      const code = cursor.source.charCodeAt(cursor.position++);
      return setNode(cursor, [code, code]);
    }
  }
}

function setNode(cursor: RegexCursor, set: CharSet): RegexNode {
  return { kind: "set", set: cursor.ignoreCase ? ignoringCase(set) : union(set) };
}

function parseGroup(cursor: RegexCursor): RegexNode {
  const start = cursor.position;
  if (++cursor.depth > DEPTH_MAX) {
    throw new RoutingError("groups are nested too deeply", `at most ${DEPTH_MAX} levels`, start);
  }
  cursor.position++;
  if (cursor.source[cursor.position] === "?") skipGroupPrefix(cursor, start);
  const node = parseChoice(cursor);
  if (cursor.source[cursor.position] !== ")") {
    throw new RoutingError("a `(` without its `)`", "write `\\(` for the character", start);
  }
  cursor.position++;
  cursor.depth--;
  return node;
}

/** `(?:` and `(?<name>` group; the other forms look around or change the rules halfway. */
function skipGroupPrefix(cursor: RegexCursor, start: number): void {
  const prefix = /^\?(?::|<[A-Za-z_]\w*>)/.exec(cursor.source.slice(cursor.position));
  if (prefix === null) {
    const what = /^\?<?[=!]/.test(cursor.source.slice(cursor.position))
      ? "lookahead and lookbehind are not supported, they can make matching slow"
      : "this kind of group is not supported";
    throw new RoutingError(what, "use `(...)`, or `(?i)` at the very start to ignore case", start);
  }
  cursor.position += prefix[0].length;
}

const QUANTIFIER = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})/;

function parseRepeat(cursor: RegexCursor, part: RegexNode): RegexNode {
  const start = cursor.position;
  const found = QUANTIFIER.exec(cursor.source.slice(start, start + 16));
  if (found === null) return part;
  cursor.position += found[0].length;
  // A lazy quantifier accepts the same texts; only what a group captures would differ.
  if (cursor.source[cursor.position] === "?") cursor.position++;
  if (QUANTIFIER.test(cursor.source.slice(cursor.position, cursor.position + 16))) {
    throw new RoutingError("two quantifiers in a row", "group the first: `(...)`", cursor.position);
  }
  const { min, max } = boundsOf(found);
  if (min > max || min > REPEAT_MAX || (max > REPEAT_MAX && max !== Infinity)) {
    const hint = `{min,max} with min <= max <= ${REPEAT_MAX}`;
    throw new RoutingError(`\`${found[0]}\` cannot be used`, hint, start);
  }
  return { kind: "repeat", part, min, max };
}

function boundsOf(found: RegExpExecArray): { min: number; max: number } {
  if (found[0] === "*") return { min: 0, max: Infinity };
  if (found[0] === "+") return { min: 1, max: Infinity };
  if (found[0] === "?") return { min: 0, max: 1 };
  const min = Number(found[1]);
  if (found[2] === undefined) return { min, max: min };
  return { min, max: found[3] === "" ? Infinity : Number(found[3]) };
}
