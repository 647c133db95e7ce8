// HOT
import type { Fields } from "../wire/fields.ts";

/**
 * Letters in lower case, digits, and everything else that a name may hold as one: CGI and its descendants
 * make `_` of a hyphen, and some servers of any character, so that `X_User` and `x.user` reach the program as
 * X-User does.
 */
export const FOLDED = new Uint8Array(256).fill(0x2d);
for (const letter of "0123456789abcdefghijklmnopqrstuvwxyz") {
  FOLDED[letter.charCodeAt(0)] = letter.charCodeAt(0);
  FOLDED[letter.toUpperCase().charCodeAt(0)] = letter.charCodeAt(0);
}

const LENGTH_MAX = 256;

/** Headers that only the gateway may say: what a client says in them is removed, however it spells them. */
export class ClaimedHeaders {
  /** Folded names, by their lengths; null for lengths that none has. */
  private readonly byLength: (Uint8Array[] | null)[];

  /** @param names in lower case, shorter than 256 */
  constructor(names: readonly string[]) {
    this.byLength = [];
    // cold: once per snapshot
    for (let length = 0; length < LENGTH_MAX; length++) this.byLength.push(null);
    // cold: once per snapshot
    for (const name of names) {
      const folded = Uint8Array.from(Buffer.from(name, "latin1"), (code) => FOLDED[code]!);
      (this.byLength[name.length] ??= []).push(folded);
    }
  }

  /** Lines that policies have set since the request came stay. */
  strip(fields: Fields): void {
    const { spans, count, text } = fields;
    const { byLength } = this;
    for (let index = 0; index < count; index++) {
      const at = index << 2;
      const start = spans[at]!;
      const length = spans[at + 1]! - start;
      const names = length < LENGTH_MAX ? byLength[length]! : null;
      if (names !== null && isAmong(names, text, start)) fields.removeAt(index);
    }
  }
}

function isAmong(names: readonly Uint8Array[], text: string, start: number): boolean {
  for (let index = 0; index < names.length; index++) {
    if (isSpelled(names[index]!, text, start)) return true;
  }
  return false;
}

function isSpelled(name: Uint8Array, text: string, start: number): boolean {
  for (let at = 0; at < name.length; at++) {
    if (FOLDED[text.charCodeAt(start + at)] !== name[at]) return false;
  }
  return true;
}
