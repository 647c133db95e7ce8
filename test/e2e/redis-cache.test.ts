/** Answers that gateways share through a real Redis: found by all, purged for all, and never in anyone's way. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as sendRequest, type IncomingMessage } from "node:http";
import { before, test } from "node:test";
import { ask } from "../support/ask.ts";
import { fileCleanup, type Cleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { startRedisCluster } from "../support/redis-groups.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { until } from "../support/until.ts";

const skip = requires("redis-server");
const cleanup = fileCleanup();
let redis: RedisServer;
let shared: Awaited<ReturnType<typeof startScene>>;
/** Gateways have ports of their own; what is kept is of the host that clients ask for. */
const HOST = "shop.test";
const BINARY = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256));
const LARGE = Buffer.alloc(1_200_000, "large ");

async function startScene(t: Cleanup, server: unknown) {
  const service = await startHttpService(t, {
    answer: (request, response, { method, url }) => {
      const { "if-none-match": condition, "accept-language": language = "none" } = request.headers;
      const etag = '"1"';
      if (method !== "GET") return response.writeHead(204).end();
      if (condition === etag) {
        return response.writeHead(304, { etag, "cache-control": "no-cache" }).end();
      }
      const headers: Record<string, string> = { "cache-control": "max-age=600", "cache-tag": "t" };
      if (url.startsWith("/short")) headers["cache-control"] = "max-age=1";
      if (url.startsWith("/vary")) headers["vary"] = "Accept-Language";
      if (url.startsWith("/validated"))
        Object.assign(headers, { etag, "cache-control": "no-cache" });
      response.writeHead(200, headers);
      if (url.startsWith("/binary")) return response.end(BINARY);
      if (url.startsWith("/large")) return response.end(LARGE);
      return setTimeout(
        () => response.end(`${url} ${language}`),
        url.startsWith("/slow") ? 500 : 0,
      );
    },
  });
  const config = {
    redis: server,
    services: { shop: service.url },
    policies: [{ cache: { store: "redis", maxBytes: "4mb" } }],
    routes: [{ match: "/*", service: "shop" }],
  };
  const gateways = await Promise.all([startGateway(t, config), startGateway(t, config)]);
  const [one, other] = gateways;
  const askFor = (gateway: Gateway, path: string, headers: Record<string, string> = {}) =>
    ask(gateway.port, "HTTP/1.1", { path, headers: { host: HOST, ...headers } });
  const asked = (path: string): number => service.seen.filter(({ url }) => url === path).length;
  /** Keeping is not waited for: asks until the answer is out of Redis. */
  const stored = async (gateway: Gateway, path: string, headers: Record<string, string> = {}) => {
    const isHit = async () => {
      const { headers: received } = await askFor(gateway, path, headers);
      return String(received["cache-status"]).startsWith("gateward; hit");
    };
    await until(isHit);
  };
  return { service, one, other, askFor, asked, stored };
}

async function purge(gateway: Gateway, what: object): Promise<void> {
  const response = await fetch(`${gateway.adminUrl}/cache/purge`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(what),
  });
  assert.equal(response.status, 200);
}

before(async () => {
  if (skip !== false) return;
  redis = await startRedis(cleanup);
  shared = await startScene(cleanup, { url: redis.url, timeout: "10s" });
});

test(
  "Redis cache: what one gateway keeps the other answers, whatever its bytes",
  { skip },
  async () => {
    const { one, other, askFor, asked, stored } = shared;
    await askFor(one, "/a?b=1");
    await stored(other, "/a?b=1");
    const hit = await askFor(other, "/a?b=1");
    assert.equal(hit.body, "/a?b=1 none");
    assert.match(String(hit.headers["age"]), /^\d$/);
    await askFor(one, "/binary");
    await stored(other, "/binary");
    const bytes = await fetchBytes(other, "/binary");
    assert.equal(digestOf(bytes), digestOf(BINARY));
    const part = await askFor(other, "/binary", { range: "bytes=0-6" });
    assert.equal(part.status, 206);
    assert.deepEqual([asked("/a?b=1"), asked("/binary")], [1, 1]);

    for (const language of ["de", "en"]) {
      await askFor(one, "/vary", { "accept-language": language });
      await stored(other, "/vary", { "accept-language": language });
    }
    for (const language of ["de", "en"]) {
      const { body } = await askFor(other, "/vary", { "accept-language": language });
      assert.equal(body, `/vary ${language}`);
    }
    assert.equal(asked("/vary"), 2);
  },
);

test(
  "Redis cache: of those who ask two gateways at once for the same one asks the service",
  { skip },
  async () => {
    const { one, other, askFor, asked } = shared;
    const crowd = Array.from({ length: 200 }, (_, index) =>
      askFor(index % 2 ? one : other, "/slow"),
    );
    for (const { body } of await Promise.all(crowd)) assert.equal(body, "/slow none");
    assert.equal(asked("/slow"), 1);
  },
);

