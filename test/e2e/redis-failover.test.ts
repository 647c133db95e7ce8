/** Limits in a real Redis Cluster and behind real Sentinels, while a master dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "../support/gateway.ts";
import { startRedisCluster, startSentinels } from "../support/redis-groups.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { rush } from "../support/rush.ts";
import { until } from "../support/until.ts";

const skip = requires("redis-server");

function limited(path: string, options: object) {
  const fixed = { window: "31d", algorithm: "fixed-window", store: "redis" };
  const policy = { "rate-limit": { ...fixed, ...options } };
  return { name: path.slice(1), match: path, respond: { body: "ok" }, policies: [policy] };
}

test(
  "Redis Cluster: limits are exact, wherever their keys lie, and go on when a master dies",
  { skip },
  async (t) => {
    const { masters, replica } = await startRedisCluster(t);
    const names = Array.from({ length: 24 }, (_, index) => `/k${index}`);
    const several = {
      window: undefined,
      limits: [
        { limit: 400, window: "31d", by: "all" },
        { limit: 1000, window: "31d", by: "route" },
      ],
    };
    const gateway = await startGateway(t, {
      workers: 2,
      redis: { nodes: masters.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`), timeout: "5s" },
      routes: [
        limited("/all", { limit: 500, by: "all" }),
        limited("/several", several),
        ...names.map((path) => limited(path, { limit: 2, by: "all", whenStoreIsAway: "deny" })),
      ],
    });
    const ports = [gateway.port];
    assert.deepEqual(await rush({ ports, path: "/all", count: 700 }), { 200: 500, 429: 200 });
    assert.deepEqual(await rush({ ports, path: "/several", count: 500, clients: 20 }), {
      200: 400,
      429: 100,
    });
    const eachAnswers = async (expected: number) => {
      const answers = await Promise.all(names.map((path) => rush({ ports, path, count: 1 })));
      return answers.every((answer) => answer[expected] === 1);
    };
    assert.equal(await eachAnswers(200), true);
    const sizes = await Promise.all(masters.map((server) => server.command("DBSIZE")));
    assert.ok(
      sizes.every((size) => size !== ":0\r\n"),
      `${sizes.join("")}: each server has some`,
    );
    await masters[0]!.kill();
    await until(async () => (await replica.command("ROLE")).includes("master"));
    // Every second of the two that each may has been counted, or will be now.
    await until(() => eachAnswers(429));
  },
);

test(
  "Redis Sentinel: when the master dies, the replica that took over is found",
  { skip },
  async (t) => {
    const { master, replica, sentinels } = await startSentinels(t, "limits");
    const gateway = await startGateway(t, {
      redis: { sentinels: sentinels.map(({ port }) => `127.0.0.1:${port}`), master: "limits" },
      routes: [limited("/x", { limit: 3, by: "all", whenStoreIsAway: "deny" })],
    });
    const statusOf = async () => (await fetch(`${gateway.url}/x`)).status;
    assert.deepEqual([await statusOf(), await statusOf()], [200, 200]);
    const writtenBy = async (server: RedisServer) =>
      /master_repl_offset:(\d+)/.exec(await server.command("INFO replication"))![1];
    await until(async () => (await writtenBy(replica)) === (await writtenBy(master)));
    await sentinels[0]!.kill();
    await master.kill();
    const seen: number[] = [];
    await until(async () => {
      seen.push(await statusOf());
      return seen.at(-1) === 429;
    });
    // What was counted had come to the replica: one was left.
    assert.equal(seen.filter((status) => status === 200).length, 1);
    assert.ok(seen.every((status) => [200, 429, 503].includes(status)));
    // The old master comes back, and does not know yet that it is none any more: nobody asks it.
    await master.start();
    assert.equal(await statusOf(), 429);
  },
);
