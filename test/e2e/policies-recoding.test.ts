/** What compress and decompress make of heads and of broken bodies, with cache and with clients that leave. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { before, describe, test } from "node:test";
import * as zlib from "node:zlib";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService, type HttpService } from "../support/http-service.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { metricValue } from "../support/metric-value.ts";
import { drink, Pour } from "../support/pour.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
const text = "a text that repeats itself; ".repeat(100);
const plain = { "content-type": "text/plain", etag: '"one"' };

interface Told {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
  isChunked?: boolean;
}

/** What the service answers, by path. */
const answers: Record<string, Told> = {
  "/plain": { headers: plain },
  "/origin": { headers: { ...plain, vary: "Origin" } },
  "/said": { headers: { ...plain, vary: "accept-encoding" } },
  "/star": { headers: { ...plain, vary: "*" } },
  "/weak": { headers: { ...plain, etag: 'W/"one"' } },
  "/ranges": { headers: { ...plain, "accept-ranges": "bytes" } },
  "/part": { status: 206, headers: { ...plain, "content-range": "bytes 0-2799/5000" } },
  "/none": { status: 204, headers: plain },
  "/unchanged": { status: 304, headers: plain },
  "/kept": { headers: { ...plain, "cache-control": "no-transform" } },
  "/encoded": { headers: { ...plain, "content-encoding": "br" }, body: "as if" },
  "/image": { headers: { "content-type": "image/png" } },
  "/short": { headers: plain, body: "short" },
  "/chunked": { headers: plain, body: "short", isChunked: true },
  "/cached": { headers: { ...plain, "cache-control": "max-age=60" } },
  "/gzipped": {
    headers: { ...plain, "content-encoding": "gzip" },
    body: Buffer.concat([zlib.gzipSync(text), zlib.gzipSync("!")]),
  },
  "/garbled": { headers: { ...plain, "content-encoding": "zstd" }, body: "not zstd" },
};

/** Fills no compressor's window twice, so that it stays as long as it is. */
const incompressible = randomBytes(256 * 1024);

