/** Bodies in fewer bytes, to and from real clients and services. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import type { Readable, Transform } from "node:stream";
import { before, describe, test } from "node:test";
import * as zlib from "node:zlib";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { drink, Pour } from "../support/pour.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
/** Far more than waits for collection at any time. */
const LARGE_BYTES = 200 * MB;

const decoders: Record<string, () => Transform> = {
  gzip: () => zlib.createGunzip(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress(),
};

interface Asked {
  headers: Readonly<Record<string, unknown>>;
  body: Readable;
  close(): void;
}

type Ask = (gateway: Gateway, path: string, headers: Record<string, string>) => Promise<Asked>;

const askers: Record<string, Ask> = {
  async "HTTP/1.1"(gateway, path, headers) {
    const asked = request({ port: gateway.port, host: "127.0.0.1", path, headers, agent: false });
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    return { headers: response.headers, body: response, close: () => void asked.destroy() };
  },
  async "HTTP/2"(gateway, path, headers) {
    const session = connect(gateway.url);
    const stream = session.request({ ":path": path, ...headers });
    const [got] = (await once(stream, "response")) as [Record<string, unknown>];
    return { headers: got, body: stream, close: () => session.destroy() };
  },
};

describe("compress and decompress", () => {
  let gateway: Gateway;
  /** Has the service say the rest of `/pausing`. */
  let goOn = () => {};

  before(async () => {
    const service = await startHttpService(shared, {
      answer: (asked, response, seen) => {
        response.on("error", () => {});
        if (asked.url === "/large") {
          response.setHeader("content-type", "text/plain");
          new Pour(response, LARGE_BYTES);
        } else if (asked.url === "/pausing") {
          response.setHeader("content-type", "text/plain");
          response.write("first part");
          goOn = () => response.end(", second part");
        } else {
          response.setHeader("content-type", "application/json");
          response.end(JSON.stringify({ ...seen, filler: "x".repeat(2000) }));
        }
      },
    });
    gateway = await startGateway(shared, {
      services: { one: service.url },
      routes: [{ match: "/*", service: "one", policies: ["compress", "decompress"] }],
    });
  });

  const headers = { "accept-encoding": "gzip" };

  test("HTTP/1.1: a large response is compressed as it comes, in little memory", async () => {
    const atFirst = await memoryBytes(gateway);
    const asked = request({ port: gateway.port, host: "127.0.0.1", path: "/large", headers });
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    assert.equal(response.headers["content-encoding"], "gzip");
    const { bytes } = await drink(response.pipe(zlib.createGunzip()));
    assert.equal(bytes, LARGE_BYTES);
    const grown = (await memoryBytes(gateway)) - atFirst;
    assert.ok(grown < LARGE_BYTES / 2, `${grown} bytes more`);
  });

  test("HTTP/2: the same", async () => {
    const session = connect(gateway.url);
    const stream = session.request({ ":path": "/large", ...headers });
    const [got] = (await once(stream, "response")) as [Record<string, string>];
    assert.equal(got["content-encoding"], "gzip");
    assert.equal((await drink(stream.pipe(zlib.createGunzip()))).bytes, LARGE_BYTES);
    session.destroy();
  });

  for (const [coding, start] of Object.entries(decoders)) {
    for (const [protocol, ask] of Object.entries(askers)) {
      test(`${protocol}: what the service said before it pauses can be read meanwhile (${coding})`, async () => {
        const asked = await ask(gateway, "/pausing", { "accept-encoding": coding });
        assert.equal(asked.headers["content-encoding"], coding);
        const decoder = asked.body.pipe(start());
        let text = "";
        // The rest is sent for this part alone.
        decoder.on("data", (piece: Buffer) => {
          text += piece.toString();
          if (text === "first part") goOn();
        });
        await once(decoder, "end");
        assert.equal(text, "first part, second part");
        asked.close();
      });
    }
  }

  test("a small answer keeps a length, and a compressed request arrives decoded", async () => {
    const body = zlib.gzipSync("what is sent");
    const response = await fetch(gateway.url, {
      method: "POST",
      headers: { ...headers, "content-encoding": "gzip" },
      body,
    });
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.notEqual(response.headers.get("content-length"), null);
    assert.equal(((await response.json()) as { bodyBytes: number }).bodyBytes, 12);
  });

  test("a bomb is refused, whatever it says of its length", async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(64 * MB));
    for (const told of [true, false]) {
      const asked = request({
        port: gateway.port,
        host: "127.0.0.1",
        method: "POST",
        headers: { "content-encoding": "gzip", ...(told && { "content-length": bomb.length }) },
      });
      asked.on("error", () => {});
      asked.end(bomb);
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      assert.equal(response.statusCode, 413);
      response.resume();
    }
  });
});