test(
  "Redis cache: what is validated is renewed for both, and ends with its time",
  { skip },
  async () => {
    const { one, other, askFor, asked, stored, service } = shared;
    const size = await redis.command("DBSIZE");
    await askFor(one, "/validated");
    await until(async () => (await redis.command("DBSIZE")) !== size);
    for (const gateway of [other, one, other]) {
      const { status, body } = await askFor(gateway, "/validated");
      assert.deepEqual([status, body], [200, "/validated none"]);
    }
    const seen = service.seen.filter(({ url }) => url === "/validated");
    const conditions = seen.map(({ headers }) => new Map(headers).get("if-none-match"));
    assert.deepEqual(conditions, [undefined, '"1"', '"1"', '"1"']);
    await askFor(one, "/short");
    await stored(other, "/short");
    const askedBefore = asked("/short");
    await until(async () => {
      await askFor(other, "/short");
      return asked("/short") > askedBefore;
    });
  },
);

test(
  "Redis cache: a purge through one gateway is one for both, as is a change",
  { skip },
  async () => {
    const { one, other, askFor, asked, stored } = shared;
    await stored(one, "/p");
    await stored(one, "/q");
    for (const what of [{ url: `http://${HOST}/p` }, { tag: "t" }, { all: true }]) {
      await stored(other, "/p");
      const askedBefore = asked("/p");
      await purge(one, what);
      await until(async () => {
        await askFor(other, "/p");
        return asked("/p") > askedBefore;
      });
      await stored(other, "/p");
    }
    const { status } = await ask(one.port, "HTTP/1.1", {
      method: "DELETE",
      path: "/p",
      headers: { host: HOST },
    });
    assert.equal(status, 204);
    const askedBefore = asked("/p");
    await until(async () => {
      await askFor(other, "/p");
      return asked("/p") > askedBefore;
    });
  },
);

test(
  "Redis cache: what is too large for Redis passes whole, and is not kept",
  { skip },
  async () => {
    const { one, other, asked } = shared;
    for (const gateway of [one, other, one]) {
      assert.equal(digestOf(await fetchBytes(gateway, "/large")), digestOf(LARGE));
    }
    assert.equal(asked("/large"), 3);
  },
);

test(
  "Redis cache: killed, silent and back: requests are answered all along",
  { skip },
  async (t) => {
    const server = await startRedis(t);
    const { one, askFor, asked, stored } = await startScene(t, { url: server.url, timeout: "2s" });
    await stored(one, "/a");
    const askedBefore = asked("/a");
    const askTimed = async () => {
      const startedMs = performance.now();
      const { status, body } = await askFor(one, "/a");
      assert.deepEqual([status, body], [200, "/a none"]);
      return performance.now() - startedMs;
    };
    server.pause();
    // One that finds out, waits for the timeout; nobody waits for each thing that would be asked.
    const waits = await Promise.all([askTimed(), askTimed(), askTimed()]);
    for (const waitMs of waits) assert.ok(waitMs < 3900, `${waitMs} ms`);
    server.resume();
    await server.kill();
    await until(async () => (await metricValue(one, "gateward_redis_connected_workers")) === 0);
    for (let count = 0; count < 20; count++) assert.ok((await askTimed()) < 1900);
    assert.ok(asked("/a") >= askedBefore + 20);
    await server.start();
    await until(async () => (await metricValue(one, "gateward_redis_connected_workers")) === 1);
    await stored(one, "/a");
  },
);

for (const path of ["/a", "/*"]) {
  test(
    `Redis cache: a purge of ${path} while Redis cannot be reached is made up for`,
    { skip },
    async (t) => {
      const server = await startRedis(t);
      const { one, other, askFor, asked, stored } = await startScene(t, {
        url: server.url,
        timeout: "50ms",
      });
      await stored(one, "/a");
      const askedBefore = asked("/a");
      server.pause();
      await purge(one, { url: `http://${HOST}${path}` });
      await until(
        async () =>
          (await metricValue(one, "gateward_redis_calls_total", { result: "timeout" })) > 0,
      );
      server.resume();
      await until(async () => {
        await Promise.all([askFor(one, "/none"), askFor(other, "/a")]);
        return asked("/a") > askedBefore;
      });
    },
  );
}

test("Redis Cluster: answers and purges are shared, wherever they lie", { skip }, async (t) => {
  const { masters } = await startRedisCluster(t);
  const nodes = masters.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
  const { one, other, askFor, asked, stored } = await startScene(t, { nodes, timeout: "5s" });
  const paths = Array.from({ length: 12 }, (_, index) => `/k${index}`);
  for (const path of paths) await stored(one, path);
  for (const path of paths) {
    const { headers, body } = await askFor(other, path);
    assert.match(String(headers["cache-status"]), /^gateward; hit/);
    assert.equal(body, `${path} none`);
  }
  const sizes = await Promise.all(masters.map((server) => server.command("DBSIZE")));
  assert.ok(
    sizes.every((size) => size !== ":0\r\n"),
    sizes.join(""),
  );
  for (const what of [{ tag: "t" }, { url: `http://${HOST}/*` }]) {
    for (const path of paths) await stored(one, path);
    const askedBefore = paths.map(asked);
    await purge(other, what);
    await until(async () => {
      for (const path of paths) await askFor(one, path);
      return paths.every((path, index) => asked(path) > askedBefore[index]!);
    });
  }
});

async function fetchBytes(gateway: Gateway, path: string): Promise<Buffer> {
  const headers = { host: HOST };
  const sent = sendRequest({
    port: gateway.port,
    host: "127.0.0.1",
    path,
    headers,
    agent: false,
  }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return Buffer.concat((await response.toArray()) as Buffer[]);
}

function digestOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