describe("compress and decompress, beside others", () => {
  let gateway: Gateway;
  let service: HttpService;
  let pour: Pour;

  before(async () => {
    service = await startHttpService(shared, {
      answer: ({ url = "" }, response, seen) => {
        response.on("error", () => {});
        const path = url.replace(/^\/(few|outer|inner|back)\//, "/");
        if (path === "/large") {
          response.setHeader("content-type", "text/plain");
          pour = new Pour(response, 100 * MB, incompressible);
          return;
        }
        const told = answers[path] ?? { headers: {}, body: JSON.stringify(seen) };
        const { status = 200, headers = {}, body = text, isChunked = false } = told;
        const hasBody = status !== 204 && status !== 304;
        const length = hasBody && !isChunked ? { "content-length": Buffer.byteLength(body) } : {};
        response.writeHead(status, { ...headers, ...length });
        response.end(hasBody ? body : undefined);
      },
    });
    gateway = await startGateway(shared, {
      services: { one: service.url },
      routes: [
        { match: "/*", service: "one", policies: ["compress", "decompress"] },
        { match: "/few/*", service: "one", policies: [{ compress: { concurrentMax: 2 } }] },
        { match: "/outer/*", service: "one", policies: ["compress", "cache"] },
        { match: "/inner/*", service: "one", policies: ["cache", "compress"] },
        {
          match: "/back/*",
          service: "one",
          policies: ["compress", { decompress: { responses: true } }],
        },
      ],
    });
  });

  /** By HTTP/1.1; the body as it was sent. */
  async function fetchRaw(path: string, headers: Record<string, string> = {}, body?: Buffer) {
    const method = body === undefined ? "GET" : "POST";
    const asked = request({ port: gateway.port, host: "127.0.0.1", path, headers, method });
    asked.on("error", () => {});
    asked.end(body);
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const pieces: Buffer[] = [];
    response.on("data", (piece: Buffer) => pieces.push(piece));
    response.on("error", () => {});
    await new Promise((resolve) => response.once("close", resolve));
    const { statusCode: status, headers: got, complete: isWhole } = response;
    return { status, headers: got, isWhole, bytes: Buffer.concat(pieces) };
  }

  const wished: [accepted: string, coding: string | undefined][] = [
    ["gzip;q=0.5, br;q=0.8", "br"],
    ["gzip, br;q=0.999", "gzip"],
    ["gzip;q=0.001", "gzip"],
    ["identity, gzip;q=0.5", undefined],
    ["identity;q=0", undefined],
    ["identity;q=0, *", "zstd"],
    ["*", "zstd"],
    ["*;q=0", undefined],
    ["zstd;q=0, *", "br"],
    ["zstd;q=0, br;q=0, *;q=0.1", "gzip"],
    ["GZip", "gzip"],
    ["x-gzip", "gzip"],
    ["gzip;q=2", undefined],
    ["deflate, compress", undefined],
    ["", undefined],
  ];
  for (const protocol of protocols) {
    test(`${protocol}: the coding is what the client likes best`, async () => {
      for (const [accepted, coding] of wished) {
        const headers = { "accept-encoding": accepted };
        const got = await ask(gateway.port, protocol, { path: "/plain", headers });
        assert.equal(got.headers["content-encoding"], coding, accepted);
        assert.equal(got.headers["vary"], "Accept-Encoding", accepted);
        assert.equal(got.headers["etag"], coding === undefined ? '"one"' : 'W/"one"', accepted);
      }
    });

    test(`${protocol}: HEAD is told what GET is, without a length or a body`, async () => {
      const headers = { "accept-encoding": "gzip" };
      const got = await ask(gateway.port, protocol, { method: "HEAD", path: "/plain", headers });
      assert.deepEqual([got.status, got.body, got.headers["content-length"]], [200, "", undefined]);
      assert.equal(got.headers["content-encoding"], "gzip");
      assert.equal(got.headers["vary"], "Accept-Encoding");
    });
  }

  const heads: [path: string, encoding: string | undefined, others: Record<string, unknown>][] = [
    ["/origin", "gzip", { vary: "Origin, Accept-Encoding" }],
    ["/said", "gzip", { vary: "accept-encoding" }],
    ["/star", "gzip", { vary: "*" }],
    ["/weak", "gzip", { etag: 'W/"one"' }],
    ["/ranges", "gzip", { "accept-ranges": undefined }],
    [
      "/part",
      undefined,
      { etag: '"one"', "content-range": "bytes 0-2799/5000", vary: "Accept-Encoding" },
    ],
    ["/none", undefined, { etag: '"one"', vary: undefined }],
    ["/unchanged", undefined, { etag: 'W/"one"' }],
    ["/kept", undefined, { etag: '"one"', vary: undefined }],
    ["/encoded", "br", { etag: '"one"', vary: undefined }],
    ["/image", undefined, { vary: undefined }],
    ["/short", undefined, { "content-length": "5", vary: undefined }],
    ["/chunked", "gzip", { vary: "Accept-Encoding" }],
  ];
  test("heads: each answer says what is true of its body", async () => {
    for (const [path, encoding, others] of heads) {
      const { headers } = await fetchRaw(path, { "accept-encoding": "gzip", range: "bytes=0-" });
      assert.equal(headers["content-encoding"], encoding, path);
      for (const [name, value] of Object.entries(others)) {
        assert.equal(headers[name], value, `${path}: ${name}`);
      }
    }
  });

  test("clients that leave: their compressors are free again", async () => {
    const headers = { "accept-encoding": "gzip" };
    const path = "/few/large";
    for (let count = 0; count < 10; count++) {
      const asked = request({ port: gateway.port, host: "127.0.0.1", path, headers });
      asked.on("error", () => {});
      asked.end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      response.on("error", () => {});
      assert.equal(response.headers["content-encoding"], "gzip", `client ${count}`);
      await once(response, "readable");
      asked.destroy();
      // The service sees it once the gateway has.
      await pour.done.catch(() => {});
    }
    assert.equal(
      await metricValue(gateway, "gateward_policy_results_total", { result: "busy" }),
      0,
    );
  });

  test("a slow client: the service waits for it, and little is kept meanwhile", async () => {
    const atFirst = await memoryBytes(gateway);
    const headers = { "accept-encoding": "gzip" };
    const asked = request({ port: gateway.port, host: "127.0.0.1", path: "/large", headers });
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    await pour.stuck;
    const grown = (await memoryBytes(gateway)) - atFirst;
    assert.ok(pour.takenBytes < 50 * MB, `${pour.takenBytes} bytes were taken`);
    assert.ok(grown < 50 * MB, `${grown} bytes more`);
    const { bytes, hash } = await drink(response.pipe(zlib.createGunzip()));
    assert.deepEqual([bytes, hash], [100 * MB, await pour.done]);
  });

  test("cache behind compress: one stored response is compressed for each who wants it", async () => {
    const count = () => service.seen.filter(({ url }) => url === "/outer/cached").length;
    const zipped = await fetchRaw("/outer/cached", { "accept-encoding": "gzip" });
    await until(async () => (await fetchRaw("/outer/cached")).headers["age"] !== undefined);
    const bare = await fetchRaw("/outer/cached");
    assert.equal(zlib.gunzipSync(zipped.bytes).toString(), text);
    assert.equal(bare.bytes.toString(), text);
    const brotli = await fetchRaw("/outer/cached", { "accept-encoding": "br" });
    assert.equal(zlib.brotliDecompressSync(brotli.bytes).toString(), text);
    assert.equal(count(), 1);
  });

  test("cache before compress: each gets what is stored for the likes of him", async () => {
    const count = () => service.seen.filter(({ url }) => url === "/inner/cached").length;
    for (let round = 0; round < 2; round++) {
      const zipped = await fetchRaw("/inner/cached", { "accept-encoding": "gzip" });
      assert.equal(zlib.gunzipSync(zipped.bytes).toString(), text);
      const bare = await fetchRaw("/inner/cached");
      assert.deepEqual(
        [bare.headers["content-encoding"], bare.bytes.toString()],
        [undefined, text],
      );
    }
    assert.equal(count(), 2);
  });

  test("decompress: what a service says is decoded, of several members too", async () => {
    const { headers, bytes } = await fetchRaw("/back/gzipped");
    assert.deepEqual([headers["content-encoding"], headers["etag"]], [undefined, 'W/"one"']);
    assert.equal(bytes.toString(), `${text}!`);
    const recoded = await fetchRaw("/back/gzipped", { "accept-encoding": "br" });
    assert.equal(zlib.brotliDecompressSync(recoded.bytes).toString(), `${text}!`);
  });

  test("decompress: a response that is not what it says never looks whole", async () => {
    const { isWhole, status } = await fetchRaw("/back/garbled").catch(() => ({
      isWhole: false,
      status: 0,
    }));
    assert.ok(!isWhole || status === 502, `status ${status}`);
  });

  const bomb = Buffer.alloc(32 * MB);
  const long = Buffer.from(randomBytes(3000).toString("base64"));
  const damaged = (bytes: Buffer): Buffer => {
    bytes[bytes.length >> 1]! ^= 0xff;
    return bytes;
  };
  const sent: [what: string, coding: string, body: Buffer, status: number][] = [
    ["a bomb", "gzip", zlib.gzipSync(bomb), 413],
    ["a bomb", "deflate", zlib.deflateSync(bomb), 413],
    ["a bomb", "br", zlib.brotliCompressSync(bomb, quick()), 413],
    ["a bomb", "zstd", zlib.zstdCompressSync(bomb), 413],
    ["a bomb in a bomb", "gzip, br", zlib.brotliCompressSync(zlib.gzipSync(bomb), quick()), 413],
    ["what is cut", "gzip", zlib.gzipSync(long).subarray(0, -4), 400],
    ["what is cut", "deflate", zlib.deflateSync(long).subarray(0, -4), 400],
    ["what is cut", "br", zlib.brotliCompressSync(long).subarray(0, -4), 400],
    ["what is cut", "zstd", zlib.zstdCompressSync(long).subarray(0, -4), 400],
    ["what is damaged", "gzip", damaged(zlib.gzipSync(long)), 400],
    ["what is damaged", "deflate", damaged(zlib.deflateSync(long)), 400],
    ["nothing but the header", "gzip", zlib.gzipSync("").subarray(0, 10), 400],
    ["a stream and garbage", "gzip", Buffer.concat([zlib.gzipSync(text), long]), 400],
    ["a stream and garbage", "deflate", Buffer.concat([zlib.deflateSync(text), long]), 400],
    ["a stream and garbage", "br", Buffer.concat([zlib.brotliCompressSync(text), long]), 400],
    ["a stream and garbage", "zstd", Buffer.concat([zlib.zstdCompressSync(text), long]), 400],
    ["two streams", "br", Buffer.concat([1, 2].map(() => zlib.brotliCompressSync(text))), 400],
    ["two members", "gzip", Buffer.concat([1, 2].map(() => zlib.gzipSync(text))), 200],
    ["two frames", "zstd", Buffer.concat([1, 2].map(() => zlib.zstdCompressSync(text))), 200],
  ];
  for (const [what, coding, body, status] of sent) {
    test(`decompress: ${what} of ${coding} is answered ${status}`, async () => {
      const asked = service.seen.length;
      const length = { "content-length": String(body.length) };
      const got = await fetchRaw("/echo", { "content-encoding": coding, ...length }, body);
      assert.equal(got.status, status);
      if (status !== 200) {
        assert.equal(service.seen.length, asked);
        return;
      }
      const seen = service.seen.at(-1)!;
      const decodedLength = String(2 * text.length);
      assert.equal(String(seen.bodyBytes), decodedLength);
      assert.deepEqual(
        seen.headers.filter(([name]) => /^content-(length|encoding)$/.test(name)),
        [["content-length", decodedLength]],
      );
    });
  }
});

/** Brotli's best level takes seconds for so much. */
function quick(): zlib.BrotliOptions {
  return { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };
}
