import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { ServerHttp2Stream } from "node:http2";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import tls from "node:tls";
import { testCertificates } from "../../test/support/certificates.ts";
import { FakePoolClient } from "../../test/support/fake-pool-client.ts";
import { GOAWAY, HEADERS, PING, uint32 } from "../../test/support/http2-frames.ts";
import type { FramePeer } from "../../test/support/http2-frames.ts";
import { requires } from "../../test/support/requires.ts";
import { poolFor, serveFrames, serveHttp2 } from "../../test/support/http2-service.ts";
import { DeadlineWheel } from "../base/deadline-wheel.ts";
import {
  UPSTREAM_CLOSED,
  UPSTREAM_CONNECT_FAILED,
  UPSTREAM_CONNECT_TIMEOUT,
  UPSTREAM_PROTOCOL,
  UPSTREAM_QUEUE_FULL,
  UPSTREAM_REFUSED,
  UPSTREAM_TLS_FAILED,
} from "../wire/exchange-streams.ts";

function answer(stream: ServerHttp2Stream): void {
  stream.respond();
  stream.end("hello");
}

/** A service that keeps its streams, for the test to answer. */
async function holdingService(
  t: TestContext,
  streamsMax: number,
): Promise<{ port: number; held: ServerHttp2Stream[]; sessions: unknown[] }> {
  const held: ServerHttp2Stream[] = [];
  const settings = { maxConcurrentStreams: streamsMax };
  const { port, sessions } = await serveHttp2(t, (stream) => held.push(stream), { settings });
  return { port, held, sessions };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => void setImmediate(resolve));
}

test("http2 pool: many requests share one session", async (t) => {
  const { port, sessions } = await serveHttp2(t, answer);
  const pool = poolFor(t, port);
  const clients = Array.from({ length: 50 }, () => new FakePoolClient());
  await Promise.all(clients.map(async (client) => await client.run(pool)));
  assert.deepEqual([...new Set(clients.map(({ text }) => text))], ["hello"]);
  assert.equal(sessions.length, 1);
  assert.equal(pool.openCount, 1);
  await until(() => pool.idleCount === 1);
  const stream = pool.acquire(new FakePoolClient());
  assert.ok(stream?.reused);
});

test("http2 pool: opens further sessions when the service allows no more streams on one", async (t) => {
  const { port, held, sessions } = await holdingService(t, 2);
  const pool = poolFor(t, port, { connectionsMax: 2 });
  const first = new FakePoolClient().start(pool);
  await until(() => held.length === 1);
  const others = Array.from({ length: 5 }, () => new FakePoolClient().start(pool));
  await until(() => held.length === 4);
  assert.equal(sessions.length, 2);
  assert.equal(pool.openCount, 2);
  // Two wait for room.
  for (const stream of held.splice(0)) answer(stream);
  await until(() => held.length === 2);
  for (const stream of held) answer(stream);
  for (const client of [first, ...others]) await client.when("over");
  assert.equal(others[4]!.text, "hello");
});

test("http2 pool: a request beyond the waiting line is turned away", async (t) => {
  const { port, held } = await holdingService(t, 1);
  const pool = poolFor(t, port, { connectionsMax: 1, waitingMax: 1 });
  new FakePoolClient().start(pool);
  await until(() => held.length === 1);
  const waiting = new FakePoolClient().start(pool);
  const turnedAway = await new FakePoolClient().run(pool);
  assert.equal(turnedAway.cause, UPSTREAM_QUEUE_FULL);
  answer(held[0]!);
  await until(() => held.length === 2);
  answer(held[1]!);
  await waiting.when("over");
  assert.equal(waiting.text, "hello");
});

test("http2 pool: a request that is to be turned away and leaves before hears nothing", async (t) => {
  const { port, held } = await holdingService(t, 1);
  const pool = poolFor(t, port, { connectionsMax: 1, waitingMax: 1 });
  new FakePoolClient().start(pool);
  await until(() => held.length === 1);
  const waiting = new FakePoolClient().start(pool);
  const left = new FakePoolClient().start(pool);
  pool.cancel(left);
  await new FakePoolClient().run(pool);
  assert.deepEqual(left.events, []);
  answer(held[0]!);
  await until(() => held.length === 2);
  answer(held[1]!);
  await waiting.when("over");
});

