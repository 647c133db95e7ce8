/** Two gateways that share what is kept in a real Redis: one is killed while it fetches for both, and the other goes on. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, test, type TestContext } from "node:test";
import { ask } from "../support/ask.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { startRedis } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { until } from "../support/until.ts";

/** Gateways have ports of their own; what is kept is of the host that clients ask for. */
const HOST = "shop.test";
const STALE = { "cache-control": "max-age=60, stale-while-revalidate=600", age: "60" };
/** A lead that is not renewed is over by then, also on a busy machine. */
const OVER_MS = 15_000;

async function open(t: TestContext) {
  const redis = await startRedis(t);
  let asked = 0;
  const held: ServerResponse[] = [];
  const service = await startHttpService(t, {
    answer: (_, response, { url }) => {
      asked++;
      if (url === "/stale" && asked === 1) response.writeHead(200, STALE).end("stale");
      else held.push(response);
    },
  });
  const config = {
    redis: { url: redis.url, timeout: "5s" },
    services: { shop: service.url },
    routes: [
      { match: "/*", service: "shop", policies: [{ cache: { store: "redis", wait: "60s" } }] },
    ],
  };
  const [first, second] = await Promise.all([startGateway(t, config), startGateway(t, config)]);
  const leadMs = async (): Promise<number> => {
    const name = /\S*cache:lead:\S+/.exec(await redis.command("KEYS *"))?.[0];
    return Number((await redis.command(`PTTL ${name}`)).slice(1));
  };
  return {
    first,
    second,
    asked: () => asked,
    answer: () => held.at(-1)!.writeHead(200, { "cache-control": "max-age=600" }).end("fresh"),
    isKept: async () => (await redis.command("KEYS *")).includes("cache:"),
    /** The lead outlasts its own time as long as its holder lives. */
    isRenewed: async () => {
      const beforeMs = await leadMs();
      await until(async () => (await leadMs()) < beforeMs);
      const lowMs = await leadMs();
      await until(async () => (await leadMs()) > lowMs);
    },
  };
}

async function bodyOf(gateway: Gateway, path: string): Promise<string> {
  const { status, body } = await ask(gateway.port, "HTTP/1.1", { path, headers: { host: HOST } });
  assert.equal(status, 200);
  return body;
}

describe("a gateway that fetches for others is killed", { skip: requires("redis-server") }, () => {
  test("in the middle of a refresh: another one refreshes", async (t) => {
    const { first, second, asked, answer, isKept, isRenewed } = await open(t);
    assert.equal(await bodyOf(first, "/stale"), "stale");
    await until(isKept);
    assert.equal(await bodyOf(first, "/stale"), "stale");
    await until(() => asked() === 2);
    await isRenewed();
    assert.equal(await bodyOf(second, "/stale"), "stale");
    assert.equal(asked(), 2);

    const killedAt = performance.now();
    await first.stop("SIGKILL");
    await until(async () => (await bodyOf(second, "/stale")) === "stale" && asked() === 3);
    const tookMs = performance.now() - killedAt;
    assert.ok(tookMs < OVER_MS, `${tookMs} ms`);
    answer();
    await until(async () => (await bodyOf(second, "/stale")) === "fresh");
    assert.equal(asked(), 3);
  });

  test("in the middle of a miss: one of those who wait asks the service", async (t) => {
    const { first, second, asked, answer, isRenewed } = await open(t);
    const lost = bodyOf(first, "/new").catch(() => "lost");
    await until(() => asked() === 1);
    await isRenewed();
    const waiting = Array.from({ length: 20 }, () => bodyOf(second, "/new"));

    const killedAt = performance.now();
    await first.stop("SIGKILL");
    assert.equal(await lost, "lost");
    await until(() => asked() === 2);
    const tookMs = performance.now() - killedAt;
    assert.ok(tookMs < OVER_MS, `${tookMs} ms`);
    answer();
    assert.deepEqual([...new Set(await Promise.all(waiting))], ["fresh"]);
    assert.equal(asked(), 2);
  });
});
