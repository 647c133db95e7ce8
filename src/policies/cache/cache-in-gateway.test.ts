/** The cache among other policies: what they see on a hit, and in which order they may stand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { until } from "../../../test/support/until.ts";
import { BodyStage } from "../../policy/body-stage.ts";
import { definePolicy } from "../../policy/policy.ts";
import { section } from "../../policy/values/section.ts";
import { ConfigRefused } from "../../testing/test-document.ts";
import { testGateway } from "../../testing/test-gateway.ts";

const FRESH = { "cache-control": "public, max-age=60" };

/** Adds to bodies and headers of responses, so that it shows how often it has met one. */
class MarkingStage extends BodyStage {
  readonly holdsHead = false;

  write(bytes: Buffer, start: number, end: number): void {
    this.sink.push(bytes, start, end);
  }

  end(): void {
    this.sink.push(Buffer.from("!"), 0, 1);
    this.sink.end();
  }
}

const marking = definePolicy({
  name: "marking",
  summary: "Marks what passes it, for tests of the cache.",
  schema: section({ name: z.string().describe("What it adds.") }),
  compile: ({ name }) => ({
    onResponse(exchange) {
      exchange.response.fields.add("x-mark", name);
      exchange.stageResponse(new MarkingStage());
    },
  }),
});

test("cache among policies: those behind it see an answer once, those before it each time", async () => {
  await using gateway = await testGateway(
    {
      services: { shop: "http://shop.test" },
      routes: [
        {
          match: "/*",
          service: "shop",
          policies: [{ marking: { name: "outer" } }, "cache", { marking: { name: "inner" } }],
        },
      ],
    },
    { policies: [marking], services: { shop: () => ({ headers: FRESH, body: "a" }) } },
  );
  for (const _ of [1, 2, 3]) {
    const { headers, body } = await gateway.request({ path: "/" });
    assert.deepEqual([headers["x-mark"], body], ["inner, outer", "a!!"]);
  }
  assert.equal(gateway.callsTo("shop").length, 1);
});

const consumers = {
  paying: { keys: [{ value: "key-of-paying-0123456789abcdef" }], plan: "paid" },
  other: { keys: [{ value: "key-of-other-0123456789abcdef" }], plan: "free" },
};

test("cache among policies: a plan that does not cover the route is no way to what is kept", async () => {
  await using gateway = await testGateway(
    {
      services: { shop: "http://shop.test" },
      consumers,
      plans: {
        paid: { routes: ["shop"], policies: [{ "rate-limit": { limit: 2, window: "1h" } }] },
        free: { routes: ["none"] },
      },
      routes: [
        { name: "shop", match: "/*", service: "shop", policies: ["api-key", "cache"] },
        { name: "none", match: "/none", service: "shop" },
      ],
    },
    { services: { shop: () => ({ headers: FRESH, body: "a" }) } },
  );
  const ask = async (name: keyof typeof consumers) => {
    const headers = { "x-api-key": consumers[name].keys[0]!.value };
    return (await gateway.request({ path: "/", headers })).status;
  };
  assert.equal(await ask("paying"), 200);
  assert.equal(await ask("paying"), 200);
  assert.equal(gateway.callsTo("shop").length, 1);
  assert.equal(await ask("other"), 403);
  assert.equal(await ask("paying"), 429);
});

test("cache among policies: it may not answer before it is asked who is calling", async () => {
  const document = (policies: unknown[]) => ({
    services: { shop: "http://shop.test" },
    consumers,
    plans: { paid: {}, free: {} },
    routes: [{ match: "/*", service: "shop", policies }],
  });
  await assert.rejects(testGateway(document(["cache", "api-key"]) as never), (error: Error) => {
    assert.ok(error instanceof ConfigRefused);
    assert.match(error.message, /cache answers before api-key is asked/);
    return true;
  });
  for (const policies of [
    ["api-key", "cache"],
    [{ cache: { shared: true } }, "api-key"],
  ]) {
    await using _ = await testGateway(document(policies) as never);
  }
});

