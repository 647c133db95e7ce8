/** Clients that leave, stop in the middle, read slowly or not at all, and what that costs the others. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { metricValue } from "../support/metric-value.ts";
import { Pour, drink } from "../support/pour.ts";
import { rawConnect } from "../support/raw-client.ts";
import { plainResponse } from "../support/raw-server.ts";
import type { RawScript } from "../support/raw-server.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
/** What may be on its way is 64 kB here and there; the rest is what a busy heap grows by. */
const growthMax = 48 * MB;
const writeTimeoutMs = 1500;

describe("clients that misbehave", () => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-clients-"));
  const path = join(folder, "gateward.sock");
  shared.after(() => rmSync(folder, { recursive: true, force: true }));
  let gateway: Gateway;
  /** Leaves clients that take nothing after `writeTimeoutMs`; any other test might come that late. */
  let hurried: Gateway;
  const hurriedPath = join(folder, "hurried.sock");
  let service: ScriptedService;

  before(async () => {
    service = await startScriptedService(shared);
    const config = {
      services: { raw: service.url },
      routes: [
        { match: "/*", service: "raw" },
        { match: "/bounded", service: "raw", timeout: { total: "800ms" } },
        { match: "/own", respond: { body: "own" } },
        { match: "/huge", respond: { body: "x".repeat(MB) } },
        { match: "/large", respond: { body: "x".repeat(64 * 1024) } },
      ],
    };
    gateway = await startGateway(shared, { ...config, listen: [{}, { path }] });
    hurried = await startGateway(shared, {
      ...config,
      listen: [{}, { path: hurriedPath }],
      timeouts: { write: `${writeTimeoutMs}ms` },
    });
  });

  afterEach(async () => {
    await service.clear();
    for (const each of [gateway, hurried]) {
      await until(async () => (await metricValue(each, "gateward_in_flight_requests")) === 0);
    }
  });

  const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;

  /** A plain socket, of which a test decides when to read. */
  const open = async (
    t: Parameters<typeof rawConnect>[0],
    to: { port: number } | { path: string } = gateway,
  ): Promise<Socket> => {
    const address = "path" in to ? { path: to.path } : { port: to.port, host: "127.0.0.1" };
    const socket = connect({ ...address, allowHalfOpen: true });
    t.after(() => void socket.destroy());
    await once(socket, "connect");
    socket.on("error", () => {});
    return socket;
  };

  describe("leaving", () => {
    test("before the answer, by a reset: the service's connection is given up at once", async (t) => {
      const client = await rawConnect(t, gateway.port);
      await client.send(get("/a"));
      await service.reached("GET /a");
      client.reset();
      assert.equal(await service.connections[0]!.readEnd(), "end");
    });

    test("in the middle of a response: the service's connection is given up", async (t) => {
      for (const how of ["reset", "destroy"] as const) {
        service.script = async (connection) => {
          await connection.readRequest();
          await connection.send("HTTP/1.1 200 OK\r\n\r\n");
          const timer = setInterval(() => void connection.send("x".repeat(1000)), 5);
          await connection.readEnd().finally(() => clearInterval(timer));
        };
        const client = await rawConnect(t, gateway.port);
        await client.send(get("/a"));
        await client.readUntil("xxx");
        client[how]();
        assert.notEqual(await service.connections[0]!.readEnd(), undefined);
        await service.clear();
      }
    });

    test("in the middle of a body: the service is not left waiting for the rest", async (t) => {
      for (const how of ["reset", "end", "destroy"] as const) {
        const client = await rawConnect(t, gateway.port);
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
        await service.reached("abc");
        client[how]();
        assert.equal(await service.connections[0]!.readEnd(), "end");
        if (how === "end") assert.equal(await client.readEnd(), "end");
        assert.equal(client.received.length, 0);
        await service.clear();
      }
    });

    test("in the middle of chunks: no last chunk is made up", async (t) => {
      const client = await rawConnect(t, gateway.port);
      await client.send(
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      );
      await service.reached("abc");
      client.end();
      assert.equal(await service.connections[0]!.readEnd(), "end");
      assert.ok(service.connections[0]!.received.toString().endsWith("3\r\nabc\r\n"));
    });

    test("while a connection to the service is made: that is kept for the next request", async (t) => {
      service.script = async (connection) => {
        for (;;) {
          await connection.readRequest();
          await connection.send(plainResponse("fine"));
        }
      };
      const client = await rawConnect(t, gateway.port);
      await client.send(get("/a"));
      client.reset();
      const next = await rawConnect(t, gateway.port);
      await next.send(get("/b"));
      assert.equal((await next.readResponse()).body.toString(), "fine");
    });
  });

  describe("half-closing", () => {
    const answerLater: RawScript = async (connection) => {
      for (;;) {
        const { startLine } = await connection.readRequest();
        await sleep(20);
        await connection.send(plainResponse(startLine));
      }
    };

    test("in the middle of a head: there is no request, and nothing is answered", async (t) => {
      const client = await rawConnect(t, gateway.port);
      await client.send("GET /a HTTP/1.1\r\nHos");
      client.end();
      assert.equal(await client.readEnd(), "end");
      assert.equal(client.received.length, 0);
    });

    test("after several requests: all are answered, in order, before the connection ends", async (t) => {
      service.script = answerLater;
      const client = await rawConnect(t, gateway.port);
      const targets = ["/1", "/own", "/2", "/own", "/3"];
      await client.send(targets.map(get).join(""));
      client.end();
      for (const target of targets) {
        const body = (await client.readResponse()).body.toString();
        assert.equal(body, target === "/own" ? "own" : `GET ${target} HTTP/1.1`);
      }
      assert.equal(await client.readEnd(), "end");
    });

    test("after requests and part of another: the whole ones are answered", async (t) => {
      service.script = answerLater;
      const client = await rawConnect(t, gateway.port);
      await client.send(`${get("/1")}${get("/2")}GET /3 HTT`);
      client.end();
      assert.equal((await client.readResponse()).body.toString(), "GET /1 HTTP/1.1");
      assert.equal((await client.readResponse()).body.toString(), "GET /2 HTTP/1.1");
      assert.equal(await client.readEnd(), "end");
      assert.equal(client.unread.length, 0);
    });

    test("after requests and part of a body: the whole ones are answered, and the service is left", async (t) => {
      service.script = answerLater;
      const client = await rawConnect(t, gateway.port);
      await client.send(`${get("/1")}POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc`);
      client.end();
      assert.equal((await client.readResponse()).body.toString(), "GET /1 HTTP/1.1");
      await client.readEnd();
      assert.equal(client.unread.length, 0);
      for (const connection of service.connections) await connection.readEnd();
    });

    test("while a response waits for a client that reads late: it still gets all of it", async (t) => {
      for (const fields of ["", "Connection: close\r\n"]) {
        const socket = await open(t, { path });
        socket.pause();
        socket.end(`GET /huge HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
        await sleep(100);
        assert.ok((await drink(socket)).bytes > MB);
        await until(async () => (await metricValue(gateway, "gateward_client_connections")) === 0);
      }
    });

    test("between requests: the connection is closed", async (t) => {
      const client = await rawConnect(t, gateway.port);
      await client.send(get("/own"));
      await client.readResponse();
      client.end();
      assert.equal(await client.readEnd(), "end");
    });
  });

  describe("reading slowly", () => {
    test("a response of 200 MB waits at the service: the gateway holds next to nothing of it", async (t) => {
      let pour: Pour | undefined;
      service.script = async (connection) => {
        await connection.readRequest();
        await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${200 * MB}\r\n\r\n`);
        pour = new Pour(connection.socket, 200 * MB);
      };
      const memoryBefore = await memoryBytes(gateway);
      const socket = await open(t);
      socket.pause();
      socket.write(get("/a"));
      await until(() => pour !== undefined);
      await pour!.stuck;
      assert.ok((await memoryBytes(gateway)) - memoryBefore < growthMax);
      let bytes = 0;
      let memoryMost = 0;
      socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
      socket.resume();
      while (bytes <= 200 * MB && !socket.destroyed) {
        await sleep(50);
        memoryMost = Math.max(memoryMost, await memoryBytes(gateway));
      }
      assert.ok(bytes > 200 * MB, String(bytes));
      assert.ok(memoryMost - memoryBefore < growthMax, String(memoryMost - memoryBefore));
    });

    test("an upload of 200 MB waits at the client: the gateway holds next to nothing of it", async (t) => {
      let received = 0;
      let resume: (() => void) | undefined;
      service.script = async (connection) => {
        await connection.readUntil("\r\n\r\n");
        connection.socket.removeAllListeners("data");
        connection.pause();
        resume = () => {
          connection.socket.on("data", (chunk: Buffer) => {
            received += chunk.length;
            if (received >= 200 * MB) void connection.send(plainResponse("all"));
          });
          connection.resume();
        };
      };
      const memoryBefore = await memoryBytes(gateway);
      const client = await rawConnect(t, gateway.port);
      await client.send(`POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${200 * MB}\r\n\r\n`);
      await service.reached("POST /a");
      const pour = new Pour(client.socket, 200 * MB);
      await pour.stuck;
      assert.ok((await memoryBytes(gateway)) - memoryBefore < growthMax);
      resume!();
      assert.equal((await client.readResponse()).body.toString(), "all");
      assert.ok((await memoryBytes(gateway)) - memoryBefore < growthMax);
    });

    test("a client that takes nothing is left after timeouts.write, and the service with it", async (t) => {
      let pour: Pour | undefined;
      service.script = async (connection) => {
        await connection.readRequest();
        await connection.send("HTTP/1.1 200 OK\r\n\r\n");
        pour = new Pour(connection.socket, 200 * MB);
        await connection.readEnd();
      };
      const stalled = { type: "client-stalled" };
      const countBefore = await metricValue(hurried, "gateward_faults_total", stalled);
      const socket = await open(t, hurried);
      socket.pause();
      socket.write(get("/a"));
      await until(() => pour !== undefined);
      await pour!.stuck;
      await service.connections[0]!.readEnd();
      const count = await metricValue(hurried, "gateward_faults_total", stalled);
      assert.equal(count - countBefore, 1);
    });

    test("a download that its reader makes too long for the total deadline is not held against the target", async (t) => {
      service.script = async (connection) => {
        await connection.readRequest();
        await connection.send("HTTP/1.1 200 OK\r\n\r\n");
        new Pour(connection.socket, 200 * MB);
        await connection.readEnd();
      };
      const counts = async (): Promise<number[]> =>
        await Promise.all([
          metricValue(gateway, "gateward_faults_total", { type: "total-timeout" }),
          metricValue(gateway, "gateward_upstream_requests_total", { result: "ok" }),
          metricValue(gateway, "gateward_upstream_requests_total", { result: "broken" }),
        ]);
      const [faults, good, broken] = await counts();
      const socket = await open(t);
      socket.pause();
      socket.write(get("/bounded"));
      await until(async () => (await counts())[0] !== faults);
      assert.deepEqual(await counts(), [faults! + 1, good! + 1, broken]);
    });

    test("a client that takes a little now and then is waited for", async (t) => {
      // A Unix socket, because the system buffers megabytes for TCP: what is taken there shows late.
      const socket = await open(t, { path: hurriedPath });
      socket.write(get("/huge"));
      let bytes = 0;
      const start = performance.now();
      while (bytes < MB) {
        const chunk = socket.read(Math.min(16 * 1024, socket.readableLength || 1)) as Buffer | null;
        if (chunk === null) await Promise.race([once(socket, "readable"), sleep(100)]);
        else bytes += chunk.length;
        if (bytes < 0.7 * MB) await sleep(50);
        assert.ok(bytes >= MB || !socket.readableEnded, `cut after ${bytes} bytes`);
      }
      assert.ok(performance.now() - start > 1.2 * writeTimeoutMs);
    });

    test("a flood of pipelined requests, with nothing read: requests wait, responses do not pile up", async (t) => {
      service.script = async (connection) => {
        for (;;) {
          await connection.readRequest();
          await connection.send(plainResponse("x".repeat(64 * 1024)));
        }
      };
      const memoryBefore = await memoryBytes(gateway);
      for (const target of ["/large", "/proxied"]) {
        const socket = await open(t);
        socket.pause();
        const requests = get(target).repeat(1000);
        let stuck = false;
        for (let count = 0; count < 200 && !stuck; count++) {
          const written = new Promise<boolean>((resolve) =>
            socket.write(requests, () => resolve(false)),
          );
          stuck = await Promise.race([written, sleep(300, true)]);
        }
        assert.ok(stuck, "the gateway read on");
        const growth = (await memoryBytes(gateway)) - memoryBefore;
        assert.ok(growth < growthMax, `${target}: ${growth}`);
        socket.destroy();
      }
    });

    test("an echo whose client only writes: neither side's wait keeps it for good", async (t) => {
      service.script = async (connection) => {
        await connection.readUntil("\r\n\r\n");
        connection.socket.removeAllListeners("data");
        await connection.send("HTTP/1.1 200 OK\r\n\r\n");
        connection.socket.pipe(connection.socket);
        await connection.readEnd();
      };
      const socket = await open(t, hurried);
      socket.pause();
      socket.write("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
      const pour = new Pour(socket, 200 * MB);
      await pour.stuck;
      await service.connections[0]!.readEnd();
    });
  });
});
