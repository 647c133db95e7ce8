// HOT
/**
 * Reads single parameters out of a raw query, `a=1&b=2`, without parsing the rest of it; as
 * application/x-www-form-urlencoded is parsed by browsers and services (WHATWG URL, section 5.1).
 */
import { HEX_VALUE } from "../base/byte-class.ts";

const PLUS = 0x2b;
const PERCENT = 0x25;

/**
 * The first value called `name`, decoded; "" where there is a name only; undefined without one.
 *
 * @param query as on the wire (latin1), without the `?`.
 */
export function readQueryParameter(query: string, name: string): string | undefined {
  let start = 0;
  while (start <= query.length) {
    const end = endOfPair(query, start);
    const nameEnd = endOfName(query, start, end);
    if (end > start && isNamed(query, start, nameEnd, name)) {
      return nameEnd === end ? "" : decodeFormText(query, nameEnd + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}

/** Where the pair that begins at `start` ends. */
export function endOfPair(query: string, start: number): number {
  const end = query.indexOf("&", start);
  return end === -1 ? query.length : end;
}

/** Where the name of the pair `query[start, end)` ends. */
export function endOfName(query: string, start: number, end: number): number {
  const equals = query.indexOf("=", start);
  return equals === -1 || equals > end ? end : equals;
}

/** Whether `query[start, end)` spells the name, encoded or not. */
export function isNamed(query: string, start: number, end: number, name: string): boolean {
  if (isCoded(query, start, end)) return decodeFormText(query, start, end) === name;
  return end - start === name.length && query.startsWith(name, start);
}

/** Whether decoding would change `text[start, end)`. */
function isCoded(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code === PLUS || code === PERCENT || code > 127) return true;
  }
  return false;
}

/** Decodes `+`, `%XX` and UTF-8; an escape that is broken stands for itself. */
export function decodeFormText(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  if (!isCoded(text, start, end)) return raw;
  const bytes = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let index = 0; index < raw.length; index++) {
    const code = raw.charCodeAt(index);
    let byte = code;
    if (code === PLUS) byte = 0x20;
    else if (code === PERCENT) {
      const decoded = hexByte(raw, index + 1);
      if (decoded >= 0) {
        byte = decoded;
        index += 2;
      }
    }
    bytes[length++] = byte;
  }
  return bytes.toString("utf8", 0, length);
}

/** The byte of the two hexadecimal digits at `index`, -1 when they are none. */
function hexByte(text: string, index: number): number {
  if (index + 1 >= text.length) return -1;
  const high = hexDigit(text.charCodeAt(index));
  const low = hexDigit(text.charCodeAt(index + 1));
  return high > 15 || low > 15 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  return code > 255 ? 255 : HEX_VALUE[code]!;
}
