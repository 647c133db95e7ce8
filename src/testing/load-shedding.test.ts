import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { definePolicy } from "../policy/policy.ts";
import { section } from "../policy/values/section.ts";
import type { TestDocument } from "./test-document.ts";
import { testGateway, type TestExchange, type TestGateway } from "./test-gateway.ts";

/** A service that answers when it is told to. */
function heldService() {
  const waiting: (() => void)[] = [];
  return {
    service: () => new Promise<string>((resolve) => waiting.push(() => resolve("done"))),
    release: async () => {
      // Services are asked once the event is over.
      await setImmediate();
      while (waiting.length > 0) waiting.pop()!();
    },
  };
}

const SHOP_KEY = "Kq8ZrT4wXn2VbY6mJd0sFgHc";
const HOBBY_KEY = "Pz5LhW9eRt1UoI7aSx3CvBnM";

const services = {
  orders: {
    targets: ["http://orders.test"],
    concurrency: { min: 2, start: 8, max: 8 },
  },
};
const routes: TestRoute[] = [
  { match: "/low", service: "orders", priority: "low" },
  { match: "/normal", service: "orders" },
  { match: "/high", service: "orders", priority: "high" },
  { match: "/critical", service: "orders", priority: "critical" },
];

interface TestRoute {
  match: string;
  service: string;
  priority?: "low" | "normal" | "high" | "critical";
}

/** Sends so many and gives how many of them reached the service. */
function send(gateway: TestGateway, path: string, count: number, under: TestExchange[]): number {
  const before = gateway.calls.length;
  for (let i = 0; i < count; i++) under.push(gateway.start({ path }));
  return gateway.calls.length - before;
}

test("load shedding: each priority may fill more of a service's limit than those below", async () => {
  const { service, release } = heldService();
  await using gateway = await testGateway({ services, routes }, { services: { orders: service } });
  const under: TestExchange[] = [];
  assert.equal(send(gateway, "/low", 10, under), 4);
  assert.equal(send(gateway, "/normal", 10, under), 2);
  assert.equal(send(gateway, "/high", 10, under), 1);
  assert.equal(send(gateway, "/critical", 10, under), 1);
  const refused = await under[9]!.response;
  assert.equal(refused.status, 503);
  assert.match(refused.headers["retry-after"]!, /^[1-5]$/);
  assert.equal(JSON.parse(refused.body).type, "https://gateward.dev/problems/service-overloaded");
  const shed = (priority: string) => gateway.metric("gateward_shed_requests_total", { priority });
  assert.deepEqual(["low", "normal", "high", "critical"].map(shed), [6, 8, 9, 9]);
  assert.equal(gateway.log.filter(({ message }) => message === "load shedding begins").length, 1);
  await release();
  await Promise.all(under.map(({ response }) => response));
  assert.equal(send(gateway, "/low", 10, under), 4);
  await release();
  await Promise.all(under.map(({ response }) => response));
});

test("load shedding: a header of the client does not change the priority", async () => {
  const { service, release } = heldService();
  await using gateway = await testGateway({ services, routes }, { services: { orders: service } });
  const headers = { priority: "u=0", "x-priority": "critical" };
  const under = Array.from({ length: 10 }, () => gateway.start({ path: "/low", headers }));
  assert.equal(gateway.calls.length, 4);
  await release();
  await Promise.all(under.map(({ response }) => response));
});

test("load shedding: a caller's plan has its own priority, in place of the route's", async () => {
  const { service, release } = heldService();
  const document: TestDocument = {
    services,
    policies: ["api-key"],
    plans: { gold: { priority: "critical" }, free: { priority: "low" } },
    consumers: {
      shop: { plan: "gold", keys: [SHOP_KEY] },
      hobby: { plan: "free", keys: [HOBBY_KEY] },
    },
    routes: routes.slice(1, 2),
  };
  await using gateway = await testGateway(document, { services: { orders: service } });
  const under: TestExchange[] = [];
  const sendAs = async (key: string): Promise<number> => {
    const before = gateway.calls.length;
    const headers = { "x-api-key": key };
    for (let i = 0; i < 10; i++) under.push(gateway.start({ path: "/normal", headers }));
    await Promise.resolve();
    return gateway.calls.length - before;
  };
  assert.equal(await sendAs(HOBBY_KEY), 4);
  assert.equal(await sendAs(SHOP_KEY), 4);
  await release();
  await Promise.all(under.map(({ response }) => response));
});

test("load shedding: what a policy asks a service has the priority of what it is asked for", async () => {
  const { service, release } = heldService();
  const asks = definePolicy({
    name: "asks",
    summary: "Asks a service.",
    schema: section({}).prefault({}),
    compile: (_, { call }) => ({
      async onRequest(exchange) {
        await call("orders", { method: "GET", target: "/", within: exchange });
        return undefined;
      },
    }),
  });
  const document: TestDocument = {
    services: { ...services, other: "http://other.test" },
    routes: [
      { match: "/low", service: "other", priority: "low", policies: ["asks"] },
      { match: "/critical", service: "other", priority: "critical", policies: ["asks"] },
      { match: "/orders", service: "orders" },
    ],
  };
  await using gateway = await testGateway(document, {
    services: { orders: service },
    policies: [asks],
  });
  const under: TestExchange[] = [];
  assert.equal(send(gateway, "/low", 10, under), 4);
  assert.equal(send(gateway, "/critical", 10, under), 4);
  await release();
  await Promise.all(under.map(({ response }) => response));
});

test("load shedding: an overloaded gateway refuses by priority, before any policy", async () => {
  const load = { eventLoopMs: 0, memoryShare: 0.95 };
  const document: TestDocument = {
    overload: true,
    services: { orders: "http://orders.test" },
    routes: [
      ...routes,
      { match: "/known", service: "orders", priority: "low", policies: ["api-key"] },
    ],
    plans: { gold: { priority: "critical" } },
    consumers: { shop: { plan: "gold", keys: [SHOP_KEY] }, hobby: { keys: [HOBBY_KEY] } },
  };
  await using gateway = await testGateway(document, { load });
  const status = async (path: string, key = ""): Promise<number> => {
    const headers = key === "" ? {} : { "x-api-key": key };
    return (await gateway.request({ path, headers })).status;
  };
  // Until a worker looks.
  assert.equal(await status("/low"), 200);
  gateway.clock.advance("1s");
  assert.equal(await status("/low"), 503);
  assert.equal(await status("/normal"), 503);
  assert.equal(await status("/critical"), 200);
  assert.equal(await status("/known", SHOP_KEY), 200);
  assert.equal(await status("/known", HOBBY_KEY), 503);
  const refused = await gateway.request({ path: "/normal" });
  assert.match(refused.headers["retry-after"]!, /^[1-5]$/);
  assert.equal(refused.outcome.fault, "gateway-overloaded");
  const shed = gateway.metric("gateward_shed_requests_total", { reason: "memory", service: "" });
  assert.equal(shed, 4);
  assert.ok(gateway.metric("gateward_overload_pressure") > 0.6);
  load.memoryShare = 0.5;
  gateway.clock.advance("2s");
  assert.equal(await status("/low"), 200);
  await gateway.reload({ ...document, overload: false });
  load.memoryShare = 1;
  gateway.clock.advance("2s");
  assert.equal(await status("/low"), 200);
});
