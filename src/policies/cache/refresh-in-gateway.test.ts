/** What is fetched behind a client's back, among other policies: which of them it meets, and which it does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { until } from "../../../test/support/until.ts";
import { definePolicy } from "../../policy/policy.ts";
import { section } from "../../policy/values/section.ts";
import { testGateway, type TestGatewaySettings } from "../../testing/test-gateway.ts";

const headers = { "cache-control": "public, max-age=60, stale-while-revalidate=600" };
const shop = "http://shop.test";
const key = "key-of-paying-0123456789abcdef";

/** Notes which hooks are called, and marks requests and responses. */
function noting() {
  const notes: string[] = [];
  const policy = definePolicy({
    name: "noting",
    summary: "Notes what it meets, for tests of the cache.",
    schema: section({ name: z.string().describe("What it notes.") }),
    compile: ({ name }) => ({
      onRequest(exchange) {
        notes.push(`${name} request`);
        exchange.request.fields.add("x-passed", name);
      },
      onResponse(exchange) {
        notes.push(`${name} response`);
        exchange.response.fields.add("x-passed", name);
      },
      onEnd() {
        notes.push(`${name} end`);
      },
    }),
  });
  return { notes, policy };
}

const note = (name: string) => ({ noting: { name } });

/** Has an answer kept, and gives it stale; then what is noted is what the refresh has met, and the stale answer. */
async function refreshed(
  document: Parameters<typeof testGateway>[0],
  notes: string[],
  policies: TestGatewaySettings["policies"],
) {
  const gateway = await testGateway(document, {
    policies: policies!,
    services: { shop: () => ({ headers, body: "a" }) },
  });
  const ask = () => gateway.request({ path: "/", headers: { "x-api-key": key } });
  await ask();
  gateway.clock.advance("61s");
  notes.length = 0;
  const { body } = await ask();
  assert.equal(body, "a");
  const stored = () => gateway.metric("gateward_policy_results_total", { result: "stored" });
  await until(() => stored() === 2);
  return { gateway, ask };
}

test("cache refresh: it meets the policies behind the cache alone, both ways, with what those before have left", async () => {
  const { notes, policy } = noting();
  const { gateway, ask } = await refreshed(
    {
      services: { shop: { targets: [{ url: shop }], policies: [note("service")] } },
      policies: [note("gateway")],
      routes: [{ match: "/*", service: "shop", policies: [note("outer"), "cache", note("inner")] }],
    },
    notes,
    [policy],
  );
  await using _ = gateway;
  const times = (one: string) => notes.filter((each) => each === one).length;
  for (const hook of ["request", "response", "end"]) {
    for (const name of ["gateway", "outer"]) assert.equal(times(`${name} ${hook}`), 1, name);
  }
  // Of the client's own request every policy of its route is told the end.
  const inner = notes.filter((one) => one.startsWith("inner"));
  assert.deepEqual(inner, ["inner end", "inner request", "inner response", "inner end"]);
  const [first, second] = gateway.callsTo("shop");
  assert.equal(second!.headers["x-passed"], first!.headers["x-passed"]);
  const { headers: kept } = await ask();
  assert.match(kept["cache-status"] ?? "", /^gateward; hit; ttl=60/);
});

test("cache refresh: it is none of the caller's requests, and known as the caller's to the service", async () => {
  const { notes, policy } = noting();
  const { gateway, ask } = await refreshed(
    {
      services: { shop },
      consumers: { paying: { keys: [{ value: key }], policies: [note("own")], plan: "paid" } },
      plans: { paid: { policies: [{ "rate-limit": { limit: 3, window: "1h" } }] } },
      routes: [
        { match: "/*", service: "shop", policies: ["api-key", { cache: { authorized: true } }] },
      ],
    },
    notes,
    [policy],
  );
  await using _ = gateway;
  assert.deepEqual(notes, ["own request", "own response", "own end"]);
  const [first, second] = gateway.callsTo("shop");
  assert.equal(second!.headers["x-consumer"], first!.headers["x-consumer"]);
  assert.equal((await ask()).status, 200);
  assert.equal((await ask()).status, 429);
});

