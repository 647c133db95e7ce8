/** Connections that turn into tunnels (WebSocket and others), and responses that last. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket, WebSocketServer } from "ws";
import { fileCleanup } from "../support/cleanup.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { metricValue } from "../support/metric-value.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue } from "../support/raw-message.ts";
import { plainResponse } from "../support/raw-server.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
const growthMax = 48 * MB;

describe("tunnels", () => {
  let gateway: Gateway;
  let service: ScriptedService;
  let webSockets: WebSocketServer;
  let config: Record<string, unknown>;

  const startWebSockets = async (t: Cleanup): Promise<WebSocketServer> => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
    t.after(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    await once(server, "listening");
    return server;
  };

  const urlOf = (server: WebSocketServer): string =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  before(async () => {
    service = await startScriptedService(shared);
    webSockets = await startWebSockets(shared);
    config = {
      timeouts: { tunnel: "1200ms", write: "5s" },
      services: { raw: service.url, chat: urlOf(webSockets) },
      routes: [
        { match: "/*", service: "raw" },
        { match: "/chat/*", service: "chat" },
      ],
    };
    gateway = await startGateway(shared, config);
  });

  afterEach(async () => {
    webSockets.removeAllListeners("connection");
    for (const socket of webSockets.clients) socket.terminate();
    await service.clear();
    await until(async () => (await metricValue(gateway, "gateward_in_flight_requests")) === 0);
  });

  /** Both ends of a WebSocket, open. */
  const open = async (
    t: Cleanup,
    options: { port?: number; server?: WebSocketServer; deflate?: boolean } = {},
  ): Promise<{ client: WebSocket; server: WebSocket }> => {
    const { port = gateway.port, server = webSockets, deflate = false } = options;
    const accepted = once(server, "connection") as Promise<[WebSocket]>;
    const client = new WebSocket(`ws://127.0.0.1:${port}/chat/room`, ["v2", "v1"], {
      perMessageDeflate: deflate,
    });
    t.after(() => client.terminate());
    client.on("error", () => {});
    await once(client, "open");
    const [end] = await accepted;
    end.on("error", () => {});
    return { client, server: end };
  };

  const nextMessage = async (socket: WebSocket): Promise<Buffer> =>
    ((await once(socket, "message")) as [Buffer])[0];

  const upgrade = "GET /raw HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
  const switched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

  test("WebSocket: text, binary, ping, pong and close pass both ways, with what was agreed on", async (t) => {
    const { client, server } = await open(t);
    assert.equal(client.protocol, "v2");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.send("grüß dich");
      assert.equal((await nextMessage(to)).toString(), "grüß dich");
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      from.send(bytes);
      assert.deepEqual(await nextMessage(to), bytes);
      const answered = once(from, "pong") as Promise<[Buffer]>;
      from.ping("are you there");
      assert.equal((await answered)[0].toString(), "are you there");
    }
    const closed = once(server, "close") as Promise<[number, Buffer]>;
    client.close(4001, "enough");
    const [code, reason] = await closed;
    assert.deepEqual([code, reason.toString()], [4001, "enough"]);
    if (client.readyState !== WebSocket.CLOSED) await once(client, "close");
  });

  test("WebSocket: messages of a megabyte and a thousand small ones arrive whole and in order", async (t) => {
    const { client, server } = await open(t, { deflate: true });
    const big = Buffer.alloc(MB, "0123456789abcdef-");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const received: string[] = [];
      const all = Promise.withResolvers<void>();
      to.on("message", (data: Buffer) => {
        if (data.length === big.length) assert.ok(data.equals(big));
        else received.push(data.toString());
        if (received.length === 1000) all.resolve();
      });
      from.send(big);
      for (let count = 0; count < 1000; count++) from.send(String(count));
      from.send(big);
      await all.promise;
      await sleep(0);
      assert.deepEqual(
        received,
        Array.from({ length: 1000 }, (_, count) => String(count)),
      );
    }
  });

  test("WebSocket: who does not read holds the other back, and the gateway keeps next to nothing", async (t) => {
    const { client, server } = await open(t);
    const piece = Buffer.alloc(MB);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const memoryBefore = await memoryBytes(gateway);
      to.pause();
      for (let count = 0; count < 60; count++) from.send(piece);
      await sleep(200);
      assert.ok(from.bufferedAmount > 30 * MB, String(from.bufferedAmount));
      assert.ok((await memoryBytes(gateway)) - memoryBefore < growthMax);
      const all = Promise.withResolvers<void>();
      let count = 0;
      to.on("message", () => {
        if (++count === 60) all.resolve();
      });
      to.resume();
      await all.promise;
    }
  });

  test("idle: a tunnel that is silent both ways is closed after timeouts.tunnel; one that speaks is not", async (t) => {
    const { client, server } = await open(t);
    const start = performance.now();
    for (let count = 0; count < 5; count++) {
      await sleep(300);
      if (count % 2 === 0) server.ping();
      else client.ping();
    }
    assert.equal(client.readyState, WebSocket.OPEN);
    await Promise.all([once(client, "close"), once(server, "close")]);
    assert.ok(performance.now() - start > 2600);
  });

  test("idle: one direction that speaks is enough, whichever it is", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send(switched);
    };
    const beat = async (from: RawConnection, to: RawConnection): Promise<void> => {
      for (let count = 0; count < 5; count++) {
        await sleep(320);
        await from.send(`beat ${count}`);
        await to.readUntil(`beat ${count}`);
      }
    };
    const beats: Promise<void>[] = [];
    for (const fromClient of [true, false]) {
      const client = await rawConnect(t, gateway.port);
      await client.send(upgrade);
      await client.readUntil("\r\n\r\n");
      const connection = service.connections.at(-1)!;
      beats.push(fromClient ? beat(client, connection) : beat(connection, client));
    }
    await Promise.all(beats);
  });

  test("end: each end learns that the other has broken off", async (t) => {
    const first = await open(t);
    first.client.terminate();
    await once(first.server, "close");
    const second = await open(t);
    second.server.terminate();
    await once(second.client, "close");
  });

  test("end: each direction may end by itself, and what the other still says arrives", async (t) => {
    for (const first of ["client", "service"] as const) {
      service.script = async (connection) => {
        await connection.readUntil("\r\n\r\n");
        await connection.send(switched);
      };
      const client = await rawConnect(t, gateway.port);
      await client.send(upgrade);
      await client.readUntil("\r\n\r\n");
      const [from, to] =
        first === "client" ? [client, service.connections[0]!] : [service.connections[0]!, client];
      await from.send("last words");
      from.end();
      await to.readUntil("last words");
      assert.equal(await to.readEnd(), "end");
      await to.send("an answer");
      await from.readUntil("an answer");
      to.end();
      assert.equal(await from.readEnd(), "end");
      await service.clear();
    }
  });

  test("end: a service that resets its end resets the client's", async (t) => {
    service.script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send(switched);
      await client.readUntil("\r\n\r\n");
      connection.reset();
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(upgrade);
    assert.equal(await client.readEnd(), "reset");
  });

  test("refused: a service that does not want to switch answers as it likes, and the client goes on", async (t) => {
    webSockets.once("headers", () => {});
    service.script = async (connection) => {
      for (;;) {
        await connection.readRequest();
        await connection.send(plainResponse("not for you", "403 Forbidden"));
      }
    };
    const client = await rawConnect(t, gateway.port);
    for (let count = 0; count < 2; count++) {
      await client.send(upgrade);
      const response = await client.readResponse();
      assert.equal(response.status, 403);
      assert.equal(headerValue(response, "connection"), undefined);
      assert.equal(response.body.toString(), "not for you");
    }
    const refused = new WebSocket(`ws://127.0.0.1:${gateway.port}/raw`);
    const [error] = (await once(refused, "error")) as [Error];
    assert.match(error.message, /403/);
  });

  test("reload: a tunnel stays open, also when its route is gone for others", async (t) => {
    const { client, server } = await open(t);
    const { routes } = config as { routes: unknown[] };
    assert.equal(await gateway.reload({ ...config, routes: routes.slice(0, 1) }), "applied");
    client.send("still there");
    assert.equal((await nextMessage(server)).toString(), "still there");
    service.script = async (connection) => {
      await connection.readRequest();
      await connection.send(plainResponse("new route"));
    };
    const raw = await rawConnect(t, gateway.port);
    await raw.send("GET /chat/room HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await raw.readResponse()).body.toString(), "new route");
    server.send("and back");
    assert.equal((await nextMessage(client)).toString(), "and back");
    await service.clear();
    assert.equal(await gateway.reload(config), "applied");
    server.close();
    await once(client, "close");
  });

  test("SIGTERM: tunnels go on until the deadline, then they are cut, and the process ends well", async (t) => {
    const server = await startWebSockets(t);
    const own = await startGateway(t, {
      ...config,
      services: { raw: service.url, chat: urlOf(server) },
      timeouts: { shutdown: "600ms" },
    });
    const ends = await open(t, { port: own.port, server });
    const start = performance.now();
    own.child.kill("SIGTERM");
    await assert.rejects(
      (async () => {
        for (;;) (await rawConnect(t, own.port)).end();
      })(),
    );
    ends.client.send("still there");
    assert.equal((await nextMessage(ends.server)).toString(), "still there");
    await Promise.all([once(ends.client, "close"), once(ends.server, "close")]);
    assert.ok(performance.now() - start > 500);
    assert.deepEqual(await own.exited, { code: 0, signal: null });
    // The default is thirty seconds.
    assert.ok(performance.now() - start < 20_000);
  });

  test("SIGTERM: once the last tunnel has ended the process does not wait for the deadline", async (t) => {
    const server = await startWebSockets(t);
    const own = await startGateway(t, {
      ...config,
      services: { raw: service.url, chat: urlOf(server) },
      timeouts: { shutdown: "30s" },
    });
    const ends = await open(t, { port: own.port, server });
    const start = performance.now();
    own.child.kill("SIGTERM");
    ends.client.close();
    assert.deepEqual(await own.exited, { code: 0, signal: null });
    assert.ok(performance.now() - start < 20_000);
  });

  test("SIGTERM: a response that a slow client has not taken yet is not cut short", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "gateward-drain-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    // The system buffers less for a Unix socket than this response has: the rest waits in the gateway.
    const path = join(folder, "gateward.sock");
    const own = await startGateway(t, {
      listen: [{}, { path }],
      timeouts: { shutdown: "10s" },
      routes: [{ match: "/huge", respond: { body: "x".repeat(MB) } }],
    });
    const client = await rawConnect(t, { path });
    await client.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.readUntil("\r\n\r\n");
    client.pause();
    own.child.kill("SIGTERM");
    await sleep(300);
    client.resume();
    await client.readUntil((unread) => unread.length === MB);
    client.end();
    assert.deepEqual(await own.exited, { code: 0, signal: null });
  });

  test("events: each leaves as it comes, and silence below timeout.idle is no end", async (t) => {
    service.script = async (connection) => {
      await connection.readRequest();
      await connection.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
    };
    const response = await fetch(`${gateway.url}/events`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.getReader();
    t.after(() => reader.cancel());
    const [connection] = service.connections;
    for (let count = 0; count < 5; count++) {
      await connection!.send(`9\r\ndata: ${count}\n\n\r\n`);
      const { value } = await reader.read();
      assert.equal(Buffer.from(value).toString(), `data: ${count}\n\n`);
      await sleep(count * 50);
    }
    await connection!.send("0\r\n\r\n");
    assert.equal((await reader.read()).done, true);
  });

  test("long poll: an answer that takes its time arrives when it comes", async (t) => {
    service.script = async (connection) => {
      await connection.readRequest();
      await sleep(1000);
      await connection.send(plainResponse("news"));
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /poll HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).body.toString(), "news");
  });
});
