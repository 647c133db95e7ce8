// HOT
import type { Fields } from "../fields.ts";

/** More digits than this cannot be counted exactly in a double; 15 nines are 888 TiB. */
const DIGITS_MAX = 15;

/** The value of a Content-Length field (RFC 9110 section 8.6: digits only), -1 if it is anything else. */
export function parseContentLength(fields: Fields, index: number): number {
  const { text, spans } = fields;
  const start = spans[(index << 2) + 2]!;
  const end = spans[(index << 2) + 3]!;
  if (start === end || end - start > DIGITS_MAX) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
