import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "./crc32c.ts";

test("crc32c: the vectors of RFC 3720, appendix B.4", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  const vectors: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
    [Buffer.from("123456789"), 0xe3069283],
  ];
  for (const [bytes, checksum] of vectors) assert.equal(crc32c(bytes, 0, bytes.length), checksum);
});

test("crc32c: covers just the range asked for", () => {
  assert.equal(crc32c(Buffer.from("xx123456789yy"), 2, 11), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(4), 2, 2), 0);
});
