import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { fillResponse, requestOf, type PolicyScene } from "../../../test/support/policy-run.ts";
import { Fault } from "../../base/faults.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { PolicyPlace } from "../../policy/environment.ts";
import { Identity } from "../../policy/identity.ts";
import type { PolicySurroundings } from "../../policy/policy.ts";
import { limitsScript } from "../../policy/redis-limits-script.ts";
import { FakeRedisStore } from "../../testing/fake-redis-store.ts";
import { TestClock } from "../../testing/test-clock.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import rateLimit from "./rate-limit.ts";

type Options = z.input<typeof rateLimit.schema>;

interface Scene extends PolicyScene {
  identity?: Identity;
}

interface Answer {
  /** 200 where the request went on. */
  status: number;
  /** Of the refusal or of the response, by lower-case name. */
  headers: Record<string, string>;
}

/** One use of the policy, and a clock that the test moves. */
class Use {
  readonly clock = new TestClock();
  readonly redis = new FakeRedisStore(this.clock);
  readonly results: Record<string, number> = {};
  private readonly hooks: ReturnType<typeof rateLimit.compile>;

  constructor(options: Options, place?: PolicyPlace) {
    const environment = testEnvironment(rateLimit, {
      clock: this.clock,
      redis: () => this.redis,
      ...(place === undefined ? {} : { place }),
    });
    const counter = (result: string) => {
      const add = (amount: number) => (this.results[result] = (this.results[result] ?? 0) + amount);
      return { add } as unknown as Counter;
    };
    this.hooks = rateLimit.compile(rateLimit.schema.parse(options), { ...environment, counter });
  }

  async ask(scene: Scene = {}): Promise<Answer> {
    const exchange = requestOf(scene);
    exchange.identity = scene.identity ?? null;
    const verdict = await this.hooks.onRequest!(exchange);
    fillResponse(exchange, scene);
    await this.hooks.onResponse?.(exchange);
    const headers: Record<string, string> = {};
    if (verdict !== undefined) {
      assert.ok(verdict instanceof Fault);
      Object.assign(headers, verdict.headers);
    }
    exchange.response.fields.each((name, value) => (headers[name.toLowerCase()] = value));
    return { status: verdict === undefined ? 200 : verdict.status, headers };
  }

  /** How many of `count` requests pass. */
  async passing(count: number, scene: Scene = {}): Promise<number> {
    let passed = 0;
    for (let asked = 0; asked < count; asked++) {
      if ((await this.ask(scene)).status === 200) passed += 1;
    }
    return passed;
  }
}

function consumer(name: string): Identity {
  const groups: string[] = [];
  const facts = { name, groups, roles: groups, scopes: groups, metadata: {}, plan: "" };
  return new Identity({ method: "api-key", subject: name, consumer: facts });
}

test("rate-limit: lets as many pass as it says, then refuses, then lets pass again", async () => {
  const use = new Use({ limit: 3, window: "10s" });
  assert.equal(await use.passing(5), 3);
  const { status, headers } = await use.ask();
  assert.equal(status, 429);
  assert.equal(headers["retry-after"], "14");
  use.clock.advance("13s");
  assert.equal((await use.ask()).status, 429);
  use.clock.advance("1s");
  assert.equal((await use.ask()).status, 200);
  assert.deepEqual(use.results, { allowed: 4, limited: 4 });
});

test("rate-limit: the name alone is a hundred a minute for each client", async () => {
  const use = new Use(undefined);
  assert.equal(await use.passing(101), 100);
  assert.equal(await use.passing(1, { clientAddress: "192.0.2.2" }), 1);
});

test("rate-limit: a fixed window begins anew at its edge", async () => {
  const use = new Use({ limit: 2, window: "1m", algorithm: "fixed-window" });
  use.clock.advance("59s");
  assert.equal(await use.passing(3), 2);
  assert.equal((await use.ask()).headers["retry-after"], "1");
  use.clock.advance("1s");
  assert.equal(await use.passing(3), 2);
});

test("rate-limit: a token bucket lets a burst pass, then its rate", async () => {
  const use = new Use({ limit: 10, window: "1s", algorithm: "token-bucket", burst: 4 });
  assert.equal(await use.passing(6), 4);
  use.clock.advance(100);
  assert.equal(await use.passing(2), 1);
});

