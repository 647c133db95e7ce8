import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { testCertificates } from "../../../test/support/certificates.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { openRedis } from "../../../test/support/open-redis.ts";
import { startRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import { requires } from "../../../test/support/requires.ts";
import { until } from "../../../test/support/until.ts";
import type { RedisSettings } from "./redis-link.ts";

const skip = requires("redis-server");

async function openReal(t: TestContext, changes: Partial<RedisSettings> = {}) {
  const server = await startRedis(t);
  return { server, ...(await openRedis(t, server.port, { timeoutMs: 100, ...changes })) };
}

const increment = { text: "return redis.call('INCRBY', KEYS[1], ARGV[1])" };

test("redis: values come back, under the prefix, until their time is over", { skip }, async (t) => {
  const { redis, server } = await openReal(t);
  assert.equal(redis.isReady, true);
  assert.equal(await redis.get("a"), null);
  await redis.set("a", "one\r\n\0ü", 60_000);
  assert.equal(await redis.get("a"), "one\r\n\0ü");
  assert.equal(await server.command("EXISTS test:a"), ":1\r\n");
  assert.match(await server.command("PTTL test:a"), /^:[1-6]\d{1,4}\r\n$/);
  assert.equal(await redis.setIfAbsent("a", "two", 60_000), false);
  await redis.delete("a");
  assert.equal(await redis.setIfAbsent("a", "two", 60_000), true);
  assert.equal(await redis.get("a"), "two");
});

test(
  "redis: a script is sent once, and again when the server has forgotten it",
  { skip },
  async (t) => {
    const { redis, server } = await openReal(t);
    assert.equal(await redis.run(increment, ["n"], [2]), 2);
    assert.equal(await redis.run(increment, ["n"], [2]), 4);
    assert.match(await server.command("INFO commandstats"), /cmdstat_eval:calls=1,/);
    await server.command("SCRIPT FLUSH");
    assert.equal(await redis.run(increment, ["n"], [2]), 6);
  },
);

test(
  "redis: what the server refuses is an error and is told, without losing the connection",
  { skip },
  async (t) => {
    const { redis, server, lines } = await openReal(t);
    await server.command("SET test:a word");
    await assert.rejects(redis.run(increment, ["a"], [1]), /not an integer/);
    assert.equal(await redis.get("a"), "word");
    assert.match(lines.join("\n"), /^warn Redis refuses .*not an integer/);
  },
);

test(
  "redis: killed, calls under way and later ones are refused at once, and it is found again",
  { skip },
  async (t) => {
    const { redis, server, lines } = await openReal(t, { timeoutMs: 5000 });
    server.pause();
    const underWay = Promise.allSettled(Array.from({ length: 20 }, () => redis.get("a")));
    const startedMs = performance.now();
    await server.kill();
    assert.ok((await underWay).every(({ status }) => status === "rejected"));
    assert.equal(redis.isReady, false);
    await assert.rejects(redis.get("a"), /Redis is away/);
    assert.ok(performance.now() - startedMs < 4500, "the timeout of a call was waited for");
    await server.start();
    await until(() => redis.isReady);
    assert.equal(await redis.get("a"), null);
    assert.equal(lines.length, 2);
    assert.match(lines[0]!, /^warn Redis is away .*"address":"127\.0\.0\.1:\d+","reason":"/);
    assert.match(lines[1]!, /^info Redis is back /);
  },
);

test("redis: one that is not there yet is found when it comes", { skip }, async (t) => {
  const server = await startRedis(t);
  await server.kill();
  const { redis, lines } = await openRedis(t, server.port);
  assert.equal(redis.isReady, false);
  assert.match(lines.join("\n"), /^warn Redis is away .*ECONNREFUSED/);
  await server.start();
  await until(() => redis.isReady);
});

test(
  "redis: an answer that does not come in time is a rejection, and a late one harms nobody",
  { skip },
  async (t) => {
    const { redis, server } = await openReal(t);
    await redis.set("a", "1", 60_000);
    server.pause();
    await assert.rejects(redis.get("a"), /did not answer within 100 ms/);
    const next = redis.get("none");
    server.resume();
    assert.equal(await next, null);
    assert.equal(await redis.get("a"), "1");
  },
);

test(
  "redis: a server that has gone silent is given up, so that nobody waits for it",
  { skip },
  async (t) => {
    const { redis, server, lines } = await openReal(t, { timeoutMs: 20, connectTimeoutMs: 100 });
    server.pause();
    while (redis.isReady) await assert.rejects(redis.get("a"), /did not answer|away/);
    assert.match(lines[0]!, /it does not answer/);
    server.resume();
    await until(() => redis.isReady);
    assert.equal(await redis.get("a"), null);
  },
);

test(
  "redis: a thread that was busy reads the answers that have come, before it calls them late",
  { skip },
  async (t) => {
    const { redis } = await openReal(t, { timeoutMs: 50 });
    await redis.set("a", "1", 60_000);
    const call = redis.get("a");
    // Sent when the stack is empty; then the thread is busy for longer than an answer may take.
    await new Promise((resolve) => setImmediate(resolve));
    const untilMs = performance.now() + 100;
    while (performance.now() < untilMs);
    assert.equal(await call, "1");
  },
);

test("redis: a password is asked for and shown to nobody", { skip }, async (t) => {
  const server = await startRedis(t, { options: ["--requirepass", "s3cr3t"] });
  const right = await openRedis(t, server.port, { password: "s3cr3t" });
  assert.equal(await right.redis.get("a"), null);
  const wrong = await openRedis(t, server.port, { password: "wr0ng" });
  assert.equal(wrong.redis.isReady, false);
  assert.match(wrong.lines.join(""), /WRONGPASS/);
  assert.doesNotMatch(wrong.lines.join(""), /wr0ng/);
});

test("redis: another database is another one", { skip }, async (t) => {
  const { redis, server } = await openReal(t, { database: 3 });
  await redis.set("a", "1", 60_000);
  assert.equal(await server.command("EXISTS test:a"), ":0\r\n");
});

test(
  "redis: one that takes no writes any more is left for the one that took over",
  { skip },
  async (t) => {
    const { redis, server } = await openReal(t);
    const other: RedisServer = await startRedis(t);
    await server.command(`REPLICAOF 127.0.0.1 ${other.port}`);
    await assert.rejects(redis.set("a", "1", 1000), /READONLY/);
    assert.equal(redis.isReady, false);
  },
);

test("redis: whoever accepts and says nothing is no Redis", async (t) => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
  await once(mute, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const { port } = mute.address() as AddressInfo;
  const { redis, lines } = await openRedis(t, port, { connectTimeoutMs: 50 });
  assert.equal(redis.isReady, false);
  assert.match(lines[0]!, /no connection within 50 ms/);
});

test("redis: disposed, it lets go of the connection and tries no more", { skip }, async (t) => {
  const { redis, server } = await openReal(t);
  redis[Symbol.dispose]();
  await assert.rejects(redis.get("a"), /Redis is away/);
  await until(async () => {
    const clients = await server.command("CLIENT LIST");
    return (clients.match(/^id=/gm)?.length ?? 0) === 1;
  });
});

test(
  "redis: over TLS the certificate has to hold, and the client may show its own",
  { skip },
  async (t) => {
    const { ca, localhostRsa, client, otherCa } = testCertificates();
    const port = await freePort();
    const server = await startRedis(t, {
      options: [
        ...["--tls-port", `${port}`, "--tls-cert-file", localhostRsa.certFile],
        ...["--tls-key-file", localhostRsa.keyFile, "--tls-ca-cert-file", ca.certFile],
      ],
    });
    assert.notEqual(server.port, port);
    const tls = { ca: ca.cert, cert: client.cert, key: client.key, serverName: "", verifies: true };
    const right = await openRedis(t, port, { tls });
    assert.equal(await right.redis.get("a"), null);
    const anonymous = await openRedis(t, port, { tls: { ...tls, cert: "", key: "" } });
    assert.equal(anonymous.redis.isReady, false);
    const deceived = await openRedis(t, port, { tls: { ...tls, ca: otherCa.cert } });
    assert.equal(deceived.redis.isReady, false);
    assert.match(deceived.lines[0]!, /certificate/);
    const named = await openRedis(t, port, { tls: { ...tls, serverName: "other.example" } });
    assert.match(named.lines[0]!, /other\.example/);
    const careless = await openRedis(t, port, {
      tls: { ...tls, ca: otherCa.cert, verifies: false },
    });
    assert.equal(await careless.redis.get("a"), null);
  },
);
