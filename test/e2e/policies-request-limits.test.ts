/** Limits of a route's own, with bodies that come in pieces and clients that try to get around them. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService, SeenRequest } from "../support/http-service.ts";
import { rawConnect } from "../support/raw-client.ts";

const shared = fileCleanup();
const KB = 1024;

describe("request-limits", () => {
  let gateway: Gateway;
  let service: HttpService;

  before(async () => {
    service = await startHttpService(shared);
    const limits = (options: Record<string, unknown>) => [{ "request-limits": options }];
    gateway = await startGateway(shared, {
      limits: { bodyBytes: "32kb" },
      services: { echo: service.url },
      routes: [
        { match: "/plain", service: "echo" },
        { match: "/small", service: "echo", policies: limits({ bodyMax: "1kb" }) },
        { match: "/large", service: "echo", policies: limits({ bodyMax: "256kb" }) },
        { match: "/any", service: "echo", policies: limits({ bodyMax: "none" }) },
        { match: "/told", service: "echo", policies: limits({ requireLength: true }) },
        { match: "/json", service: "echo", policies: limits({ contentTypes: "application/json" }) },
        {
          match: "/nested",
          service: "echo",
          policies: [...limits({ bodyMax: "1kb" }), ...limits({ bodyMax: "2kb", uriMax: 20 })],
        },
        {
          match: "/own",
          respond: { body: "own" },
          policies: limits({ bodyMax: "1kb" }),
        },
      ],
    });
  });

  const pieces = (bytes: number) => {
    const piece = "x".repeat(KB);
    return Array.from({ length: bytes / KB }, () => piece);
  };

  for (const protocol of protocols) {
    const post = (path: string, body: string | string[], headers: Record<string, string> = {}) =>
      ask(gateway.port, protocol, { method: "POST", path, body, headers });

    for (const [path, most] of [
      ["/plain", 32 * KB],
      ["/small", KB],
      ["/large", 256 * KB],
      ["/nested", 2 * KB],
    ] as const) {
      test(`${protocol}: ${path}: a body at its limit passes, one beyond it does not, told or in pieces`, async () => {
        for (const body of ["x".repeat(most), pieces(most)]) {
          const { status, body: seen } = await post(path, body);
          assert.equal(status, 200, seen);
          assert.equal((JSON.parse(seen) as SeenRequest).bodyBytes, most);
        }
        for (const body of ["x".repeat(most + 1), pieces(most + KB)]) {
          const answer = await post(path, body);
          assert.equal(answer.status, 413);
          assert.match(answer.body, /problems\/body-too-large"/);
        }
      });
    }

    test(`${protocol}: where any length is allowed, the document's limit does not hold`, async () => {
      const { body } = await post("/any", pieces(512 * KB));
      assert.equal((JSON.parse(body) as SeenRequest).bodyBytes, 512 * KB);
    });

    test(`${protocol}: a route that no service answers has its limit too`, async () => {
      assert.equal((await post("/own", "x".repeat(KB))).status, 200);
      assert.equal((await post("/own", "x".repeat(KB + 1))).status, 413);
    });

    test(`${protocol}: a body of unknown length is refused where its length has to be told`, async () => {
      assert.equal((await post("/told", "x")).status, 200);
      assert.equal((await post("/told", "")).status, 200);
      assert.equal((await post("/told", ["x", "y"])).status, 411);
    });

    test(`${protocol}: a body of another type is refused before a byte of it is sent`, async () => {
      const count = service.seen.length;
      const json = { "content-type": "application/json; charset=utf-8" };
      assert.equal((await post("/json", "{}", json)).status, 200);
      const answer = await post("/json", ["{", "}"], { "content-type": "text/plain" });
      assert.equal(answer.status, 415);
      assert.equal(answer.headers["accept"], "application/json");
      assert.equal((await post("/json", "{}")).status, 415);
      assert.equal(service.seen.length, count + 1);
    });

    test(`${protocol}: an address that is too long is refused`, async () => {
      const { status, body } = await post("/nested?a=1234567890123", "");
      assert.equal(status, 414);
      assert.match(body, /"code":"uri"/);
    });
  }

  test("a service has not got the body whose last piece was too much", async (t) => {
    const count = service.seen.length;
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "POST /small HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    await client.send(`400\r\n${"x".repeat(KB)}\r\n1\r\ny\r\n0\r\n\r\n`);
    assert.equal((await client.readResponse()).status, 413);
    await client.readEnd();
    assert.equal(service.seen.length, count);
  });

  test("a length that is a lie is refused by what it says, whatever follows", async (t) => {
    const client = await rawConnect(t, gateway.port);
    await client.send("POST /small HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1025\r\n\r\n");
    assert.equal((await client.readResponse()).status, 413);
  });
});