test("rate-limit: clients are told beforehand, by the current draft", async () => {
  const use = new Use({ limit: 5, window: "10s", algorithm: "fixed-window", name: "orders" });
  const first = await use.ask();
  assert.equal(first.headers["ratelimit-policy"], '"orders";q=5;w=10');
  assert.equal(first.headers["ratelimit"], '"orders";r=4;t=10');
  use.clock.advance(2500);
  await use.passing(4);
  const refused = await use.ask();
  assert.equal(refused.headers["ratelimit"], '"orders";r=0;t=8');
  assert.equal(refused.headers["retry-after"], "8");
});

test("rate-limit: or by the headers of old, or not at all", async () => {
  const old = await new Use({ limit: 5, window: "10s", headers: "legacy" }).ask({
    responseHeaders: { "X-RateLimit-Limit": "of the service" },
  });
  assert.equal(old.headers["x-ratelimit-limit"], "5");
  assert.equal(old.headers["x-ratelimit-remaining"], "4");
  assert.equal(old.headers["x-ratelimit-reset"], "20");
  assert.equal(old.headers["ratelimit"], undefined);
  const { headers } = await new Use({ limit: 5, headers: "none" }).ask();
  assert.deepEqual(headers, {});
});

test("rate-limit: of several limits all hold, and headers tell of the nearest", async () => {
  const use = new Use({
    algorithm: "fixed-window",
    limits: [
      { limit: 3, window: "1s" },
      { limit: 7, window: "1h" },
    ],
  });
  const { headers } = await use.ask();
  assert.equal(headers["ratelimit-policy"], '"1s";q=3;w=1, "1h";q=7;w=3600');
  assert.equal(headers["ratelimit"], '"1s";r=2;t=1');
  assert.equal(await use.passing(5), 2);
  use.clock.advance("1s");
  assert.equal(await use.passing(5), 3);
  use.clock.advance("1s");
  assert.equal(await use.passing(5), 1);
  const refused = await use.ask();
  assert.equal(refused.headers["ratelimit"], '"1h";r=0;t=3598');
  assert.equal(refused.headers["retry-after"], "3598");
});

test("rate-limit: what one limit refuses takes nothing from the others", async () => {
  const use = new Use({
    algorithm: "fixed-window",
    limits: [
      { limit: 4, window: "1h", by: "all" },
      { limit: 1, window: "1h", by: "address" },
    ],
  });
  assert.equal(await use.passing(10, { clientAddress: "192.0.2.1" }), 1);
  assert.equal(await use.passing(10, { clientAddress: "192.0.2.2" }), 1);
  assert.equal(await use.passing(10, { clientAddress: "192.0.2.3" }), 1);
  const { headers } = await use.ask({ clientAddress: "192.0.2.4" });
  assert.equal(headers["ratelimit"], '"1h";r=0;t=3600');
  assert.equal(await use.passing(1, { clientAddress: "192.0.2.5" }), 0);
});

test("rate-limit: a request that two limits refuse is told of the longer wait", async () => {
  const use = new Use({
    algorithm: "fixed-window",
    limits: [
      { limit: 1, window: "1m", by: "address" },
      { limit: 1, window: "1h", by: "all" },
    ],
  });
  await use.ask();
  assert.equal((await use.ask()).headers["retry-after"], "3600");
});

test("rate-limit: callers are counted apart, wherever they come from", async () => {
  const use = new Use({ limit: 2 });
  const [acme, other] = [consumer("acme"), consumer("other")];
  assert.equal(await use.passing(2, { identity: acme, clientAddress: "192.0.2.7" }), 2);
  assert.equal(await use.passing(1, { identity: acme, clientAddress: "192.0.2.8" }), 0);
  assert.equal(await use.passing(1, { identity: other, clientAddress: "192.0.2.7" }), 1);
});

