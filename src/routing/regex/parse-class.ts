/** The parts of an expression that stand for one character: `[...]` and escapes. */
import { RoutingError } from "../routing-error.ts";
import { DIGITS, SPACE, WORD, complement, union } from "./char-set.ts";
import type { CharSet } from "./char-set.ts";
import type { RegexCursor } from "./parse-regex.ts";

const SHORTHANDS: Readonly<Record<string, CharSet>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};

const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/** `[...]` at the cursor. */
export function parseClass(cursor: RegexCursor): CharSet {
  const start = cursor.position++;
  const negated = cursor.source[cursor.position] === "^";
  if (negated) cursor.position++;
  const ranges: number[] = [];
  while (cursor.source[cursor.position] !== "]") {
    if (cursor.position >= cursor.source.length) {
      throw new RoutingError("a `[` without its `]`", "write `\\[` for the character", start);
    }
    for (const bound of parseClassRange(cursor)) ranges.push(bound);
  }
  cursor.position++;
  if (ranges.length === 0) {
    throw new RoutingError("an empty `[]`", "write `\\[\\]` for the characters", start);
  }
  return negated ? complement(union(ranges)) : union(ranges);
}

/** One member of a class: a character, a range of them, or a shorthand such as `\d`. */
function parseClassRange(cursor: RegexCursor): CharSet {
  const start = cursor.position;
  const low = parseClassMember(cursor);
  const { source, position } = cursor;
  if (source[position] !== "-" || source[position + 1] === "]") return low;
  if (position + 1 >= source.length) return low;
  cursor.position++;
  const high = parseClassMember(cursor);
  const single = isSingle(low) && isSingle(high);
  if (!single || low[0]! > high[0]!) {
    const hint = "write the lower character first, and `\\-` for the character `-`";
    throw new RoutingError("not a range of characters", hint, start);
  }
  return [low[0]!, high[0]!];
}

function isSingle(set: CharSet): boolean {
  return set.length === 2 && set[0] === set[1];
}

function parseClassMember(cursor: RegexCursor): CharSet {
  if (cursor.source[cursor.position] === "\\") return parseEscape(cursor);
  const code = cursor.source.charCodeAt(cursor.position++);
  return [code, code];
}

/** `\x` at the cursor, within a class or not. */
export function parseEscape(cursor: RegexCursor): CharSet {
  const start = cursor.position;
  const character = cursor.source[start + 1];
  if (character === undefined) {
    throw new RoutingError("a `\\` at the end", "write `\\\\` for the character", start);
  }
  cursor.position += 2;
  const shorthand = SHORTHANDS[character];
  if (shorthand !== undefined) return shorthand;
  const control = CONTROLS[character];
  if (control !== undefined) return [control, control];
  if (character === "x" || character === "u") return parseHexEscape(cursor, character, start);
  if (/[A-Za-z0-9]/.test(character)) throw unknownEscape(character, start);
  const code = character.charCodeAt(0);
  return [code, code];
}

function parseHexEscape(cursor: RegexCursor, letter: string, start: number): CharSet {
  const length = letter === "x" ? 2 : 4;
  const digits = cursor.source.slice(cursor.position, cursor.position + length);
  if (digits.length !== length || !/^[0-9A-Fa-f]+$/.test(digits)) {
    throw new RoutingError(`\`\\${letter}\` without its digits`, "\\x41 or \\u0041", start);
  }
  cursor.position += length;
  const code = Number.parseInt(digits, 16);
  return [code, code];
}

function unknownEscape(character: string, start: number): RoutingError {
  if (/[1-9k]/.test(character)) {
    return new RoutingError(
      "backreferences are not supported",
      "repeat what may stand there",
      start,
    );
  }
  if (character === "b" || character === "B") {
    const hint = "the whole text has to match: say what may come before and after";
    return new RoutingError("word boundaries are not supported", hint, start);
  }
  if (character === "p" || character === "P") {
    const hint = "list the characters: `[A-Za-z\\u00c0-\\u017f]`";
    return new RoutingError("Unicode properties are not supported", hint, start);
  }
  return new RoutingError(
    `\`\\${character}\` is not known`,
    "\\d \\w \\s \\t \\x41 \\u0041",
    start,
  );
}
