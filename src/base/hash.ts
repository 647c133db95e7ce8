// HOT
/**
 * 32-bit hashing of strings: MurmurHash3 (x86_32) over UTF-16 code units, two to a block.
 *
 * Fast and well spread, not cryptographic: who knows the seed can make keys collide. Use a random
 * seed for tables that strangers fill, and a fixed one where several machines must agree. About
 * 2 ns a character. Results are signed, because an integer above 2^31 may have to be
 * allocated; `>>> 0` makes them unsigned where that matters.
 */

/** Hash of `text` as a signed 32-bit integer; another `seed` gives an unrelated hash. */
export function hashString(text: string, seed: number): number {
  const length = text.length;
  const even = length & ~1;
  let hash = seed | 0;
  for (let i = 0; i < even; i += 2) {
    hash ^= scramble(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (even !== length) hash ^= scramble(text.charCodeAt(even));
  // The reference counts bytes; a code unit is two.
  return mixBits(hash ^ (length << 1));
}

/** Spreads an integer over 32 bits, reversibly: no two inputs give the same result. */
export function mixBits(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
