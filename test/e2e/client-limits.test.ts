/** Limits and deadlines of clients, and what the gateway's own answers look like. */
import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultName } from "../../src/base/faults.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { assertProblem } from "../support/problem.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue } from "../support/raw-message.ts";
import { plainResponse } from "../support/raw-server.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";

const shared = fileCleanup();
/** So that deadlines of 300 ms are seen to be not too early; too late is what no test waits for. */
const soonest = 290;

describe("limits of clients", () => {
  let gateway: Gateway;
  /** With short deadlines, for the tests of these: any other would now and then meet one on a busy machine. */
  let hurried: Gateway;
  let service: ScriptedService;

  before(async () => {
    service = await startScriptedService(shared);
    const config = {
      limits: {
        headBytes: "4kb",
        uriBytes: "1kb",
        headerCount: 20,
        bodyBytes: "100kb",
        connectionRequests: 5,
        connections: 8,
      },
      services: { raw: service.url },
      routes: [
        { match: "/a", service: "raw" },
        { match: "/a/*", service: "raw" },
        { match: "GET,POST /own", respond: { body: "own" } },
        { match: "DELETE /own/:id", respond: { status: 204 } },
      ],
    };
    gateway = await startGateway(shared, config);
    const timeouts = { head: "300ms", body: "300ms", idle: "400ms" };
    hurried = await startGateway(shared, { ...config, timeouts });
  });

  afterEach(async () => await service.clear());

  const request = (start: string, ...lines: string[]): string =>
    [`${start} HTTP/1.1`, "Host: x", ...lines, "", ""].join("\r\n");

  const assertUsable = async (client: RawConnection): Promise<void> => {
    await client.send(request("GET /own"));
    assert.equal((await client.readResponse()).body.toString(), "own");
  };

  /** Answered with a fault, and closed after it in a way that leaves the answer readable. */
  const assertRefused = async (
    client: RawConnection,
    status: number,
    name: FaultName,
  ): Promise<void> => {
    const response = await client.readResponse();
    assertProblem(response, status, name);
    assert.equal(headerValue(response, "connection"), "close");
    assert.equal(await client.readEnd(), "end");
  };

  const big = "x".repeat(5000);
  const many = Array.from({ length: 21 }, (_, index) => `X-${index}: 1`);
  const tooLarge: readonly (readonly [string, string, number, FaultName])[] = [
    ["one field too long", request("GET /a", `X-Big: ${big}`), 431, "headers-too-large"],
    [
      "a field without end",
      `GET /a HTTP/1.1\r\nHost: x\r\nX: ${big}${big}`,
      431,
      "headers-too-large",
    ],
    ["too many fields", request("GET /a", ...many), 431, "headers-too-large"],
    ["too long a target", request(`GET /${big.slice(0, 1100)}`), 414, "uri-too-long"],
    ["a target without end", `GET /${big}`, 414, "uri-too-long"],
    ["a method without end", "X".repeat(5000), 400, "malformed-request"],
    [
      "a body known to be too large",
      request("POST /a", "Content-Length: 200000"),
      413,
      "body-too-large",
    ],
  ];
  for (const [what, bytes, status, name] of tooLarge) {
    test(`size: ${what} is a ${status}, whole or trickled, and nothing of it reaches a service`, async (t) => {
      const client = await rawConnect(t, gateway.port);
      await client.send(bytes);
      await assertRefused(client, status, name);
      const trickling = await rawConnect(t, gateway.port);
      await trickling.sendCut(bytes, ...Array.from({ length: 10 }, (_, at) => (at + 1) * 100));
      await assertRefused(trickling, status, name);
      assert.equal(service.connections.length, 0);
    });
  }

  test("size: chunks that add up to too much are a 413, and the service is left without an end", async (t) => {
    const client = await rawConnect(t, gateway.port);
    await client.send(request("POST /a", "Transfer-Encoding: chunked"));
    const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
    await client.send(chunk);
    await service.reached("Transfer-Encoding");
    for (let sent = 1; sent < 10; sent++) await client.send(chunk);
    await assertRefused(client, 413, "body-too-large");
    assert.notEqual(await service.connections[0]!.readEnd(), undefined);
    assert.ok(!service.connections[0]!.received.toString().endsWith("0\r\n\r\n"));
  });

  test("size: what is just within the limits passes", async (t) => {
    service.script = async (connection) => {
      for (;;) {
        const { body } = await connection.readRequest();
        await connection.send(plainResponse(String(body.length)));
      }
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(request(`GET /a/${"x".repeat(1000)}`, `X-Big: ${"x".repeat(2900)}`));
    assert.equal((await client.readResponse()).body.toString(), "0");
    await client.send(request("GET /a", ...many.slice(0, 19)));
    assert.equal((await client.readResponse()).body.toString(), "0");
    const body = "x".repeat(100 * 1024);
    await client.send(request("POST /a", `Content-Length: ${body.length}`) + body);
    assert.equal((await client.readResponse()).body.toString(), String(body.length));
  });

  test("time: a head that trickles in is a 408, however busy it is", async (t) => {
    const start = performance.now();
    const client = await rawConnect(t, hurried.port);
    await client.send("GET /a HTTP/1.1\r\nHost: x\r\n");
    const timer = setInterval(() => void client.send("X-More: 1\r\n"), 50);
    t.after(() => clearInterval(timer));
    assertProblem(await client.readResponse(), 408, "request-timeout");
    assert.ok(performance.now() - start > soonest);
  });

  test("time: a body that stops coming is a 408, and the service is left", async (t) => {
    const client = await rawConnect(t, hurried.port);
    await client.send(request("POST /a", "Content-Length: 9") + "abc");
    await service.reached("abc");
    await assertRefused(client, 408, "request-timeout");
    assert.equal(await service.connections[0]!.readEnd(), "end");
  });

  test("time: a body that keeps coming may take as long as it likes", async (t) => {
    service.script = async (connection) => {
      const { body } = await connection.readRequest();
      await connection.send(plainResponse(body.toString()));
    };
    const client = await rawConnect(t, hurried.port);
    await client.send(request("POST /a", "Content-Length: 8"));
    for (let sent = 0; sent < 8; sent++) {
      await sleep(80);
      await client.send(String(sent));
    }
    assert.equal((await client.readResponse()).body.toString(), "01234567");
  });

  test("time: a connection without a request is closed, be it the first or a further one", async (t) => {
    const start = performance.now();
    const fresh = await rawConnect(t, hurried.port);
    const used = await rawConnect(t, hurried.port);
    await assertUsable(used);
    assert.equal(await fresh.readEnd(), "end");
    assert.ok(performance.now() - start > soonest);
    assert.equal(await used.readEnd(), "end");
    assert.ok(performance.now() - start > soonest + 100);
    assert.equal(fresh.received.length, 0);
  });

  test("time: a request whose answer takes long is not idle", async (t) => {
    service.script = async (connection) => {
      await connection.readRequest();
      await sleep(800);
      await connection.send(plainResponse("late"));
    };
    const client = await rawConnect(t, hurried.port);
    await client.send(request("GET /a"));
    assert.equal((await client.readResponse()).body.toString(), "late");
    await assertUsable(client);
  });

  test("requests: the last that a connection may carry announces the end", async (t) => {
    const client = await rawConnect(t, gateway.port);
    await client.send(request("GET /own").repeat(7));
    for (let count = 1; count <= 5; count++) {
      const response = await client.readResponse();
      assert.equal(headerValue(response, "connection"), count === 5 ? "close" : undefined);
    }
    assert.equal(await client.readEnd(), "end");
    assert.equal(client.unread.length, 0);
  });

  test("connections: one too many is a 503, and one that leaves makes room", async (t) => {
    const clients: RawConnection[] = [];
    for (let count = 0; count < 8; count++) {
      const client = await rawConnect(t, gateway.port);
      clients.push(client);
      await assertUsable(client);
    }
    // What it asks is there before it is accepted: to close on that unread would be a reset.
    gateway.child.kill("SIGSTOP");
    const refused = await rawConnect(t, gateway.port);
    await refused.send(request("GET /own"));
    gateway.child.kill("SIGCONT");
    await assertRefused(refused, 503, "too-many-connections");
    clients[0]!.end();
    await clients[0]!.readEnd();
    await assertUsable(await rawConnect(t, gateway.port));
  });

  const answered: readonly (readonly [string, string, number, FaultName])[] = [
    ["a path that no route has", request("GET /own/1/2"), 404, "no-route"],
    ["a path with a broken escape", request("GET /%zz"), 400, "bad-path"],
  ];
  for (const [what, bytes, status, name] of answered) {
    test(`answers: ${what} is a ${status}, and the connection goes on`, async (t) => {
      const client = await rawConnect(t, gateway.port);
      await client.send(bytes);
      const response = await client.readResponse();
      assertProblem(response, status, name);
      assert.equal(headerValue(response, "connection"), undefined);
      await assertUsable(client);
    });
  }

  test("answers: 405 names the methods that would do, 404 does not", async (t) => {
    const client = await rawConnect(t, gateway.port);
    await client.send(request("DELETE /own"));
    const response = await client.readResponse();
    assertProblem(response, 405, "method-not-allowed");
    assert.deepEqual(headerValue(response, "allow")?.split(", ").sort(), ["GET", "HEAD", "POST"]);
    await assertUsable(client);
  });

  test("answers: to HEAD they have the fields of an answer to GET, and no body", async (t) => {
    const client = await rawConnect(t, gateway.port);
    await client.send(request("HEAD /own/1"));
    const response = await client.readResponse({ responseTo: "HEAD" });
    assert.equal(headerValue(response, "content-type"), "application/problem+json");
    assert.ok(Number(headerValue(response, "content-length")) > 100);
    await assertUsable(client);
  });

  test("answers: a fault with a small body behind it is followed by the next request", async (t) => {
    const client = await rawConnect(t, gateway.port);
    await client.send(request("POST /own/1", "Content-Length: 3") + "abc" + request("GET /own"));
    assertProblem(await client.readResponse(), 405, "method-not-allowed");
    assert.equal((await client.readResponse()).body.toString(), "own");
  });

  test("answers: a head that is refused after a response in chunks is answered without them", async (t) => {
    service.script = async (connection) => {
      for (;;) {
        await connection.readRequest();
        await connection.send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        );
      }
    };
    for (const refused of ["nonsense\r\n\r\n", "GET /a HTTP/1.1\r\nHos"]) {
      const isTooSlow = refused.startsWith("GET");
      const client = await rawConnect(t, (isTooSlow ? hurried : gateway).port);
      await client.send(request("GET /a"));
      assert.equal((await client.readResponse()).body.toString(), "abc");
      await client.send(refused);
      if (isTooSlow) await assertRefused(client, 408, "request-timeout");
      else await assertRefused(client, 400, "malformed-request");
    }
  });

  test("answers: a malformed chunk ends the connection after the answer", async (t) => {
    const client = await rawConnect(t, gateway.port);
    await client.send(request("POST /a", "Transfer-Encoding: chunked") + "3\r\nabc\r\n");
    await service.reached("abc");
    await client.send("zz\r\n");
    await assertRefused(client, 400, "malformed-request");
    assert.equal(await service.connections[0]!.readEnd(), "end");
  });
});
