/** What clients get when services break off, stall, or answer with what is not HTTP. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { FaultName } from "../../src/base/faults.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { Pour } from "../support/pour.ts";
import { assertProblem } from "../support/problem.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue, readResponse } from "../support/raw-message.ts";
import { plainResponse } from "../support/raw-server.ts";
import type { RawScript } from "../support/raw-server.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";

const shared = fileCleanup();

describe("services that fail", () => {
  let gateway: Gateway;
  let service: ScriptedService;

  before(async () => {
    service = await startScriptedService(shared);
    const timeout = { connect: "300ms", request: "500ms", response: "300ms", idle: "300ms" };
    const mute = await startScriptedService(shared);
    gateway = await startGateway(shared, {
      timeouts: { body: "10s" },
      services: {
        raw: service.url,
        // Of its own, so that no other test is cut short where the machine is busy.
        hurried: { targets: [service.url], timeout },
        refusing: `http://127.0.0.1:${await freePort()}`,
        // Accepts connections and never says a word of TLS.
        mute: { targets: [mute.url.replace("http:", "https:")], timeout },
        brief: { targets: [service.url], timeout: { total: "300ms", response: "10s" } },
      },
      routes: [
        { match: "/*", service: "raw" },
        { match: "/hurried", service: "hurried" },
        { match: "/refusing", service: "refusing" },
        { match: "/mute", service: "mute" },
        { match: "/brief/*", service: "brief" },
      ],
    });
  });

  afterEach(async () => await service.clear());

  after(async () => {
    assert.equal(await metricValue(gateway, "gateward_in_flight_requests"), 0);
  });

  const connect = async (t: Parameters<typeof rawConnect>[0]) => await rawConnect(t, gateway.port);

  /** A script that reads a request, then does as told. */
  const onRequest =
    (answer: (connection: RawConnection) => Promise<void>): RawScript =>
    async (connection) => {
      await connection.readRequest();
      await answer(connection);
    };

  /** The next request on that connection is served: the fault before has not cost it. */
  const assertServes = async (client: RawConnection): Promise<void> => {
    service.script = onRequest((connection) => connection.send(plainResponse("fine")));
    await client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).body.toString(), "fine");
  };

  /** What came is not a whole response, and no client can take it for one. */
  const assertBroken = async (client: RawConnection, body: string): Promise<void> => {
    const end = await client.readEnd();
    assert.ok(client.received.toString("latin1").endsWith(body), client.received.toString());
    if (end === "end") assert.equal(readResponse(client.received, { ended: true }), undefined);
  };

  const heads: readonly (readonly [string, string, "end" | "reset"])[] = [
    ["resets before a head", "", "reset"],
    ["ends before a head", "", "end"],
    ["resets within a head", "HTTP/1.1 200 OK\r\nContent-", "reset"],
    ["ends within a head", "HTTP/1.1 200 OK\r\nContent-", "end"],
    ["ends after an interim head", "HTTP/1.1 103 Early Hints\r\n\r\n", "end"],
  ];
  for (const [what, bytes, how] of heads) {
    test(`head: a service that ${what} is a 502, and nothing is sent twice`, async (t) => {
      service.script = onRequest(async (connection) => {
        await connection.send(bytes);
        connection[how]();
      });
      const client = await connect(t);
      for (const method of ["GET", "POST"]) {
        await client.send(`${method} /a HTTP/1.1\r\nHost: x\r\n\r\n`);
        let response = await client.readResponse();
        if (response.status === 103) response = await client.readResponse();
        assertProblem(response, 502, "upstream-reset");
      }
      assert.equal(service.connections.length, 2);
      await assertServes(client);
    });
  }

  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const bodies: readonly (readonly [string, string, "end" | "reset"])[] = [
    ["ends within a counted body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "end"],
    ["resets within a counted body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "reset"],
    ["ends between chunks", `${chunked}3\r\nabc\r\n`, "end"],
    ["resets between chunks", `${chunked}3\r\nabc\r\n`, "reset"],
    ["ends within a chunk", `${chunked}9\r\nabc`, "end"],
    ["ends before the last line of the last chunk", `${chunked}3\r\nabc\r\n0\r\n`, "end"],
    ["ends within trailers", `${chunked}3\r\nabc\r\n0\r\nX-Sum: 1\r\n`, "end"],
    ["resets a body that lasts until the end", "HTTP/1.1 200 OK\r\n\r\nabc", "reset"],
  ];
  for (const [what, bytes, how] of bodies) {
    test(`body: of a service that ${what} no client gets a whole response`, async (t) => {
      service.script = onRequest(async (connection) => {
        await connection.send(bytes);
        await client.readUntil("abc");
        connection[how]();
      });
      const client = await connect(t);
      await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
      await assertBroken(
        client,
        bytes.includes("chunked") || !/Length/.test(bytes) ? "abc\r\n" : "abc",
      );
    });
  }

  for (const bad of ["zz\r\n", "3\r\nabcd\r\n", "3\nabc", "-1\r\n", "fffffffffffffffff\r\n"]) {
    test(`body: chunks that go on with ${JSON.stringify(bad)} break the response off`, async (t) => {
      service.script = onRequest((connection) => connection.send(`${chunked}3\r\nabc\r\n${bad}`));
      const client = await connect(t);
      await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.equal(await client.readEnd(), "reset");
      assert.equal(readResponse(client.received, { ended: true }), undefined);
      assert.equal(await service.connections[0]!.readEnd(), "end");
    });
  }

  test("body: for an HTTP/1.0 client, whom only the end tells, a broken body ends in a reset", async (t) => {
    service.script = onRequest(async (connection) => {
      await connection.send(`${chunked}3\r\nabc\r\n`);
      await client.readUntil("abc");
      connection.end();
    });
    const client = await connect(t);
    await client.send("GET /a HTTP/1.0\r\n\r\n");
    assert.equal(await client.readEnd(), "reset");
  });

  test("connect: a refusing target is a 502, a mute one a 504, and the client may go on", async (t) => {
    const client = await connect(t);
    await client.send("GET /refusing HTTP/1.1\r\nHost: x\r\n\r\n");
    assertProblem(await client.readResponse(), 502, "connect-failed");
    await client.send("GET /mute HTTP/1.1\r\nHost: x\r\n\r\n");
    assertProblem(await client.readResponse(), 504, "connect-timeout");
    await assertServes(client);
  });

  test("deadline: a service that never answers is a 504, and its connection is given up", async (t) => {
    service.script = onRequest(async () => {});
    const client = await connect(t);
    await client.send("GET /hurried HTTP/1.1\r\nHost: x\r\n\r\n");
    assertProblem(await client.readResponse(), 504, "response-timeout");
    assert.equal(await service.connections[0]!.readEnd(), "end");
    await assertServes(client);
  });

  test("deadline: a head that trickles in does not extend it", async (t) => {
    service.script = onRequest(async (connection) => {
      await connection.send("HTTP/1.1 200 OK\r\n");
      const timer = setInterval(() => void connection.send("X-More: 1\r\n"), 20);
      await connection.readEnd().finally(() => clearInterval(timer));
    });
    const client = await connect(t);
    await client.send("GET /hurried HTTP/1.1\r\nHost: x\r\n\r\n");
    assertProblem(await client.readResponse(), 504, "response-timeout");
  });

  test("deadline: a service that stops reading the request is a 504, however little has been sent", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      connection.pause();
    };
    const client = await connect(t);
    await client.send(`POST /hurried HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n`);
    const pour = new Pour(client.socket, 1e9);
    await pour.stuck;
    assertProblem(await client.readResponse(), 504, "request-send-timeout");
  });

  test("deadline: a body that stalls is cut, one that trickles passes", async (t) => {
    service.script = onRequest(async (connection) => {
      await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    });
    const stalled = await connect(t);
    await stalled.send("GET /hurried HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal(await stalled.readEnd(), "reset");
    assert.equal(await service.connections[0]!.readEnd(), "end");
    service.script = onRequest(async (connection) => {
      await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
      for (let sent = 0; sent < 8; sent++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await connection.send(String(sent));
      }
    });
    const trickled = await connect(t);
    await trickled.send("GET /hurried HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await trickled.readResponse()).body.toString(), "01234567");
  });

  test("deadline: the total one ends a body that would go on, and a wait for the head", async (t) => {
    service.script = onRequest(async (connection) => {
      await connection.send("HTTP/1.1 200 OK\r\n\r\n");
      const timer = setInterval(() => void connection.send("x"), 5);
      await connection.readEnd().finally(() => clearInterval(timer));
    });
    const long = await connect(t);
    await long.send("GET /brief/a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal(await long.readEnd(), "reset");
    service.script = onRequest(async () => {});
    const client = await connect(t);
    await client.send("GET /brief/a HTTP/1.1\r\nHost: x\r\n\r\n");
    assertProblem(await client.readResponse(), 504, "total-timeout");
  });

  const many = Array.from({ length: 300 }, (_, index) => `X-${index}: 1\r\n`).join("");
  const interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17);
  const answers: readonly (readonly [string, string, FaultName])[] = [
    ["another protocol's greeting", "SSH-2.0-OpenSSH_9.9\r\n", "upstream-protocol-error"],
    ["HTML without a head", "<!doctype html>\r\n\r\n", "upstream-protocol-error"],
    ["HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "upstream-protocol-error"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "upstream-protocol-error"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "upstream-protocol-error"],
    ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "upstream-protocol-error"],
    ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "upstream-protocol-error"],
    ["a folded header", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "upstream-protocol-error"],
    ["a space before a colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "upstream-protocol-error"],
    [
      "both framings",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "upstream-protocol-error",
    ],
    [
      "two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      "upstream-protocol-error",
    ],
    [
      "a length that is no number",
      "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
      "upstream-protocol-error",
    ],
    [
      "a coding nobody asked for",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "upstream-protocol-error",
    ],
    [
      "a tunnel nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "upstream-protocol-error",
    ],
    ["interim heads without end", interim, "upstream-protocol-error"],
    [
      "one field of 80 kB",
      `HTTP/1.1 200 OK\r\nX-Big: ${"x".repeat(80_000)}\r\n\r\n`,
      "upstream-head-too-large",
    ],
    ["300 fields", `HTTP/1.1 200 OK\r\n${many}\r\n`, "upstream-head-too-large"],
  ];
  for (const [what, bytes, fault] of answers) {
    test(`nonsense: ${what} as an answer is a 502, and the connection is not used again`, async (t) => {
      service.script = onRequest((connection) => connection.send(bytes));
      const client = await connect(t);
      await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
      let response = await client.readResponse();
      while (response.status === 103) response = await client.readResponse();
      assertProblem(response, 502, fault);
      await service.connections[0]!.readEnd();
      await assertServes(client);
    });
  }

  const surplus: readonly (readonly [string, string, number, string])[] = [
    ["GET", "HTTP/1.1 204 No Content\r\n\r\nsurplus", 204, ""],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nsurplus", 304, ""],
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsurplus", 200, ""],
    ["GET", plainResponse("fine") + "surplus", 200, "fine"],
    ["GET", plainResponse("fine") + plainResponse("evil"), 200, "fine"],
    ["GET", `${chunked}4\r\nfine\r\n0\r\n\r\n${plainResponse("evil")}`, 200, "fine"],
  ];
  for (const [method, bytes, status, body] of surplus) {
    const shown = JSON.stringify(bytes.slice(9, 200));
    test(`surplus: what follows a whole answer to ${method} reaches nobody: ${shown}`, async (t) => {
      service.script = onRequest((connection) => connection.send(bytes));
      const client = await connect(t);
      await client.send(`${method} /a HTTP/1.1\r\nHost: x\r\n\r\n`);
      const response = await client.readResponse({ responseTo: method });
      assert.equal(response.status, status);
      assert.equal(response.body.toString(), body);
      await assertServes(client);
      assert.equal(service.connections.length, 2);
      assert.ok(!client.received.includes("surplus") && !client.received.includes("evil"));
    });
  }

  test("surplus: a second answer that comes later ends the connection before it is used again", async (t) => {
    service.script = onRequest(async (connection) => {
      await connection.send(plainResponse("fine"));
      await client.readUntil("fine");
      await connection.send(plainResponse("evil"));
      await connection.readEnd();
    });
    const client = await connect(t);
    await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.readUntil("fine");
    await service.connections[0]!.readEnd();
    await assertServes(client);
    assert.ok(!client.received.includes("evil"));
  });

  test("HEAD: an error answered by the gateway has no body either", async (t) => {
    service.script = onRequest(async (connection) => connection.reset());
    const client = await connect(t);
    await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const response = await client.readResponse({ responseTo: "HEAD" });
    assert.equal(response.status, 502);
    assert.ok(Number(headerValue(response, "content-length")) > 0);
    await assertServes(client);
  });
});
