import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { testPolicy } from "../../testing/test-policy.ts";
import type { FakeService } from "../../testing/fake-service.ts";
import compress from "./compress.ts";

const text = "a text that repeats itself; ".repeat(100);
const long = text.repeat(20);
const GZIP_HEAD_BYTES = 10;
const plain = { "content-type": "text/plain", etag: '"one"' };

const serving =
  (headers: Record<string, string>, body = text, status = 200): FakeService =>
  () => ({ status, headers, body });

const readers: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  zstd: (bytes) => zlib.zstdDecompressSync(bytes),
};

for (const [coding, read] of Object.entries(readers)) {
  for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
    test(`compress: ${coding} over ${protocol} is read back, short and long`, async () => {
      for (const body of [text, long]) {
        await using subject = await testPolicy(compress, {}, { service: serving(plain, body) });
        const headers = { "accept-encoding": coding };
        const { headers: got, bytes } = await subject.request({ headers, protocol });
        assert.equal(read(bytes).toString(), body);
        assert.equal(got["content-encoding"], coding);
        assert.deepEqual([got["vary"], got["etag"]], ["Accept-Encoding", 'W/"one"']);
        const length = body === text ? String(bytes.length) : undefined;
        assert.equal(got["content-length"], length);
        assert.deepEqual(subject.results()["compressed"], 1);
      }
    });
  }
}

const passing: [what: string, headers: Record<string, string>, options?: object, body?: string][] =
  [
    ["a short body", plain, {}, "short"],
    ["a type that is not worth it", { "content-type": "image/png" }],
    ["no type", {}],
    ["what is encoded already", { ...plain, "content-encoding": "br" }],
    ["a part", { ...plain, "content-range": "bytes 0-2799/5000" }],
    ["no-transform", { ...plain, "cache-control": "public, no-transform" }],
    ["events", { "content-type": "text/event-stream; charset=utf-8" }],
    ["a type that is not listed", plain, { types: "application/json" }],
  ];

for (const [what, sent, options = {}, body = text] of passing) {
  test(`compress: ${what} passes as it is`, async () => {
    await using subject = await testPolicy(compress, options, { service: serving(sent, body) });
    const got = await subject.request({ headers: { "accept-encoding": "gzip" } });
    assert.equal(got.body, body);
    assert.equal(got.headers["content-encoding"], sent["content-encoding"]);
    assert.equal(got.headers["vary"], undefined);
    assert.deepEqual(got.results, { unchanged: 1 });
  });
}

test("compress: who accepts nothing gets what varies", async () => {
  const service = serving({ ...plain, vary: "Origin" });
  await using subject = await testPolicy(compress, {}, { service });
  const { headers, body } = await subject.request();
  assert.deepEqual([headers["vary"], headers["etag"]], ["Origin, Accept-Encoding", '"one"']);
  assert.equal(body, text);
});

test("compress: the client may forbid it", async () => {
  await using subject = await testPolicy(compress, {}, { service: serving(plain) });
  const headers = { "accept-encoding": "gzip", "cache-control": "no-transform" };
  assert.equal((await subject.request({ headers })).headers["content-encoding"], undefined);
});

test("compress: HEAD is told what GET would be, without a length", async () => {
  const service = serving({ ...plain, "content-length": "2800", "content-digest": "x" }, "");
  await using subject = await testPolicy(compress, {}, { service });
  const { headers } = await subject.request({
    method: "HEAD",
    headers: { "accept-encoding": "gzip" },
  });
  assert.deepEqual(
    ["content-encoding", "content-length", "content-digest", "vary"].map((name) => headers[name]),
    ["gzip", undefined, undefined, "Accept-Encoding"],
  );
});

const parts: [what: string, vary: string | undefined, headers: Record<string, string>][] = [
  ["a short part of a long text", "Accept-Encoding", { "content-type": "text/plain" }],
  ["a part of a text of unknown length", "Accept-Encoding", { "content-range": "bytes 0-4/*" }],
  ["several parts", "Accept-Encoding", { "content-type": "multipart/byteranges; boundary=x" }],
  ["a part of a short text", undefined, { "content-range": "bytes 0-4/9" }],
  ["a part of a picture", undefined, { "content-type": "image/png" }],
  ["a part of what is encoded already", undefined, { "content-encoding": "br" }],
  ["a part with no-transform", undefined, { "cache-control": "no-transform" }],
];

for (const [what, vary, sent] of parts) {
  test(`compress: ${what} passes, with the Vary of the whole`, async () => {
    const told = { ...plain, "content-range": "bytes 0-4/5000", ...sent };
    await using subject = await testPolicy(compress, {}, { service: serving(told, "hello", 206) });
    const headers = { range: "bytes=0-4", "accept-encoding": "gzip" };
    const got = await subject.request({ headers });
    assert.deepEqual([got.status, got.body, got.headers["etag"]], [206, "hello", '"one"']);
    assert.equal(got.headers["vary"], vary);
    assert.deepEqual(got.results, { unchanged: 1 });
  });
}

