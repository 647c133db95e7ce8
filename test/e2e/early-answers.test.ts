/** Services that answer before they have read the request, and what becomes of the rest of it. */
import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { assertProblem } from "../support/problem.ts";
import { rawConnect } from "../support/raw-client.ts";
import { headerValue } from "../support/raw-message.ts";
import { plainResponse } from "../support/raw-server.ts";
import type { RawScript } from "../support/raw-server.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;

describe("early answers", () => {
  let gateway: Gateway;
  let service: ScriptedService;

  before(async () => {
    service = await startScriptedService(shared);
    gateway = await startGateway(shared, {
      limits: { bodyBytes: "20mb" },
      services: { raw: service.url },
      routes: [
        { match: "/*", service: "raw" },
        { match: "/own", respond: { body: "own" } },
      ],
    });
  });

  afterEach(async () => await service.clear());

  /** Answers as soon as the head is there, and reads on. */
  const early =
    (answer: string): RawScript =>
    async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send(answer);
    };

  const post = (path: string, length: number): string =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

  test("a small rest of the body is read past, and the connection carries the next request", async (t) => {
    service.script = early(plainResponse("enough", "403 Forbidden"));
    const client = await rawConnect(t, gateway.port);
    await client.send(post("/a", 40_000));
    await client.send("x".repeat(1000));
    const response = await client.readResponse();
    assert.equal(response.status, 403);
    assert.equal(headerValue(response, "connection"), undefined);
    await client.send("x".repeat(39_000) + "GET /own HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).body.toString(), "own");
    // The service was sent half a request: its connection carries nothing else.
    assert.equal(await service.connections[0]!.readEnd(), "end");
  });

  test("a small rest that does not come ends the connection after timeouts.body", async (t) => {
    service.script = early(plainResponse("enough", "403 Forbidden"));
    const hurried = await startGateway(t, {
      timeouts: { body: "300ms" },
      services: { raw: service.url },
      routes: [{ match: "/*", service: "raw" }],
    });
    const client = await rawConnect(t, hurried.port);
    await client.send(post("/a", 40_000));
    assert.equal((await client.readResponse()).status, 403);
    await client.readEnd();
  });

  test("a large rest is read past too, so that a client that writes first and reads later has its answer", async (t) => {
    service.script = early(plainResponse("enough", "403 Forbidden"));
    const client = await rawConnect(t, gateway.port);
    client.pause();
    await client.send(post("/a", 16 * MB));
    await client.send(Buffer.alloc(16 * MB));
    client.resume();
    const response = await client.readResponse();
    assert.equal(response.status, 403);
    assert.equal(headerValue(response, "connection"), "close");
    assert.equal(await client.readEnd(), "end");
  });

  test("of chunks nobody knows how many follow: the connection closes after the answer", async (t) => {
    service.script = early(plainResponse("enough", "403 Forbidden"));
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    const response = await client.readResponse();
    assert.equal(response.status, 403);
    assert.equal(headerValue(response, "connection"), "close");
    assert.equal(await client.readEnd(), "end");
  });

  test("a service that answers and resets at once: its answer still arrives", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send(plainResponse("too much", "413 Content Too Large"));
      connection.reset();
    };
    for (let round = 0; round < 10; round++) {
      const client = await rawConnect(t, gateway.port);
      await client.send(post("/a", 8 * MB));
      void client.send(Buffer.alloc(8 * MB));
      const response = await client.readResponse();
      assert.equal(response.status, 413);
      assert.equal(response.body.toString(), "too much");
    }
  });

  test("a service that breaks off its early answer: the client sees that it is not whole", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
      await client.readUntil("abc");
      connection.reset();
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(post("/a", 1 * MB));
    assert.equal(await client.readEnd(), "reset");
  });

  test("a service that resets while the body is on its way: a 502, and a small rest is read past", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      connection.reset();
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(post("/a", 1000) + "abc");
    assertProblem(await client.readResponse(), 502, "upstream-reset");
    await client.send("x".repeat(997) + "GET /own HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).body.toString(), "own");
  });

  test("an answer of the gateway's own: the body behind it is no request", async (t) => {
    const client = await rawConnect(t, gateway.port);
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    await client.send(
      post("/own", smuggled.length) + smuggled + "GET /own HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert.equal((await client.readResponse()).body.toString(), "own");
    assert.equal((await client.readResponse()).body.toString(), "own");
    assert.equal(service.connections.length, 0);
  });

  test("an expectation that is not met: no byte after the answer is taken for the body", async (t) => {
    for (const expectation of ["100-continue", "200-ok"]) {
      const client = await rawConnect(t, gateway.port);
      await client.send(
        `POST /own HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: ${expectation}\r\n\r\n`,
      );
      const response = await client.readResponse();
      assert.equal(headerValue(response, "connection"), "close");
      assert.equal(await client.readEnd(), "end");
    }
  });

  test("both ways at once: a service may stream its answer while it reads the body", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let count = 0; count < 5; count++) {
        await connection.readUntil(`ping${count}`);
        await connection.send(`5\r\npong${count}\r\n`);
      }
      await connection.readUntil("0\r\n\r\n");
      await connection.send("0\r\n\r\n");
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let count = 0; count < 5; count++) {
      await client.send(`5\r\nping${count}\r\n`);
      await client.readUntil(`pong${count}`);
    }
    await client.send("0\r\n\r\n");
    await client.readUntil("0\r\n\r\n");
  });
});
