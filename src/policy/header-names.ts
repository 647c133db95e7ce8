// HOT
import { FOLDED } from "./claimed-headers.ts";
import type { Fields } from "../wire/fields.ts";

/**
 * Names, and beginnings of names, whose lines are taken out, however they are spelled: to CGI and its
 * descendants `X_User` and `x.user` are the header X-User.
 */
export class HeaderNames {
  private readonly names: readonly Uint8Array[];
  private readonly prefixes: readonly Uint8Array[];

  /** @param patterns names in lower case; with `*` at the end, beginnings of names */
  constructor(patterns: readonly string[]) {
    const names: Uint8Array[] = [];
    const prefixes: Uint8Array[] = [];
    // cold: once per snapshot
    for (const pattern of patterns) {
      if (pattern.endsWith("*")) prefixes.push(folded(pattern.slice(0, -1)));
      else names.push(folded(pattern));
    }
    this.names = names;
    this.prefixes = prefixes;
  }

  removeFrom(fields: Fields): void {
    if (this.names.length === 0 && this.prefixes.length === 0) return;
    const { spans, count, text, extraNames } = fields;
    for (let index = 0; index < count; index++) {
      const at = index << 2;
      if (this.has(text, spans[at]!, spans[at + 1]!)) fields.removeAt(index);
    }
    // From the end: what is removed takes every line of its name along.
    for (let index = fields.extraCount - 1; index >= 0; index--) {
      if (index >= fields.extraCount) continue;
      const name = extraNames[index]!;
      if (this.has(name, 0, name.length)) fields.remove(name);
    }
  }

  /** Whether `text[start, end)` is one of the names. */
  has(text: string, start: number, end: number): boolean {
    const { names, prefixes } = this;
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      if (name.length === end - start && begins(name, text, start)) return true;
    }
    for (let index = 0; index < prefixes.length; index++) {
      const prefix = prefixes[index]!;
      if (prefix.length <= end - start && begins(prefix, text, start)) return true;
    }
    return false;
  }
}

function folded(name: string): Uint8Array {
  // cold: once per snapshot
  return Uint8Array.from(Buffer.from(name, "latin1"), (code) => FOLDED[code]!);
}

function begins(name: Uint8Array, text: string, start: number): boolean {
  for (let at = 0; at < name.length; at++) {
    if (FOLDED[text.charCodeAt(start + at)] !== name[at]) return false;
  }
  return true;
}
