/** The cache of several workers at a real gateway: one request for what many ask at once, and purges for all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { rush } from "../support/rush.ts";

const shared = fileCleanup();
/** Time for all to ask before the first is answered; later crowds are small. */
const FIRST_ANSWER_MS = 1500;
const ANSWER_MS = 200;

async function startScene() {
  const service = await startHttpService(shared, {
    answer: (_, response) => {
      const delayMs = service.seen.length > 1 ? ANSWER_MS : FIRST_ANSWER_MS;
      setTimeout(() => {
        response.setHeader("cache-control", "max-age=600");
        response.setHeader("cache-tag", "product");
        response.end("x".repeat(5000));
      }, delayMs);
    },
  });
  const gateway = await startGateway(shared, {
    workers: 2,
    services: { products: service.url },
    routes: [{ match: "GET /*", service: "products", policies: [{ cache: { wait: "20s" } }] }],
  });
  return { service, gateway };
}

async function purge(gateway: Gateway, what: object): Promise<void> {
  const { status } = await fetch(`${gateway.adminUrl}/cache/purge`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(what),
  });
  assert.equal(status, 200);
}

test("cache: a thousand clients who ask two workers at once for one URL make one request", async () => {
  const { service, gateway } = await startScene();
  const crowd = { ports: [gateway.port], path: "/a", count: 1000, clients: 1000 };
  assert.deepEqual(await rush(crowd), { 200: 1000 });
  assert.equal(service.seen.length, 1);
  assert.equal(await metricValue(gateway, "gateward_cache_entries"), 1);

  const { url } = gateway;
  for (const what of [
    { url: `${url}/a` },
    { url: `${url}//%61` },
    { tag: "product" },
    { all: true },
  ]) {
    await purge(gateway, what);
    const before: number = service.seen.length;
    assert.deepEqual(await rush({ ...crowd, count: 40, clients: 40 }), { 200: 40 });
    assert.equal(service.seen.length, before + 1, JSON.stringify(what));
  }
  await purge(gateway, { url: `${gateway.url}/b` });
  await purge(gateway, { tag: "other" });
  await rush({ ...crowd, count: 40, clients: 40 });
  assert.equal(service.seen.length, 5);
});