const purging = definePolicy({
  name: "purging",
  summary: "Purges what it is asked to.",
  schema: section({}).prefault({}),
  compile: (_, environment) => ({
    onRequest(exchange) {
      const tag = exchange.query("purge");
      if (tag === "all") environment.cache("memory").purgeAll();
      else if (tag !== undefined) environment.cache("memory").purgeTags([tag]);
    },
  }),
});

for (const [purge, isPurged] of [
  ["all", true],
  ["tag price", true],
  ["url http://shop.example/a?b=1", true],
  ["under http://shop.example/", true],
  ["under http://shop.example/a/", false],
  ["tag other", false],
] as const) {
  test(`cache among policies: a purge of ${purge} while an answer is fetched, for which nobody leads`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let count = 0;
    await using gateway = await testGateway(
      {
        services: { shop: "http://shop.test" },
        routes: [
          { match: "/*", service: "shop", policies: ["purging", { cache: { wait: "none" } }] },
        ],
      },
      {
        policies: [purging],
        services: {
          shop: async ({ method }) => {
            if (method === "HEAD") return {};
            const body = `answer ${++count}`;
            if (count === 1) await promise;
            return { headers: { ...FRESH, "cache-tag": "price" }, body };
          },
        },
      },
    );
    const held = { path: "/a?b=1", headers: { host: "shop.example" } };
    const first = gateway.request(held);
    await until(() => count === 1);
    await gateway.request({ path: `/?purge=${encodeURIComponent(purge)}`, method: "HEAD" });
    resolve();
    assert.equal((await first).body, "answer 1");
    assert.equal((await gateway.request(held)).body, isPurged ? "answer 2" : "answer 1");
  });
}

for (const changed of ["/held", "/%68eld"]) {
  test(`cache among policies: what ${changed} changes while it is fetched is not kept, though nobody leads`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let count = 0;
    await using gateway = await testGateway(
      {
        services: { shop: "http://shop.test" },
        routes: [{ match: "/*", service: "shop", policies: [{ cache: { wait: "none" } }] }],
      },
      {
        services: {
          shop: async ({ method }) => {
            if (method === "PUT") return {};
            const body = `answer ${++count}`;
            if (count === 1) await promise;
            return { headers: FRESH, body };
          },
        },
      },
    );
    const first = gateway.request({ path: "/held" });
    await until(() => count === 1);
    await gateway.request({ path: changed, method: "PUT" });
    resolve();
    assert.equal((await first).body, "answer 1");
    assert.equal((await gateway.request({ path: "/held" })).body, "answer 2");
  });
}

test("cache among policies: two routes of one address share no answers, and forget together", async () => {
  await using gateway = await testGateway(
    {
      policies: ["cache"],
      services: { plain: "http://plain.test", mobile: "http://mobile.test" },
      routes: [
        {
          match: { path: "/*", methods: "GET", headers: { "x-channel": "mobile" } },
          service: "mobile",
        },
        { match: "GET /*", service: "plain" },
        { match: "PUT /*", service: "plain" },
      ],
    },
    {
      services: {
        plain: () => ({ headers: FRESH, body: "plain" }),
        mobile: () => ({ headers: FRESH, body: "mobile" }),
      },
    },
  );
  const mobile = { headers: { "x-channel": "mobile" } };
  for (const _ of [1, 2, 3]) {
    assert.equal((await gateway.request({ path: "/" })).body, "plain");
    assert.equal((await gateway.request({ path: "/", ...mobile })).body, "mobile");
  }
  const { length } = gateway.calls;
  assert.equal(length, 2);
  await gateway.request({ method: "PUT", path: "/" });
  await gateway.request({ path: "/" });
  await gateway.request({ path: "/", ...mobile });
  assert.equal(gateway.calls.length, length + 3);
});
