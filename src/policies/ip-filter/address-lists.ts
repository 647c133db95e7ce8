/** address-lists: the ranges that an ip-filter allows and denies, from its options and its files. */
import { compareRanges, parseAddressRange, type AddressRange } from "../../base/address-table.ts";
import { parseCidr } from "../../policy/values/cidr.ts";
import { Refusal } from "../../policy/values/refusal.ts";

export const ALLOW = 1;
/** Greater than ALLOW: of two equal ranges it counts. */
export const DENY = 2;

export interface ListedRange {
  /** In CIDR notation. */
  readonly text: string;
  readonly range: AddressRange;
  readonly value: typeof ALLOW | typeof DENY;
}

export function listedRange(text: string, value: typeof ALLOW | typeof DENY): ListedRange {
  return { text, range: parseAddressRange(text), value };
}

/**
 * One address or range to a line; `#` and `;` begin a comment, as in the lists that are published.
 *
 * @throws Error naming the line that holds something else
 */
export function parseAddressFile(file: string, content: string): string[] {
  return content.split("\n").flatMap((line, index) => {
    const text = /^[^#;]*/.exec(line)![0].trim();
    if (text === "") return [];
    try {
      return [parseCidr(text)];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Error(`${file}:${index + 1}: ${error.message}; ${error.hint}`, { cause: error });
    }
  });
}

/** One that changes nothing, and what makes it so. */
export interface IdleRange {
  readonly idle: ListedRange;
  /** The same range in the other list, or one around it in the same. */
  readonly because: ListedRange;
  readonly isContradiction: boolean;
}

/** Ranges that could be left out: what is around them says the same, or an equal one overrules them. */
export function idleRanges(listed: readonly ListedRange[]): IdleRange[] {
  const found: IdleRange[] = [];
  const sorted = listed.toSorted(
    (left, right) => compareRanges(left.range, right.range) || right.value - left.value,
  );
  const around: ListedRange[] = [];
  for (const one of sorted) {
    while (around.length > 0 && !holds(around.at(-1)!.range, one.range)) around.pop();
    const nearest = around.at(-1);
    if (nearest !== undefined && compareRanges(nearest.range, one.range) === 0) {
      found.push({ idle: one, because: nearest, isContradiction: nearest.value !== one.value });
      continue;
    }
    if (nearest !== undefined && nearest.value === one.value) {
      found.push({ idle: one, because: nearest, isContradiction: false });
    }
    around.push(one);
  }
  return found;
}

function holds(outer: AddressRange, inner: AddressRange): boolean {
  return outer.isIpv6 === inner.isIpv6 && outer.first <= inner.first && inner.last <= outer.last;
}
