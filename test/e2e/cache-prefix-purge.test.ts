/** Purges of what is below an address, at a real gateway: no way of writing an address escapes them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { startGateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { startRedis } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { until } from "../support/until.ts";

type Asked = readonly [host: string, target: string];

const HOST = "shop.test";
/** No two that are one to the cache: the first to be asked for again would be there for the other. */
const BELOW: readonly Asked[] = [
  ...[
    "SHOP.Test",
    "shop.test:80",
    "shop.test:",
    "shop.test.",
    "shop.test.:0080",
    "%73hop.test",
  ].map((host) => [host, "/products/7"] as const),
  ["other.test", "http://SHOP.test:80/products/7"],
  ...[
    "/products/",
    "/products//7",
    "//products/7",
    "/%70roducts/%37",
    "/products/./7",
    "/products/%2e/7",
    "/x/../products/7",
    "/x/%2E%2e/products/7",
    "/products/7/..",
    "/products/a%2Fb",
    "/products/;7",
    "/products/7?q='a'",
    "/products/7?/../../x",
    "/products/1/2/3/4/5/6/7/8/9/10/11?12",
  ].map((target) => [HOST, target] as const),
];
const BESIDE: readonly Asked[] = [
  [HOST, "/products"],
  [HOST, "/products/../x?y=/products/7"],
  [HOST, "/products%2F7"],
  ["shop.test:8080", "/products/7"],
];

for (const store of ["memory", "redis"]) {
  const skip = store === "redis" && requires("redis-server");
  test(
    `purge below an address, ${store}: all that is there goes, however it was asked for`,
    { skip },
    async (t) => {
      const service = await startHttpService(t, {
        answer: (_, response) => {
          response.writeHead(200, { "cache-control": "max-age=600" }).end("x");
        },
      });
      const redis = store === "redis" && (await startRedis(t));
      const gateway = await startGateway(t, {
        ...(redis ? { redis: { url: redis.url, timeout: "10s" } } : {}),
        services: { shop: { targets: [service.url], rawPath: true } },
        routes: [{ match: "/*", service: "shop", policies: [{ cache: { store } }] }],
      });
      const isHit = async ([host, path]: Asked): Promise<boolean> => {
        const { status, headers } = await ask(gateway.port, "HTTP/1.1", {
          path,
          headers: { host },
        });
        assert.equal(status, 200, `${host} ${path}`);
        return String(headers["cache-status"]).startsWith("gateward; hit");
      };
      const all = [...BELOW, ...BESIDE];
      for (const asked of all) await until(() => isHit(asked));
      const answer = await fetch(`${gateway.adminUrl}/cache/purge`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ url: `http://${HOST}/products/*` }),
      });
      const { responses } = (await answer.json()) as { responses: number };
      if (store === "memory") assert.equal(responses, BELOW.length);
      for (const asked of BELOW) await until(async () => !(await isHit(asked)));
      for (const asked of BESIDE) assert.ok(await isHit(asked), asked.join(" "));
    },
  );
}