test("rate-limit: IPv6 addresses of one network are one client", async () => {
  const use = new Use({ limit: 4, by: "address" });
  const passed: number[] = [];
  for (let host = 0; host < 8; host++) {
    passed.push(await use.passing(1, { clientAddress: `2001:db8:0:1::${host.toString(16)}` }));
  }
  assert.deepEqual(passed, [1, 1, 1, 1, 0, 0, 0, 0]);
  assert.equal(await use.passing(1, { clientAddress: "2001:db8:0:2::1" }), 1);
  const narrow = new Use({ limit: 1, by: "address", ipv6Prefix: 128 });
  assert.equal(await narrow.passing(1, { clientAddress: "2001:db8::1" }), 1);
  assert.equal(await narrow.passing(1, { clientAddress: "2001:db8::2" }), 1);
});

test("rate-limit: an IPv4 address is one client, however it is written", async () => {
  const use = new Use({ limit: 1, by: "address" });
  assert.equal(await use.passing(1, { clientAddress: "192.0.2.1" }), 1);
  assert.equal(await use.passing(1, { clientAddress: "::ffff:192.0.2.1" }), 0);
  assert.equal(await use.passing(1, { clientAddress: "::ffff:c000:201" }), 0);
});

test("rate-limit: a header's spelling, blanks around it and its absence dodge nothing", async () => {
  const use = new Use({ limit: 2, by: { header: "X-Api-User" } });
  assert.equal(await use.passing(1, { headers: { "x-api-user": "ann" } }), 1);
  assert.equal(await use.passing(1, { headers: { "X-API-USER": "  ann\t " } }), 1);
  assert.equal(await use.passing(1, { headers: { "X-Api-uSER": "ann" } }), 0);
  assert.equal(await use.passing(2), 2);
  assert.equal(await use.passing(1, { headers: { "x-api-user": "" } }), 0);
});

test("rate-limit: a key of any size counts, and is not kept", async () => {
  const use = new Use({ limit: 1, by: { header: "x-key" } });
  const long = "k".repeat(30_000);
  assert.equal(await use.passing(2, { headers: { "x-key": long } }), 1);
  assert.equal(await use.passing(1, { headers: { "x-key": `${long}.` } }), 1);
});

test("rate-limit: costs are numbers or expressions; one that fails is 1", async () => {
  assert.equal(await new Use({ limit: 10, cost: 3 }).passing(5), 3);
  const use = new Use({ limit: 10, cost: "request.method == 'POST' ? 5 : 1" });
  assert.equal(await use.passing(3, { method: "POST" }), 2);
  const failing = new Use({ limit: 2, cost: "int(request.headers['x-cost'])" });
  assert.equal(await failing.passing(5), 2);
  const negative = new Use({ limit: 2, cost: "-5" });
  assert.equal(await negative.passing(5), 2);
  const free = new Use({ limit: 1, cost: "request.path == '/free' ? 0 : 1" });
  assert.equal(await free.passing(3, { target: "/free" }), 3);
  assert.equal(await free.passing(3, { target: "/paid" }), 1);
});

test("rate-limit: what costs more than the limit is refused without a time to try again", async () => {
  const use = new Use({ limit: 5, cost: "int(request.query['n'])" });
  const { status, headers } = await use.ask({ target: "/?n=6" });
  assert.equal(status, 429);
  assert.equal(headers["retry-after"], undefined);
  assert.equal(await use.passing(1, { target: "/?n=5" }), 1);
});

test("rate-limit: a dry run refuses nothing, tells clients nothing, and counts", async () => {
  const use = new Use({ limit: 2, dryRun: true });
  assert.equal(await use.passing(5), 5);
  assert.deepEqual((await use.ask()).headers, {});
  assert.deepEqual(use.results, { allowed: 2, "would-limit": 4 });
});

test("rate-limit: in a plan each consumer has the limit for itself", async () => {
  const use = new Use({ limit: 1, by: "route" }, { kind: "plan", name: "free" });
  assert.equal(await use.passing(2, { identity: consumer("a") }), 1);
  assert.equal(await use.passing(2, { identity: consumer("b") }), 1);
});

test("rate-limit: with Redis its verdict holds, for keys that say nothing", async () => {
  const use = new Use({ limit: 2, by: { header: "authorization" }, store: "redis" });
  const seen: string[] = [];
  use.redis.answer(limitsScript, (keys) => {
    seen.push(...keys);
    return seen.length <= 2
      ? [1, "1", String(2 - seen.length), "60000", "0"]
      : [0, "0", "0", "60000", "4000"];
  });
  const scene = { headers: { authorization: "Bearer s3cret" } };
  assert.equal((await use.ask(scene)).headers["ratelimit"], '"default";r=1;t=60');
  assert.equal(await use.passing(1, scene), 1);
  const { status, headers } = await use.ask(scene);
  assert.deepEqual([status, headers["retry-after"]], [429, "4"]);
  assert.ok(seen.every((key) => !key.includes("s3cret")));
  assert.deepEqual(use.results, { allowed: 2, limited: 1 });
});