test("compress: a 304 has the tag and the Vary of the compressed response", async () => {
  await using subject = await testPolicy(compress, {}, { service: serving(plain, "", 304) });
  const { headers } = await subject.request({ headers: { "accept-encoding": "gzip" } });
  assert.deepEqual([headers["etag"], headers["vary"]], ['W/"one"', "Accept-Encoding"]);
  const identity = (await subject.request()).headers;
  assert.deepEqual([identity["etag"], identity["vary"]], ['"one"', "Accept-Encoding"]);
});

test("compress: each event is sent on at once", async () => {
  const next = Promise.withResolvers<void>();
  const service: FakeService = () => ({
    headers: { "content-type": "text/event-stream" },
    body: (async function* () {
      yield "data: first\n\n";
      await next.promise;
      yield "data: second\n\n";
    })(),
  });
  await using subject = await testPolicy(compress, { eventStreams: true }, { service });
  const headers = { "accept-encoding": "gzip" };
  const exchange = subject.gateway.start({ headers });
  await exchange.head;
  // Nothing follows it until it has come.
  while (exchange.bodySoFar.length <= GZIP_HEAD_BYTES) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  next.resolve();
  const { bytes } = await exchange.response;
  assert.equal(zlib.gunzipSync(bytes).toString(), "data: first\n\ndata: second\n\n");
});

test("compress: a body that flows is not flushed", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const service: FakeService = () => ({
    headers: { "content-type": "text/plain" },
    body: (async function* () {
      for (let count = 0; count < 20; count++) yield await Promise.resolve(text);
    })(),
  });
  await using subject = await testPolicy(compress, {}, { service });
  const { bytes } = await subject.request({ headers: { "accept-encoding": "gzip" } });
  assert.equal(bytes.length, zlib.gzipSync(long, { level: 5 }).length);
});

test("compress: beyond its number of longer bodies the next pass as they are, until one is over", async () => {
  const go = Promise.withResolvers<void>();
  const service: FakeService = ({ path }) => ({
    headers: { "content-type": "text/plain" },
    body: (async function* () {
      yield text;
      if (path === "/slow") await go.promise;
      yield text;
    })(),
  });
  await using subject = await testPolicy(compress, { concurrentMax: 1 }, { service });
  const headers = { "accept-encoding": "gzip" };
  const slow = subject.gateway.start({ path: "/slow", headers });
  await slow.head;
  const second = await subject.request({ headers });
  assert.deepEqual([second.headers["content-encoding"], second.results], [undefined, { busy: 1 }]);
  go.resolve();
  await slow.response;
  assert.equal((await subject.request({ headers })).headers["content-encoding"], "gzip");
});

const cookie = { cookie: "session=1" };
const asked: [what: string, headers: Record<string, string>, coding: string | undefined][] = [
  [
    "a page of another site, with cookies",
    { ...cookie, "sec-fetch-site": "cross-site" },
    undefined,
  ],
  ["a page of a sibling", { ...cookie, "sec-fetch-site": "same-site" }, undefined],
  ["a page that hides itself", { ...cookie }, undefined],
  ["a page of another site, with a password", { authorization: "Basic eDp5" }, undefined],
  ["another site's page, told by Referer", { ...cookie, referer: "http://evil.test/" }, undefined],
  ["a page of another site, without cookies", { "sec-fetch-site": "cross-site" }, "gzip"],
  ["an own page", { ...cookie, "sec-fetch-site": "same-origin" }, "gzip"],
  ["the user", { ...cookie, "sec-fetch-site": "none" }, "gzip"],
  ["whoever has no credentials", {}, "gzip"],
];

for (const [what, headers, coding] of asked) {
  test(`compress: without crossSite, ${what} gets ${coding ?? "it uncompressed"}`, async () => {
    await using subject = await testPolicy(
      compress,
      { crossSite: false },
      { service: serving(plain) },
    );
    const all = { "accept-encoding": "gzip", ...headers };
    const got = await subject.request({ headers: all });
    assert.equal(got.headers["content-encoding"], coding);
    assert.equal(got.headers["vary"], "Accept-Encoding");
  });
}

test("compress: without crossSite, who is known by something else than a header counts too", async () => {
  const service = serving(plain);
  await using subject = await testPolicy(compress, { crossSite: false }, { service });
  const identity = { subject: "anna", method: "mtls" };
  const headers = { "accept-encoding": "gzip" };
  const got = await subject.request({ headers, identity });
  assert.equal(got.headers["content-encoding"], undefined);
});

test("compress: before a policy that reads bodies, its order is told", () => {
  const options = compress.schema.parse({});
  const check = (name: string) =>
    compress.check!(options, { earlier: [{ name, provides: [] }] } as never).length;
  assert.deepEqual([check("body"), check("cors")], [1, 0]);
});