test("http2 pool: a request that has cancelled its waiting is not served", async (t) => {
  const { port, held } = await holdingService(t, 1);
  const pool = poolFor(t, port, { connectionsMax: 1 });
  new FakePoolClient().start(pool);
  await until(() => held.length === 1);
  const cancelled = new FakePoolClient().start(pool);
  const next = new FakePoolClient().start(pool);
  pool.cancel(cancelled);
  answer(held[0]!);
  await until(() => held.length === 2);
  answer(held[1]!);
  await next.when("over");
  assert.deepEqual(cancelled.events, []);
});

test("http2 pool: everyone who waits learns that the target cannot be reached", async (t) => {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const pool = poolFor(t, port);
  const clients = Array.from({ length: 3 }, () => new FakePoolClient().start(pool));
  for (const client of clients) {
    await client.when("over");
    assert.equal(client.cause, UPSTREAM_CONNECT_FAILED);
  }
  assert.equal(pool.openCount, 0);
});

test(
  "http2 pool: a handshake that takes too long is given up",
  { skip: requires("openssl") },
  async (t) => {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => sockets.push(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const { port } = server.address() as AddressInfo;
    const options = (): tls.ConnectionOptions => ({ ALPNProtocols: ["h2"] });
    const pool = poolFor(t, port, { connectTimeoutMs: 50 }, { tls: options });
    const client = await new FakePoolClient().run(pool);
    assert.equal(client.cause, UPSTREAM_CONNECT_TIMEOUT);
    assert.equal(pool.openCount, 0);
  },
);

async function serveTls(t: TestContext): Promise<number> {
  const { cert, key } = testCertificates().localhostEcdsa;
  const server = http2.createSecureServer({ cert, key });
  server.on("stream", (stream) => answer(stream as ServerHttp2Stream));
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const secure = (): tls.ConnectionOptions => ({
  ALPNProtocols: ["h2"],
  ca: testCertificates().ca.cert,
  servername: "localhost",
});

test("http2 pool: speaks TLS where ALPN agrees on h2", { skip: requires("openssl") }, async (t) => {
  const port = await serveTls(t);
  const client = await new FakePoolClient().run(poolFor(t, port, {}, { tls: secure }));
  assert.equal(client.text, "hello");
});

for (const protocols of [["http/1.1"], []]) {
  const offer = protocols[0] ?? "no protocol";
  test(
    `http2 pool: a TLS service that offers ${offer} fails as TLS does`,
    { skip: requires("openssl") },
    async (t) => {
      const { cert, key } = testCertificates().localhostEcdsa;
      const server = tls.createServer({ cert, key, ALPNProtocols: protocols });
      server.on("tlsClientError", () => {});
      server.on("secureConnection", (socket) => socket.on("error", () => {}));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      const client = await new FakePoolClient().run(poolFor(t, port, {}, { tls: secure }));
      assert.equal(client.cause, UPSTREAM_TLS_FAILED);
    },
  );
}

test(
  "http2 pool: a certificate that is not trusted fails as TLS does",
  { skip: requires("openssl") },
  async (t) => {
    const port = await serveTls(t);
    const distrust = (): tls.ConnectionOptions => ({
      ALPNProtocols: ["h2"],
      servername: "localhost",
    });
    const client = await new FakePoolClient().run(poolFor(t, port, {}, { tls: distrust }));
    assert.equal(client.cause, UPSTREAM_TLS_FAILED);
  },
);

test("http2 pool: a service that speaks HTTP/1.1 only is a broken protocol", async (t) => {
  const server = http.createServer((_request, response) => response.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = await new FakePoolClient().run(poolFor(t, port));
  assert.equal(client.cause, UPSTREAM_PROTOCOL);
});

test("http2 pool: reaches a service on a Unix socket", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gateward-http2-"));
  const path = join(folder, "s");
  const server = http2.createServer();
  server.on("stream", (stream) => answer(stream as ServerHttp2Stream));
  server.listen(path);
  await once(server, "listening");
  t.after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  const pool = poolFor(t, 0, {}, { path, host: "" });
  assert.equal((await new FakePoolClient().run(pool)).text, "hello");
  pool.dispose();
  await until(() => pool.openCount === 0);
});

test("http2 pool: after a GOAWAY new requests go over a new session, old ones finish", async (t) => {
  const peers: FramePeer[] = [];
  const port = await serveFrames(t, (peer, number) => {
    peers.push(peer);
    if (number === 1)
      void peer.frame(HEADERS).then(() => peer.sendHead(1, [[":status", "204"]], 1));
  });
  const pool = poolFor(t, port, { connectionsMax: 1 });
  const first = new FakePoolClient().start(pool);
  await first.when("stream");
  await peers[0]!.frame(HEADERS);
  peers[0]!.send(GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(0)]));
  const second = await (async () => {
    await until(() => pool.acquire(probe) === null);
    pool.cancel(probe);
    return await new FakePoolClient().run(pool);
  })();
  assert.equal(second.response.status, 204);
  assert.equal(second.stream!.reused, false);
  peers[0]!.sendHead(1, [[":status", "200"]], 1);
  await first.when("over");
  assert.equal(first.response.status, 200);
  await peers[0]!.closed();
  await until(() => pool.openCount === 1);
});

