/** The transport for a Node on which stream handles cannot be driven directly: what matters most, again. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { metricValue } from "../support/metric-value.ts";
import { Pour, drink } from "../support/pour.ts";
import { assertProblem } from "../support/problem.ts";
import { rawConnect } from "../support/raw-client.ts";
import { headerValue } from "../support/raw-message.ts";
import { plainResponse } from "../support/raw-server.ts";
import type { RawScript } from "../support/raw-server.ts";
import { requires } from "../support/requires.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
const growthMax = 48 * MB;
const env = { GATEWARD_TRANSPORT: "socket" };

describe("fallback transport", { skip: requires("openssl") }, () => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-fallback-"));
  shared.after(() => rmSync(folder, { recursive: true, force: true }));
  let gateway: Gateway;
  /** With short deadlines, for the tests of these: any other would now and then meet one on a busy machine. */
  let hurried: Gateway;
  let service: ScriptedService;
  let local: ScriptedService;

  before(async () => {
    service = await startScriptedService(shared);
    local = await startScriptedService(shared, { path: join(folder, "service.sock") });
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    const config = {
      listen: [{}, { tls: { cert, key } }, { path: join(folder, "gateward.sock") }],
      services: {
        raw: service.url,
        hurried: { targets: [service.url], timeout: { response: "300ms" } },
        piped: { targets: [service.url], pipelining: 8 },
        local: local.url,
      },
      routes: [
        { match: "/*", service: "raw" },
        { match: "/own", respond: { body: "own" } },
        { match: "/huge", respond: { body: "x".repeat(MB) } },
        { match: "/large", respond: { body: "x".repeat(64 * 1024) } },
        { match: "/hurried", service: "hurried" },
        { match: "/piped/*", service: "piped" },
        { match: "/local", service: "local" },
      ],
    };
    gateway = await startGateway(shared, config, { env });
    const timeouts = { write: "1s", idle: "600ms" };
    hurried = await startGateway(shared, { ...config, listen: {}, timeouts }, { env });
  });

  afterEach(async () => {
    await service.clear();
    await local.clear();
  });

  const get = (target: string, ...lines: string[]): string =>
    [`GET ${target} HTTP/1.1`, "Host: x", ...lines, "", ""].join("\r\n");

  const echo: RawScript = async (connection) => {
    for (;;) {
      const { startLine, body } = await connection.readRequest();
      await connection.send(plainResponse(body.length > 0 ? body.toString("latin1") : startLine));
    }
  };

  test("switch: the environment variable chooses it", () => {
    const module = new URL("../../src/wire/stream-handle.ts", import.meta.url).href;
    const code = `import { handlesUsable } from ${JSON.stringify(module)}; console.log(handlesUsable)`;
    const run = (added: Record<string, string>): string =>
      execFileSync(process.execPath, ["--input-type=module", "-e", code], {
        env: { ...process.env, ...added },
        encoding: "utf8",
      }).trim();
    assert.equal(run(env), "false");
    assert.equal(run({ GATEWARD_TRANSPORT: "" }), "true");
  });

  test("messages: keep-alive, pipelining, bodies of all framings, half-close", async (t) => {
    service.script = echo;
    const client = await rawConnect(t, gateway.port);
    await client.send(
      get("/1") +
        "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" +
        "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" +
        get("/own") +
        get("/4"),
    );
    client.end();
    for (const body of ["GET /1 HTTP/1.1", "abc", "de", "own", "GET /4 HTTP/1.1"]) {
      assert.equal((await client.readResponse()).body.toString(), body);
    }
    assert.equal(await client.readEnd(), "end");
  });

  test("messages: a response that waits for a client that reads late is whole, then the connection closes", async (t) => {
    const socket = connect({ path: join(folder, "gateward.sock"), allowHalfOpen: true });
    t.after(() => void socket.destroy());
    socket.pause();
    socket.end(get("/huge"));
    await sleep(100);
    assert.ok((await drink(socket)).bytes > MB);
    await until(async () => (await metricValue(gateway, "gateward_client_connections")) === 0);
  });

  test("messages: five megabytes both ways, also over TLS and Unix sockets", async (t) => {
    const big = Buffer.alloc(5 * MB, "0123456789abcdef-");
    const script: RawScript = async (connection) => {
      const { body } = await connection.readRequest();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      await connection.send(body);
    };
    local.script = script;
    const socket = connect({ path: join(folder, "gateward.sock") });
    t.after(() => void socket.destroy());
    socket.write(
      `POST /local HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${big.length}\r\n\r\n`,
    );
    socket.write(big);
    assert.ok((await drink(socket)).bytes > big.length);
    service.script = script;
    const client = request({
      host: "127.0.0.1",
      port: gateway.ports[1]!,
      method: "POST",
      path: "/a",
      rejectUnauthorized: false,
      headers: { "content-length": big.length },
    });
    client.end(big);
    const [response] = (await once(client, "response")) as [IncomingMessage];
    assert.equal((await drink(response)).bytes, big.length);
  });

  test("failures: a reset service is a 502, a mute one a 504, a broken body is seen as one", async (t) => {
    const client = await rawConnect(t, gateway.port);
    service.script = async (connection) => {
      await connection.readRequest();
      connection.reset();
    };
    await client.send(get("/a"));
    assertProblem(await client.readResponse(), 502, "upstream-reset");
    service.script = () => {};
    await client.send(get("/hurried"));
    assertProblem(await client.readResponse(), 504, "response-timeout");
    for (const how of ["end", "reset"] as const) {
      service.script = async (connection) => {
        await connection.readRequest();
        await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        await broken.readUntil("abc");
        connection[how]();
      };
      const broken = await rawConnect(t, gateway.port);
      await broken.send(get("/a"));
      assert.equal(await broken.readEnd(), "reset");
    }
  });

  test("failures: a kept connection that closed is not used, one that closes on a GET is replaced", async (t) => {
    const client = await rawConnect(t, gateway.port);
    service.script = async (connection) => {
      await connection.readRequest();
      await connection.send(plainResponse("first"));
      await connection.readRequest();
      service.script = echo;
      connection.reset();
    };
    await client.send(get("/1"));
    assert.equal((await client.readResponse()).body.toString(), "first");
    await client.send(get("/2"));
    assert.equal((await client.readResponse()).body.toString(), "GET /2 HTTP/1.1");
  });

  test("pipelining: several requests share a connection to the service", async (t) => {
    service.script = async (connection) => {
      await connection.readRequest();
      await connection.send(plainResponse("first"));
      const lines: string[] = [];
      while (lines.length < 3) lines.push((await connection.readRequest()).startLine);
      for (const line of lines) await connection.send(plainResponse(line));
    };
    const clients = [await rawConnect(t, gateway.port)];
    await clients[0]!.send(get("/piped/0"));
    await clients[0]!.readResponse();
    clients.push(await rawConnect(t, gateway.port), await rawConnect(t, gateway.port));
    for (const [index, client] of clients.entries()) await client.send(get(`/piped/${index}`));
    for (const [index, client] of clients.entries()) {
      const response = await client.readResponse();
      assert.equal(response.body.toString(), `GET /piped/${index} HTTP/1.1`);
    }
    assert.equal(service.connections.length, 1);
  });

  test("clients: one that leaves frees the service, one that is idle is closed", async (t) => {
    const leaving = await rawConnect(t, gateway.port);
    await leaving.send(get("/a"));
    await service.reached();
    leaving.reset();
    await service.connections[0]!.readEnd();
    const idle = await rawConnect(t, hurried.port);
    await idle.send(get("/own"));
    await idle.readResponse();
    assert.equal(await idle.readEnd(), "end");
  });

  test("clients: an early answer is not lost on one that is still sending", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send(plainResponse("enough", "403 Forbidden"));
    };
    const client = await rawConnect(t, gateway.port);
    client.pause();
    await client.send(`POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${16 * MB}\r\n\r\n`);
    await client.send(Buffer.alloc(16 * MB));
    client.resume();
    const response = await client.readResponse();
    assert.equal(response.status, 403);
    assert.equal(headerValue(response, "connection"), "close");
    assert.equal(await client.readEnd(), "end");
  });

  test("clients: a slow one holds the service back, one that takes nothing is left", async (t) => {
    const pours: Pour[] = [];
    service.script = async (connection) => {
      await connection.readRequest();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * MB}\r\n\r\n`);
      pours.push(new Pour(connection.socket, 100 * MB));
    };
    const memoryBefore = await memoryBytes(gateway);
    const sockets = [gateway, hurried].map(({ port }) => connect({ port, host: "127.0.0.1" }));
    for (const socket of sockets) {
      t.after(() => void socket.destroy());
      socket.on("error", () => {});
      socket.pause();
      socket.write(get("/a", "Connection: close"));
    }
    await until(() => pours.length === 2);
    await Promise.all(pours.map(({ stuck }) => stuck));
    assert.ok((await memoryBytes(gateway)) - memoryBefore < growthMax);
    let bytes = 0;
    sockets[0]!.on("data", (chunk: Buffer) => (bytes += chunk.length));
    sockets[0]!.resume();
    await once(sockets[0]!, "end");
    assert.ok(bytes >= 100 * MB);
    for (const connection of service.connections) await connection.readEnd();
  });

  test("clients: a flood of requests with nothing read piles up no responses", async (t) => {
    const memoryBefore = await memoryBytes(gateway);
    const socket = connect({ port: gateway.port, host: "127.0.0.1" });
    t.after(() => void socket.destroy());
    socket.on("error", () => {});
    socket.pause();
    const requests = get("/large").repeat(1000);
    let stuck = false;
    for (let count = 0; count < 200 && !stuck; count++) {
      const written = new Promise<boolean>((resolve) =>
        socket.write(requests, () => resolve(false)),
      );
      stuck = await Promise.race([written, sleep(300, true)]);
    }
    assert.ok(stuck, "the gateway read on");
    assert.ok((await memoryBytes(gateway)) - memoryBefore < growthMax);
  });

  test("tunnels: bytes pass both ways, and each direction ends by itself", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello",
      );
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(get("/ws", "Connection: Upgrade", "Upgrade: echo") + "early");
    await client.readUntil("\r\n\r\nhello");
    const [connection] = service.connections;
    await connection!.readUntil("early");
    client.end();
    assert.equal(await connection!.readEnd(), "end");
    await connection!.send("last words");
    await client.readUntil("last words");
    connection!.end();
    assert.equal(await client.readEnd(), "end");
  });
});
