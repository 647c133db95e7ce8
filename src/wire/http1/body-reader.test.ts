import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { BodyReader } from "./body-reader.ts";
import {
  BAD_CHUNK_END,
  BAD_CHUNK_EXTENSION,
  BAD_CHUNK_SIZE,
  BAD_TRAILER,
  BARE_LF,
  HEAD_TOO_LARGE,
} from "./refusal.ts";

const limits = { headBytesMax: 1024, uriBytesMax: 100, fieldCountMax: 10 };

interface Read {
  body: string;
  /** Bytes read, or a refusal. */
  position: number;
  reader: BodyReader;
}

/** Reads pieces one after the other, as they would come from a connection. */
function readPieces(reader: BodyReader, pieces: readonly string[]): Read {
  let body = "";
  let total = 0;
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, "latin1");
    let position = 0;
    while (position < bytes.length && !reader.done) {
      position = reader.read(bytes, position, bytes.length);
      if (position < 0) return { body, position, reader };
      body += bytes.toString("latin1", reader.dataStart, reader.dataEnd);
    }
    total += position;
  }
  return { body, position: total, reader };
}

function readChunked(...pieces: string[]): Read {
  const reader = new BodyReader();
  reader.startChunked(limits);
  return readPieces(reader, pieces);
}

test("BodyReader: takes as many bytes as the length says and leaves the rest", () => {
  const reader = new BodyReader();
  reader.startLength(5);
  const read = readPieces(reader, ["he", "llo next"]);
  assert.equal(read.body, "hello");
  assert.equal(read.position, 5);
  assert.equal(reader.done, true);
});

test("BodyReader: reads until the connection closes where nothing says when", () => {
  const reader = new BodyReader();
  reader.startUntilClose();
  assert.equal(readPieces(reader, ["a", "b"]).body, "ab");
  assert.equal(reader.done, false);
  assert.equal(reader.endsAtClose, true);
});

test("BodyReader: reads chunks with extensions and stops after the last", () => {
  const text = "5;a=b\r\nhello\r\n06\r\n world\r\n0\r\n\r\nGET";
  const read = readChunked(text);
  assert.equal(read.body, "hello world");
  assert.equal(read.position, text.length - 3);
  assert.equal(read.reader.trailers, null);
});

test("BodyReader: reads the same however the bytes are cut", () => {
  const text = "a\r\n0123456789\r\n1;x\r\nX\r\n0\r\nX-Sum: 11\r\nX-More: y\r\n\r\n";
  for (let cut = 1; cut < text.length; cut++) {
    const read = readChunked(text.slice(0, cut), text.slice(cut));
    assert.equal(read.body, "0123456789X", `cut at ${cut}`);
    assert.equal(read.reader.done, true);
    assert.equal(read.reader.trailers?.get("x-sum"), "11");
  }
  const byBytes = readChunked(...text);
  assert.equal(byBytes.body, "0123456789X");
  assert.equal(byBytes.reader.trailers?.get("x-more"), "y");
});

test("BodyReader: gives back any body that was chunked in any way and cut anywhere", () => {
  const chunks = fc.array(fc.string({ minLength: 1, maxLength: 40, unit: "binary-ascii" }), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(chunks, fc.array(fc.nat(30), { maxLength: 20 }), (bodies, sizes) => {
      let text = bodies.map((body) => `${body.length.toString(16)}\r\n${body}\r\n`).join("");
      text += "0\r\n\r\n";
      const pieces: string[] = [];
      for (const size of sizes) {
        pieces.push(text.slice(0, size));
        text = text.slice(size);
      }
      const read = readChunked(...pieces, text);
      assert.equal(read.body, bodies.join(""));
      assert.equal(read.reader.done, true);
    }),
  );
});

const refused: readonly (readonly [string, number, string])[] = [
  ["an empty size", BAD_CHUNK_SIZE, "\r\n"],
  ["a size that is not hexadecimal", BAD_CHUNK_SIZE, "g\r\n"],
  ["a signed size", BAD_CHUNK_SIZE, "+5\r\nhello\r\n"],
  ["a size with a prefix", BAD_CHUNK_SIZE, "0x5\r\nhello\r\n"],
  ["a space after the size", BAD_CHUNK_SIZE, "5 \r\nhello\r\n"],
  ["a size that overflows", BAD_CHUNK_SIZE, "ffffffffffffffff5\r\nhello\r\n"],
  ["a bare LF after the size", BARE_LF, "5\nhello\r\n"],
  ["a bare CR after the size", BAD_CHUNK_END, "5\rhello\r\n"],
  ["a control character in an extension", BAD_CHUNK_EXTENSION, "5;a\x00\r\nhello\r\n"],
  ["extensions without end", BAD_CHUNK_EXTENSION, `5;${"a".repeat(5000)}`],
  ["data longer than its chunk", BAD_CHUNK_END, "5\r\nhello!\r\n"],
  ["a bare LF after the data", BAD_CHUNK_END, "5\r\nhello\n"],
  ["a malformed trailer", BAD_TRAILER, "0\r\nX y\r\n\r\n"],
  ["trailers without end", HEAD_TOO_LARGE, `0\r\nX: ${"a".repeat(2000)}`],
];

for (const [what, refusal, text] of refused) {
  test(`BodyReader: refuses ${what}, cut or whole`, () => {
    assert.equal(readChunked(text).position, refusal);
    assert.equal(readChunked(...text).position, refusal);
  });
}
