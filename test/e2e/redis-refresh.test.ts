/** stale-while-revalidate of two gateways that share a real Redis: one asks the service, and both have its answer. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { before, describe, test } from "node:test";
import { ask } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService, type HttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { until } from "../support/until.ts";

/** Gateways have ports of their own; what is kept is of the host that clients ask for. */
const HOST = "shop.test";
/** Stale as it comes: it has been under way for as long as it is fresh. */
const STALE = { "cache-control": "max-age=60, stale-while-revalidate=600", age: "60" };
const CROWD = 200;

const shared = fileCleanup();

describe("refresh through Redis", { skip: requires("redis-server") }, () => {
  let redis: RedisServer;
  let service: HttpService;
  let gateways: Gateway[];
  /** Answers after the first of a path, until they are let go. */
  const waiting = new Map<string, ServerResponse[]>();

  const asked = (path: string) => service.seen.filter(({ url }) => url === path).length;

  before(async () => {
    redis = await startRedis(shared);
    service = await startHttpService(shared, {
      answer: (_, response, { url }) => {
        if (asked(url) === 1) {
          response.writeHead(200, STALE);
          response.end("stale");
          return;
        }
        waiting.set(url, [...(waiting.get(url) ?? []), response]);
      },
    });
    const config = {
      workers: 2,
      redis: { url: redis.url, timeout: "5s" },
      services: { shop: service.url },
      routes: [{ match: "/*", service: "shop", policies: [{ cache: { store: "redis" } }] }],
    };
    gateways = await Promise.all([startGateway(shared, config), startGateway(shared, config)]);
  });

  async function bodyOf(gateway: Gateway, path: string): Promise<string> {
    const { status, body } = await ask(gateway.port, "HTTP/1.1", { path, headers: { host: HOST } });
    assert.equal(status, 200);
    return body;
  }

  /** What a crowd of clients of both gateways gets, each answer once. */
  async function crowdGets(path: string): Promise<string[]> {
    const answers = Array.from({ length: CROWD }, (_, index) => bodyOf(gateways[index % 2]!, path));
    return [...new Set(await Promise.all(answers))];
  }

  /** Has a stale answer kept in Redis, where both gateways find it. */
  async function keepStale(path: string): Promise<void> {
    const size = await redis.command("DBSIZE");
    assert.equal(await bodyOf(gateways[0]!, path), "stale");
    await until(async () => (await redis.command("DBSIZE")) !== size);
  }

  function letGo(path: string): void {
    for (const response of waiting.get(path) ?? []) {
      response.writeHead(200, { "cache-control": "max-age=600" });
      response.end("fresh");
    }
    waiting.delete(path);
  }

  async function bothHave(path: string, wanted: string): Promise<void> {
    for (const gateway of gateways) {
      await until(async () => (await bodyOf(gateway, path)) === wanted);
    }
  }

  test("a crowd at both gateways has the stale answer, and one asks the service for both", async () => {
    const path = "/crowd";
    await keepStale(path);
    // The service answers nobody.
    assert.deepEqual(await crowdGets(path), ["stale"]);
    await until(() => asked(path) === 2);
    assert.deepEqual(await crowdGets(path), ["stale"]);
    assert.equal(asked(path), 2);
    letGo(path);
    await bothHave(path, "fresh");
    assert.deepEqual(await crowdGets(path), ["fresh"]);
    assert.equal(asked(path), 2);
  });

  test("what is purged while it is refreshed is not kept, and asked for anew", async () => {
    const path = "/purged";
    await keepStale(path);
    assert.equal(await bodyOf(gateways[0]!, path), "stale");
    await until(() => asked(path) === 2);
    const purged = await fetch(`${gateways[1]!.adminUrl}/cache/purge`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ url: `http://${HOST}${path}` }),
    });
    assert.equal(purged.status, 200);
    // What the service has been asked before the purge may be as old as what has been purged.
    letGo(path);
    const both = gateways.map(async (gateway) => {
      await until(async () => {
        const answer = bodyOf(gateway, path);
        await until(() => asked(path) >= 3);
        letGo(path);
        return (await answer) === "fresh";
      });
    });
    await Promise.all(both);
    letGo(path);
    assert.deepEqual(await crowdGets(path), ["fresh"]);
  });

  test("Redis goes in the middle of a refresh and comes back: all are answered", async () => {
    const path = "/killed";
    await keepStale(path);
    assert.deepEqual(await crowdGets(path), ["stale"]);
    await until(() => asked(path) === 2);
    await redis.kill();
    letGo(path);
    const connected = async (wanted: number): Promise<void> => {
      for (const gateway of gateways) {
        await until(
          async () => (await metricValue(gateway, "gateward_redis_connected_workers")) === wanted,
        );
      }
    };
    await connected(0);
    // Nothing is known any more: the service is asked, by everybody.
    const answers = crowdGets(path);
    let isOver = false;
    void answers.finally(() => (isOver = true));
    await until(() => {
      letGo(path);
      return isOver;
    });
    assert.deepEqual(await answers, ["fresh"]);
    await redis.start();
    await connected(2);
    const again = Promise.all(gateways.map((gateway) => bodyOf(gateway, path)));
    let isAnswered = false;
    void again.finally(() => (isAnswered = true));
    await until(() => {
      letGo(path);
      return isAnswered;
    });
    const askedBefore = asked(path);
    assert.deepEqual(await crowdGets(path), ["fresh"]);
    assert.ok(asked(path) <= askedBefore + 1, `${asked(path)} after ${askedBefore}`);
  });
});
