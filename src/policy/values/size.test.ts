import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { Refusal } from "./refusal.ts";
import { formatSize, parseSize, size } from "./size.ts";

const written: readonly (readonly [string, number])[] = [
  ["512", 512],
  ["512b", 512],
  ["64kb", 65_536],
  ["64KB", 65_536],
  ["64KiB", 65_536],
  ["1.5mb", 1_572_864],
  ["10mb", 10_485_760],
  ["1gb", 1_073_741_824],
  ["2tb", 2_199_023_255_552],
];

for (const [text, bytes] of written) {
  test(`sizes: ${text} is ${bytes} bytes`, () => {
    assert.equal(parseSize(text), bytes);
  });
}

for (const text of ["", "kb", "10 kb", "10k", "-1kb", "10xb", "1.5b", "0x10", "1e3"]) {
  test(`sizes: ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseSize(text), Refusal);
  });
}

test("sizes: what is formatted is read back as the same number", () => {
  const anyBytes = fc.integer({ min: 0, max: 2 ** 50 });
  fc.assert(fc.property(anyBytes, (bytes) => parseSize(formatSize(bytes)) === bytes));
  fc.assert(
    fc.property(fc.nat(4096), (count) => parseSize(formatSize(count * 1024)) === count * 1024),
  );
});

test("sizes: a bare number is bytes", () => {
  assert.equal(size().parse(1000), 1000);
});

test("sizes: bounds are held to, in both forms", () => {
  const bounded = size({ minBytes: 1024, maxBytes: 1024 ** 2 });
  for (const value of [1023, "1023", "1b", "2mb", 2 * 1024 ** 2]) {
    assert.equal(bounded.safeParse(value).success, false, String(value));
  }
  for (const value of [1024, "1kb", "1mb"])
    assert.ok(bounded.safeParse(value).success, String(value));
});

test("sizes: none is 0 where it is allowed", () => {
  assert.equal(size({ none: true }).parse("none"), 0);
  assert.equal(size().safeParse("none").success, false);
});
