/**
 * A set of UTF-16 code units as sorted, disjoint, closed ranges: `[low, high, low, high, ...]`.
 */
export type CharSet = readonly number[];

export const CODE_MAX = 0xffff;

export const DIGITS: CharSet = [0x30, 0x39];
export const WORD: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
/** As `\s` in JavaScript. */
export const SPACE: CharSet = [
  0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f,
  0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff,
];
/** What `.` stands for: everything but line ends. */
export const DOT: CharSet = complement([0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029]);
export const ANYTHING: CharSet = [0, CODE_MAX];

export function complement(set: CharSet): CharSet {
  const ranges: number[] = [];
  let from = 0;
  for (let index = 0; index < set.length; index += 2) {
    if (set[index]! > from) ranges.push(from, set[index]! - 1);
    from = set[index + 1]! + 1;
  }
  if (from <= CODE_MAX) ranges.push(from, CODE_MAX);
  return ranges;
}

/** Of ranges in any order, which may overlap. */
export function union(ranges: readonly number[]): CharSet {
  const pairs: [number, number][] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    pairs.push([ranges[index]!, ranges[index + 1]!]);
  }
  pairs.sort((a, b) => a[0] - b[0]);
  const merged: number[] = [];
  for (const [low, high] of pairs) {
    const last = merged.length - 1;
    if (last > 0 && low <= merged[last]! + 1) merged[last] = Math.max(merged[last]!, high);
    else merged.push(low, high);
  }
  return merged;
}

/** With the other case of each ASCII letter. */
export function ignoringCase(set: CharSet): CharSet {
  const ranges = [...set];
  for (let index = 0; index < set.length; index += 2) {
    pushShifted(ranges, set[index]!, set[index + 1]!, 0x41, 32);
    pushShifted(ranges, set[index]!, set[index + 1]!, 0x61, -32);
  }
  return union(ranges);
}

/** Adds the letters of `low..high` that are within the 26 from `first`, moved by `shift`. */
function pushShifted(ranges: number[], low: number, high: number, first: number, shift: number) {
  const from = Math.max(low, first);
  const to = Math.min(high, first + 25);
  if (from <= to) ranges.push(from + shift, to + shift);
}