test("cache refresh: it is begun by no request that the caller's plan refuses", async () => {
  await using gateway = await testGateway(
    {
      services: { shop },
      consumers: { paying: { keys: [{ value: key }], plan: "paid" } },
      plans: { paid: { policies: [{ "rate-limit": { limit: 1, window: "1h" } }] } },
      routes: [{ match: "/*", service: "shop", policies: ["api-key", "cache"] }],
    },
    { services: { shop: () => ({ headers, body: "a" }) } },
  );
  const ask = () => gateway.request({ path: "/", headers: { "x-api-key": key } });
  await ask();
  gateway.clock.advance("61s");
  assert.equal((await ask()).status, 429);
  await new Promise(setImmediate);
  assert.equal(gateway.callsTo("shop").length, 1);
});

test("cache refresh: a cache that is there for some requests only keeps what it brings", async () => {
  const { notes, policy } = noting();
  const document = {
    services: { shop },
    routes: [
      {
        match: "/*",
        service: "shop",
        policies: [{ cache: {}, when: "GET /*" }, note("inner")],
      },
    ],
  };
  const { gateway } = await refreshed(document, notes, [policy]);
  await using _ = gateway;
  assert.deepEqual(notes, ["inner end", "inner request", "inner response", "inner end"]);
});

test("cache refresh: one that a policy holds up is given up after 30 s, and another is begun", async () => {
  let count = 0;
  const stuck = definePolicy({
    name: "stuck",
    summary: "Holds its second request up for ever.",
    schema: section({}).prefault({}),
    compile: () => ({
      onRequest: () => (++count === 2 ? new Promise<undefined>(() => {}) : undefined),
    }),
  });
  await using gateway = await testGateway(
    {
      services: { shop },
      routes: [{ match: "/*", service: "shop", policies: ["cache", "stuck"] }],
    },
    { policies: [stuck], services: { shop: () => ({ headers, body: "a" }) } },
  );
  await gateway.request({ path: "/" });
  gateway.clock.advance("61s");
  await gateway.request({ path: "/" });
  await until(() => count === 2);
  gateway.clock.advance("29s");
  await gateway.request({ path: "/" });
  gateway.clock.advance("2s");
  await gateway.request({ path: "/" });
  assert.equal(gateway.callsTo("shop").length, 1);
  gateway.clock.advance("1s");
  await gateway.request({ path: "/" });
  await until(() => gateway.callsTo("shop").length === 2);
});

test("cache refresh: it goes on where it began while the configuration changes", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const document = {
    services: { shop },
    routes: [{ name: "all", match: "/*", service: "shop", policies: ["cache"] }],
  };
  await using gateway = await testGateway(document, {
    services: {
      shop: async () => {
        if (++count === 2) await promise;
        return { headers, body: `answer ${count}` };
      },
    },
  });
  await gateway.request({ path: "/" });
  gateway.clock.advance("61s");
  await gateway.request({ path: "/" });
  await until(() => count === 2);
  await gateway.reload({ ...document, limits: { bodyBytes: "1mb" } });
  assert.equal((await gateway.request({ path: "/" })).body, "answer 1");
  resolve();
  await until(async () => (await gateway.request({ path: "/" })).body === "answer 2");
  assert.equal(count, 2);
});

test("cache refresh: it asks the service that has answered, where requests are split among several", async () => {
  const { notes, policy } = noting();
  await using gateway = await testGateway(
    {
      services: {
        old: { targets: [{ url: "http://old.test" }], policies: ["cache", note("old")] },
        new: { targets: [{ url: "http://new.test" }], policies: ["cache", note("new")] },
      },
      routes: [
        {
          match: "/*",
          policies: [note("route")],
          split: [{ service: "new", when: { headers: { "x-way": "new" } } }, { service: "old" }],
        },
      ],
    },
    {
      policies: [policy],
      services: {
        old: () => ({ headers: { ...headers, vary: "x-way" }, body: "old" }),
        new: () => ({ headers: { ...headers, vary: "x-way" }, body: "new" }),
      },
    },
  );
  const ask = () => gateway.request({ path: "/", headers: { "x-way": "new" } });
  await ask();
  gateway.clock.advance("61s");
  notes.length = 0;
  assert.equal((await ask()).body, "new");
  const stored = () => gateway.metric("gateward_policy_results_total", { result: "stored" });
  await until(() => stored() === 2);
  assert.deepEqual([gateway.callsTo("new").length, gateway.callsTo("old").length], [2, 0]);
  assert.equal(notes.filter((one) => one === "route request").length, 1);
  assert.equal(notes.filter((one) => one === "new request").length, 1);
  assert.match((await ask()).headers["cache-status"] ?? "", /; hit; ttl=60/);
});
