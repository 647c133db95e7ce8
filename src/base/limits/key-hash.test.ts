import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { KeyHash } from "./key-hash.ts";

/** Key and texts of the vectors: 00 01 02 ... */
const KEY0 = 0x03020100;
const KEY1 = 0x07060504;
const text = (length: number) =>
  String.fromCharCode(...Array.from({ length }, (_, index) => index));

/** vectors_hsip64 of the reference implementation, https://github.com/veorq/SipHash. */
const vectors: readonly (readonly [length: number, hash: string])[] = [
  [0, "218d1f59b9b83cc8"],
  [1, "be552412f8387315"],
  [2, "064f39ef7c50eb57"],
  [3, "ce0f1a45f7060679"],
  [4, "d5e78a175be52ea1"],
  [5, "cb9d7c3f2f3db580"],
  [7, "ff202728b07bc684"],
  [8, "edfee820bce4858c"],
  [15, "217d0bcb4e81c902"],
  [16, "7336aad25f7bf3b5"],
  [31, "863c7f155c34117c"],
  [32, "28709d46d811626c"],
  [63, "2ea63c71bf326087"],
];

function hashOf(written: string, key0 = KEY0, key1 = KEY1): string {
  const hash = new KeyHash();
  hash.compute(written, key0, key1);
  const bytes = Buffer.alloc(8);
  bytes.writeInt32LE(hash.low, 0);
  bytes.writeInt32LE(hash.high, 4);
  return bytes.toString("hex");
}

for (const [length, hash] of vectors) {
  test(`key hash: the published vector of ${length} bytes holds`, () => {
    assert.equal(hashOf(text(length)), hash);
  });
}

test("key hash: texts that read the same bytes in another width differ", () => {
  assert.notEqual(hashOf("\u4241"), hashOf("AB"));
  assert.notEqual(hashOf("\u4241\0"), hashOf("AB"));
  assert.notEqual(hashOf("\u0100"), hashOf("\0\u0001"));
  assert.notEqual(hashOf("a\u0100"), hashOf("a"));
});

test("key hash: any two texts differ, also in what looks alike", () => {
  const anyText = fc.string({ unit: "binary", maxLength: 40 });
  const pairs = fc.tuple(anyText, anyText).filter(([one, other]) => one !== other);
  fc.assert(fc.property(pairs, ([one, other]) => hashOf(one) !== hashOf(other)));
  for (const [one, other] of [
    ["é", "e\u0301"],
    ["a", "a "],
    ["a", "A"],
    ["", "\0"],
    ["x".repeat(256), "x".repeat(512)],
  ] as const) {
    assert.notEqual(hashOf(one), hashOf(other));
  }
});

test("key hash: another key gives another hash", () => {
  assert.notEqual(hashOf("192.0.2.1"), hashOf("192.0.2.1", KEY0 + 1));
  assert.notEqual(hashOf("192.0.2.1"), hashOf("192.0.2.1", KEY0, KEY1 + 1));
});
