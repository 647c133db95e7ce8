import assert from "node:assert/strict";
import { test } from "node:test";
import { hashString, mixBits } from "./hash.ts";

/** The published vectors are over bytes: two of them, little-endian, make one code unit. */
function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf16le");
}

test("hashString: gives the published MurmurHash3 values", () => {
  const cases: [bytes: string, seed: number, expected: number][] = [
    ["", 0, 0],
    ["", 1, 0x514e28b7],
    ["", 0xffffffff, 0x81f16f39],
    ["\0\0\0\0", 0, 0x2362f9de],
    ["aaaa", 0x9747b28c, 0x5a97808a],
    ["aa", 0x9747b28c, 0x5d211726],
    ["abcd", 0x9747b28c, 0xf0478627],
    ["ab", 0x9747b28c, 0x74875592],
  ];
  for (const [bytes, seed, expected] of cases) {
    assert.equal(hashString(fromBytes(bytes), seed) >>> 0, expected, JSON.stringify(bytes));
  }
});

test("hashString: spreads similar keys evenly over buckets", () => {
  const buckets = Array.from({ length: 64 }, () => 0);
  for (let i = 0; i < 64_000; i++) buckets[(hashString(`user-${i}`, 7) >>> 0) % 64]! += 1;
  let chiSquare = 0;
  for (const count of buckets) chiSquare += (count - 1000) ** 2 / 1000;
  // 63 degrees of freedom: 103.4 is exceeded by one random function in a thousand.
  assert.ok(chiSquare < 103.4, `chi square ${chiSquare}`);
});

test("hashString: another seed gives an unrelated hash", () => {
  let equalBits = 0;
  for (let i = 0; i < 1000; i++) {
    const differing = hashString(`key-${i}`, 1) ^ hashString(`key-${i}`, 2);
    for (let bit = 0; bit < 32; bit++) if (((differing >>> bit) & 1) === 0) equalBits++;
  }
  assert.ok(Math.abs(equalBits / 32_000 - 0.5) < 0.02, `${equalBits / 32_000} of the bits agree`);
});

test("mixBits: is a bijection as far as tried", () => {
  const seen = new Set<number>();
  for (let i = -50_000; i < 50_000; i++) seen.add(mixBits(i));
  assert.equal(seen.size, 100_000);
});