/** Asks for streams and never uses them. */
const probe = new FakePoolClient({ send: () => {} });

test("http2 pool: a session that the service closed while idle is noticed before it is used", async (t) => {
  const { port, sessions } = await serveHttp2(t, answer);
  const pool = poolFor(t, port);
  await new FakePoolClient().run(pool);
  sessions[0]!.close();
  await until(() => pool.openCount === 0);
  const client = await new FakePoolClient().run(pool);
  assert.equal(client.text, "hello");
  assert.equal(client.stream!.reused, false);
});

test("http2 pool: a session closed under a request shows that it had been reused", async (t) => {
  const port = await serveFrames(t, (peer) => {
    void peer.frame(HEADERS, 1).then(() => peer.sendHead(1, [[":status", "204"]], 1));
    void peer.frame(HEADERS, 3).then(() => peer.socket.destroy());
  });
  const pool = poolFor(t, port);
  await new FakePoolClient().run(pool);
  const client = await new FakePoolClient().run(pool);
  assert.equal(client.cause, UPSTREAM_CLOSED);
  assert.equal(client.stream!.reused, true);
});

test("http2 pool: a client that wants a fresh connection gets one", async (t) => {
  const { port, sessions } = await serveHttp2(t, answer);
  const pool = poolFor(t, port);
  await new FakePoolClient().run(pool);
  const client = new FakePoolClient();
  client.wantsFresh = true;
  await client.run(pool);
  assert.equal(client.stream!.reused, false);
  assert.equal(sessions.length, 2);
});

test("http2 pool: an idle session expires, with a goodbye", async (t) => {
  const { port, sessions } = await serveHttp2(t, answer);
  const pool = poolFor(t, port, { idleTimeoutMs: 50 });
  await new FakePoolClient().run(pool);
  const [code] = (await once(sessions[0]!, "goaway")) as [number];
  assert.equal(code, 0);
  await until(() => pool.openCount === 0);
});

test("http2 pool: disposing closes idle sessions at once and others when they are done", async (t) => {
  const { port, held } = await holdingService(t, 100);
  const pool = poolFor(t, port);
  const client = new FakePoolClient().start(pool);
  await until(() => held.length === 1);
  pool.dispose();
  assert.equal(pool.openCount, 1);
  answer(held[0]!);
  await client.when("over");
  assert.equal(client.text, "hello");
  await until(() => pool.openCount === 0);
});

test("http2 pool: a request that waits for a connection is served although the pool is disposed", async (t) => {
  const { port } = await serveHttp2(t, answer);
  const pool = poolFor(t, port);
  const client = new FakePoolClient().start(pool);
  pool.dispose();
  await client.when("over");
  assert.equal(client.text, "hello");
  await until(() => pool.openCount === 0);
});

test("http2 pool: a stream refused by the service is told apart from one that broke", async (t) => {
  const port = await serveFrames(t, (peer) => {
    void peer.frame(HEADERS, 1).then(() => peer.sendReset(1, 7));
    void peer.frame(HEADERS, 3).then(() => peer.sendHead(3, [[":status", "204"]], 1));
  });
  const pool = poolFor(t, port);
  assert.equal((await new FakePoolClient().run(pool)).cause, UPSTREAM_REFUSED);
  assert.equal((await new FakePoolClient().run(pool)).response.status, 204);
});

test("http2 pool: a given-up request on a silent session makes it ask whether the service lives", async (t) => {
  const peers: FramePeer[] = [];
  const port = await serveFrames(t, (peer) => peers.push(peer));
  const clock = { nowMs: 0 };
  const wheel = new DeadlineWheel(10, () => clock.nowMs);
  const pool = poolFor(t, port, {}, {}, wheel);
  const client = new FakePoolClient().start(pool);
  await client.when("stream");
  await peers[0]!.frame(HEADERS);
  // No answer for longer than a service may be silent; then none to the ping either.
  clock.nowMs += 6_000;
  wheel.advance();
  peers[0]!.answersPings = false;
  client.stream!.abort(client);
  await peers[0]!.frame(PING);
  clock.nowMs += 11_000;
  await until(() => pool.openCount === 0);
});