for (const how of ["away", "failing"] as const) {
  const away = (options: Options): Use => {
    const use = new Use({ limit: 2, store: "redis", ...options });
    if (how === "away") use.redis.isReady = false;
    return use;
  };

  test(`rate-limit: with Redis ${how} this process counts`, async () => {
    const use = away({});
    assert.equal(await use.passing(3), 2);
    assert.deepEqual(use.results, { "store-away": 3, allowed: 2, limited: 1 });
  });

  test(`rate-limit: with Redis ${how} all pass, or none, where that is chosen`, async () => {
    assert.equal(await away({ whenStoreIsAway: "allow" }).passing(5), 5);
    const use = away({ whenStoreIsAway: "deny" });
    assert.equal((await use.ask()).status, 503);
    assert.deepEqual(use.results, { "store-away": 1 });
  });
}

const surroundings: PolicySurroundings = {
  place: "route",
  earlier: [],
  services: [],
  consumers: [],
  plans: [],
  hasRedis: false,
};

const senseless: readonly (readonly [what: string, options: Options, message: RegExp])[] = [
  ["a burst of a window", { limit: 5, burst: 9 }, /sliding-window has no burst/],
  ["a cost above the limit", { limit: 5, cost: 6 }, /no more than 5 are ever there/],
  ["a cost of nothing", { cost: 0 }, /not limited/],
  ["Redis without one", { store: "redis" }, /no Redis/],
  ["limits beside a limit", { limit: 5, limits: [{ limit: 1 }] }, /limit stands beside limits/],
  [
    "a longer limit that is less",
    {
      limits: [
        { limit: 100, window: "1s" },
        { limit: 50, window: "1h" },
      ],
    },
    /limit of 100 in 1s is never reached/,
  ],
  [
    "a longer limit out of reach",
    {
      limits: [
        { limit: 10, window: "1s" },
        { limit: 1000, window: "1m" },
      ],
    },
    /limit of 1000 in 1m is never reached: the limit of 10 in 1s lets 610/,
  ],
  ["a window that a restart ends", { limit: 9, window: "7d" }, /restart/],
];

for (const [what, options, message] of senseless) {
  test(`rate-limit: check tells of ${what}`, () => {
    const mistakes = rateLimit.check!(rateLimit.schema.parse(options), surroundings);
    assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
    assert.match(mistakes[0]!.message, message);
  });
}

test("rate-limit: check is content with limits that complement each other", () => {
  const options: Options = {
    store: "redis",
    limits: [
      { limit: 10, window: "1s" },
      { limit: 300, window: "1m" },
      { limit: 5, window: "1h", by: "all" },
      { limit: 20, window: "1s", algorithm: "token-bucket", burst: 50, by: "address" },
    ],
  };
  const mistakes = rateLimit.check!(rateLimit.schema.parse(options), {
    ...surroundings,
    hasRedis: true,
  });
  assert.deepEqual(mistakes, []);
});

test("rate-limit: what counts by callers needs to know them", () => {
  const needs = (options: Options) => rateLimit.needs!(rateLimit.schema.parse(options));
  assert.deepEqual(needs({}), []);
  assert.deepEqual(needs({ by: "consumer" }), ["identity"]);
  assert.deepEqual(needs({ limits: [{}, { by: { claim: "tenant" } }] }), ["identity"]);
});

for (const options of [
  { limit: 0 },
  { limit: "many" },
  { window: 60 },
  { window: "90d" },
  { by: "nobody" },
  { by: { expression: "request.pth" } },
  { cost: "request.method ==" },
  { cost: -1 },
  { limits: [] },
  { name: 'a"b' },
  { ipv6Prefix: 129 },
]) {
  test(`rate-limit: ${JSON.stringify(options)} is refused`, () => {
    assert.equal(rateLimit.schema.safeParse(options).success, false);
  });
}
