import assert from "node:assert/strict";
import { test } from "node:test";
import { fileCleanup } from "../../test/support/cleanup.ts";
import { openRedis } from "../../test/support/open-redis.ts";
import { startRedis } from "../../test/support/redis-server.ts";
import { requires } from "../../test/support/requires.ts";
import { until } from "../../test/support/until.ts";
import { RedisLeads } from "./redis-leads.ts";

const skip = requires("redis-server");
const cleanup = fileCleanup();
const PUT = Promise.resolve();
const NAME = "test:lead";

test("redis leads: a lead goes away soon, unless its holder renews it", { skip }, async (t) => {
  const server = await startRedis(cleanup);
  const { redis } = await openRedis(cleanup, server.port);
  const leftMs = async () => Number((await server.command(`PTTL ${NAME}`)).slice(1));
  t.mock.timers.enable({ apis: ["setInterval"] });
  const [one, other] = [new RedisLeads(redis), new RedisLeads(redis)];

  assert.equal(await one.take("lead"), true);
  const longestMs = await leftMs();
  assert.ok(longestMs > 0 && longestMs <= 5000, `${longestMs}`);
  await until(async () => (await leftMs()) < longestMs - 100);
  const beforeMs = await leftMs();
  t.mock.timers.tick(1000);
  await until(async () => (await leftMs()) > beforeMs);
  assert.equal(await other.take("lead"), false);

  // As if its holder had stood still for too long: what is another's it leaves alone.
  await server.command(`DEL ${NAME}`);
  assert.equal(await other.wait("lead", 5000), "stored");
  await server.command(`SET ${NAME} another PX 60000`);
  t.mock.timers.tick(1000);
  await redis.get("lead");
  assert.ok((await leftMs()) > 10_000);
  one.settle("lead", true, PUT);
  assert.equal(await redis.get("lead"), "another");
});

test("redis leads: what takes a minute has lost the lead", { skip }, async (t) => {
  const server = await startRedis(cleanup);
  const { redis } = await openRedis(cleanup, server.port);
  t.mock.timers.enable({ apis: ["setInterval"] });
  const one = new RedisLeads(redis);
  assert.equal(await one.take("lead"), true);
  const startMs = performance.now();
  t.mock.method(performance, "now", () => startMs + 61_000);
  await server.command(`PEXPIRE ${NAME} 1000`);
  t.mock.timers.tick(1000);
  await redis.get("lead");
  const left = await server.command(`PTTL ${NAME}`);
  assert.ok(Number(left.slice(1)) <= 1000, left);
});
