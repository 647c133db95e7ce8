import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import type { FakeService } from "../../testing/fake-service.ts";
import { testPolicy } from "../../testing/test-policy.ts";
import decompress from "./decompress.ts";

const MB = 1024 * 1024;
const text = "some text to send; ".repeat(50);
const echo: FakeService = async (call) => ({ body: await call.text() });

const writers: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  "x-gzip": (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
  "gzip, br": (bytes) => zlib.brotliCompressSync(zlib.gzipSync(bytes)),
};

async function* inPieces(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 1000) {
    yield await Promise.resolve(bytes.subarray(at, at + 1000));
  }
}

for (const [coding, write] of Object.entries(writers)) {
  for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
    test(`decompress: ${coding} over ${protocol} reaches the service decoded, whole or in pieces`, async () => {
      await using subject = await testPolicy(decompress, {}, { service: echo });
      const headers = { "content-encoding": coding };
      const bytes = write(Buffer.from(text));
      const whole = await subject.request({ method: "POST", headers, body: bytes, protocol });
      assert.equal(whole.body, text);
      assert.equal(whole.sent?.headers["content-encoding"], undefined);
      assert.equal(whole.sent?.headers["content-length"], String(text.length));
      const body = inPieces(bytes);
      const pieces = await subject.request({ method: "POST", headers, body, protocol });
      assert.equal(pieces.body, text);
      assert.equal(pieces.sent?.headers["content-length"], undefined);
      assert.equal(subject.results()["decoded"], 2);
    });
  }
}

const refused: [what: string, coding: string, body: Buffer, options: object, problem: string][] = [
  ["another coding", "compress", Buffer.from("x"), {}, "unknown-content-encoding"],
  [
    "one that is not listed",
    "br",
    Buffer.from("x"),
    { encodings: "gzip" },
    "unknown-content-encoding",
  ],
  ["too many codings", "gzip, gzip, gzip, gzip", Buffer.from("x"), {}, "unknown-content-encoding"],
  ["what is not gzip", "gzip", Buffer.from("not gzip at all"), {}, "bad-content-encoding"],
  ["a body that is cut", "gzip", zlib.gzipSync(text).subarray(0, -9), {}, "bad-content-encoding"],
  ["too long a body", "gzip", zlib.gzipSync(text), { sizeMax: "500b" }, "decoded-body-too-large"],
  ["a bomb", "gzip", zlib.gzipSync(Buffer.alloc(4 * MB)), {}, "decoded-body-too-large"],
  [
    "a bomb within a bomb",
    "br, gzip",
    zlib.gzipSync(zlib.brotliCompressSync(Buffer.alloc(50 * MB))),
    {},
    "decoded-body-too-large",
  ],
];

for (const [what, coding, body, options, problem] of refused) {
  test(`decompress: ${what} is refused before the service is asked`, async () => {
    await using subject = await testPolicy(decompress, options, { service: echo });
    const headers = { "content-encoding": coding };
    const { problem: got, sent } = await subject.request({ method: "POST", headers, body });
    assert.deepEqual([got?.name, sent], [problem, undefined]);
  });
}

test("decompress: a refused coding is told which would do", async () => {
  await using subject = await testPolicy(decompress, { encodings: ["gzip", "br"] });
  const headers = { "content-encoding": "zstd" };
  const { headers: got } = await subject.request({ method: "POST", headers, body: "x" });
  assert.equal(got["accept-encoding"], "gzip, br");
});

test("decompress: few bytes may become many, as long as they are not a megabyte", async () => {
  await using subject = await testPolicy(decompress, {}, { service: echo });
  const body = zlib.gzipSync(Buffer.alloc(MB, 0x20));
  const headers = { "content-encoding": "gzip" };
  assert.equal((await subject.request({ method: "POST", headers, body })).bytes.length, MB);
});

test("decompress: requests without a body, and responses, pass unless it is asked for", async () => {
  const bytes = zlib.gzipSync(text);
  const service: FakeService = () => ({ headers: { "content-encoding": "gzip" }, body: bytes });
  await using subject = await testPolicy(decompress, {}, { service });
  const { bytes: got, sent } = await subject.request({ headers: { "content-encoding": "br" } });
  assert.deepEqual([got, sent?.headers["content-encoding"]], [bytes, "br"]);
});

test("decompress: responses are decoded where that is asked for", async () => {
  const service: FakeService = ({ path }) => ({
    headers: { "content-encoding": path === "/other" ? "other" : "gzip", etag: '"one"' },
    body: path === "/bad" ? "bad" : zlib.gzipSync(text),
  });
  await using subject = await testPolicy(decompress, { responses: true }, { service });
  const { body, headers } = await subject.request();
  assert.deepEqual(
    [body, headers["content-encoding"], headers["etag"]],
    [text, undefined, 'W/"one"'],
  );
  assert.equal((await subject.request({ path: "/other" })).headers["content-encoding"], "other");
  const bad = await subject.request({ path: "/bad" });
  assert.deepEqual([bad.isBroken, bad.outcome.fault], [true, "undecodable-response"]);
});

test("decompress: a use that does nothing is a mistake", () => {
  const options = decompress.schema.parse({ requests: false });
  assert.equal(decompress.check!(options, {} as never).length, 1);
});

test("decompress: check warns where what reads requests stands before it", () => {
  const found = (options: object, name: string) =>
    decompress.check!(decompress.schema.parse(options), { earlier: [{ name }] } as never);
  assert.match(found({}, "validate")[0]!.hint!, /before validate/);
  assert.deepEqual(found({}, "cors"), []);
  assert.deepEqual(found({ requests: false, responses: true }, "validate"), []);
});
