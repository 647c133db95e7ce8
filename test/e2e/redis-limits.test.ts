/** Limits that machines share through a real Redis: exact, and nothing lost while it is away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { startRedis } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { rush } from "../support/rush.ts";
import { until } from "../support/until.ts";

const skip = requires("redis-server");
const HOUR = "1h";

function route(path: string, policy: object) {
  return { name: path.slice(1), match: path, respond: { body: "ok" }, policies: [policy] };
}

function limited(path: string, options: object) {
  const fixed = { window: HOUR, algorithm: "token-bucket", by: "all", store: "redis" };
  return route(path, { "rate-limit": { ...fixed, ...options } });
}

async function connectedWorkers(gateway: Gateway): Promise<number> {
  return await metricValue(gateway, "gateward_redis_connected_workers");
}

test(
  "Redis: of 200 clients four workers, and two gateways, let exactly the limit pass",
  { skip },
  async (t) => {
    const redis = await startRedis(t);
    const config = {
      workers: 4,
      redis: { url: redis.url, timeout: "30s" },
      routes: [
        limited("/one", { limit: 1000, window: "31d" }),
        limited("/two", { limit: 1000, window: "31d" }),
        limited("/sliding", { limit: 1000, window: "31d", algorithm: "sliding-window" }),
        route("/quota", { quota: { limit: 1000, period: "year", by: "all", store: "redis" } }),
      ],
    };
    const [one, other] = await Promise.all([startGateway(t, config), startGateway(t, config)]);
    assert.deepEqual(await rush({ ports: [one.port], path: "/one", count: 1300 }), {
      200: 1000,
      429: 300,
    });
    const ports = [one.port, other.port];
    for (const path of ["/two", "/sliding", "/quota"]) {
      assert.deepEqual(await rush({ ports, path, count: 1300, clients: 100 }), {
        200: 1000,
        429: 300,
      });
    }
  },
);

test(
  "Redis: killed and brought back amid traffic, no request is lost, whatever is chosen",
  { skip },
  async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      workers: 2,
      redis: redis.url,
      log: { level: "info" },
      routes: [
        limited("/allow", { limit: 1, whenStoreIsAway: "allow" }),
        limited("/deny", { limit: 1_000_000, whenStoreIsAway: "deny" }),
        limited("/local", { limit: 1_000_000, whenStoreIsAway: "local" }),
      ],
    });
    const counts = { allow: {}, deny: {}, local: {} } as Record<string, Record<number, number>>;
    let isOver = false;
    const traffic = Object.entries(counts).map(async ([name, sum]) => {
      while (!isOver) {
        const part = await rush({
          ports: [gateway.port],
          path: `/${name}`,
          count: 50,
          clients: 10,
        });
        for (const [status, count] of Object.entries(part)) {
          sum[Number(status)] = (sum[Number(status)] ?? 0) + count;
        }
      }
    });
    await until(() => Object.values(counts).every((sum) => (sum[200] ?? 0) > 0));
    await redis.kill();
    await until(async () => (await connectedWorkers(gateway)) === 0);
    const before = structuredClone(counts);
    // Each is in an outage now, and goes on as it was told.
    await until(
      () =>
        (counts["deny"]![503] ?? 0) > 100 && counts["allow"]![200]! > before["allow"]![200]! + 100,
    );
    assert.ok(counts["local"]![200]! >= before["local"]![200]!);
    await redis.start();
    await until(async () => (await connectedWorkers(gateway)) === 2);
    const denied = counts["deny"]![503]!;
    const after = structuredClone(counts);
    await until(() => counts["deny"]![200]! > after["deny"]![200]! + 200);
    assert.ok(counts["deny"]![503]! <= denied + 100, "once it is back its counts hold again");
    isOver = true;
    await Promise.all(traffic);
    assert.deepEqual(Object.keys(counts["local"]!), ["200"]);
    assert.deepEqual(Object.keys(counts["allow"]!), ["200", "429"]);
    assert.deepEqual(Object.keys(counts["deny"]!), ["200", "503"]);
    assert.match(gateway.output, /Redis is away/);
    assert.match(gateway.output, /Redis is back/);
  },
);

test(
  "Redis: a gateway starts without it, keeps its connection over a reload, and tells nobody the password",
  { skip },
  async (t) => {
    const redis = await startRedis(t, { options: ["--requirepass", "s3cret"] });
    await redis.kill();
    const config = (limit: number) => ({
      redis: { url: redis.url, password: "s3cret" },
      log: { level: "debug" },
      routes: [limited("/x", { limit, whenStoreIsAway: "allow" })],
    });
    const gateway = await startGateway(t, config(1));
    assert.deepEqual(await rush({ ports: [gateway.port], path: "/x", count: 3 }), { 200: 3 });
    await redis.start();
    await until(async () => (await connectedWorkers(gateway)) === 1);
    assert.deepEqual(await rush({ ports: [gateway.port], path: "/x", count: 3 }), {
      200: 1,
      429: 2,
    });
    assert.equal(await gateway.reload(config(2)), "applied");
    assert.deepEqual(await rush({ ports: [gateway.port], path: "/x", count: 3 }), {
      200: 1,
      429: 2,
    });
    assert.equal(gateway.output.match(/Redis is back/g)?.length, 1);
    assert.equal(
      await gateway.reload({ ...config(2), redis: { url: redis.url, password: "wr0ng" } }),
      "applied",
    );
    await until(() => gateway.output.includes("WRONGPASS"));
    assert.doesNotMatch(gateway.output, /s3cret|wr0ng/);
  },
);
