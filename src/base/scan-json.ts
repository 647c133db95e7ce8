const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const MINUS = 0x2d;

/** What a look at the text of a JSON document tells that the parser does not. */
export interface JsonScan {
  readonly isTooDeep: boolean;
  /** How many members its maps have together, doubled names counted twice. */
  readonly memberCount: number;
  /** Whether there is a number that a double may not hold. */
  readonly hasLongNumbers: boolean;
}

/**
 * Looks through a text that is meant to be JSON; of what is none, the result means nothing.
 *
 * @param depthMax how deeply maps and lists may be nested
 */
export function scanJson(text: string, depthMax: number): JsonScan {
  let depth = 0;
  let memberCount = 0;
  let hasLongNumbers = false;
  const { length } = text;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (code === COLON) memberCount++;
    // `{` and `[`, `}` and `]` differ by one bit, and nothing else of JSON looks like them.
    else if ((code | 0x20) === 0x7b) {
      if (++depth > depthMax) return { isTooDeep: true, memberCount, hasLongNumbers };
    } else if ((code | 0x20) === 0x7d) depth--;
    else if (code === MINUS || (code >= 0x30 && code <= 0x39)) {
      const end = endOfNumber(text, index);
      // Most are of a digit or two.
      if (end > index + 2) hasLongNumbers ||= !fitsDouble(text.slice(index, end));
      index = end - 1;
    }
  }
  return { isTooDeep: false, memberCount, hasLongNumbers };
}

/** Index of the quote that ends the string that begins at `start`; the text's length where none does. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0 && text.charCodeAt(end - 1) === BACKSLASH) {
    let first = end - 1;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    // An even number of backslashes is so many escaped backslashes.
    if ((end - first) % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end < 0 ? text.length : end;
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  for (let code = text.charCodeAt(end); isOfNumber(code); code = text.charCodeAt(end)) end++;
  return end;
}

/** Digits, `+`, `-`, `.`, `e`, `E`. */
function isOfNumber(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true;
  return code === 0x2b || code === 0x2d || code === 0x2e || (code | 0x20) === 0x65;
}

/** 15 significant digits survive a double (IEEE 754); an exponent may be beyond it. */
export function fitsDouble(number: string): boolean {
  return number.length <= 15 && !number.includes("e") && !number.includes("E");
}
