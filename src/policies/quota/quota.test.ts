import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { fillResponse, requestOf, type PolicyScene } from "../../../test/support/policy-run.ts";
import { Fault } from "../../base/faults.ts";
import { MemoryLedger } from "../../base/limits/memory-ledger.ts";
import { QuotaMemory } from "../../base/limits/quota-memory.ts";
import { SharedQuotaTable } from "../../base/limits/shared-quota-table.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import { Identity } from "../../policy/identity.ts";
import type { PolicySurroundings } from "../../policy/policy.ts";
import { FakeRedisStore } from "../../testing/fake-redis-store.ts";
import { TestClock } from "../../testing/test-clock.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import { quotaScript } from "./redis-quota.ts";
import quota from "./quota.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

type Options = z.input<typeof quota.schema>;

interface Scene extends PolicyScene {
  identity?: Identity;
  /** The client has left before there was an answer. */
  isLeft?: boolean;
}

interface Answer {
  /** 200 where the request went on. */
  status: number;
  headers: Record<string, string>;
}

/** One use of the policy, in a process of its own. */
class Use {
  readonly clock: TestClock;
  readonly redis: FakeRedisStore;
  readonly results: Record<string, number> = {};
  private readonly hooks: ReturnType<typeof quota.compile>;

  constructor(options: Options, { ledger = new MemoryLedger(), clock = new TestClock() } = {}) {
    this.clock = clock;
    this.redis = new FakeRedisStore(clock);
    const environment = testEnvironment(quota, {
      clock,
      redis: () => this.redis,
      quotas: new SharedQuotaTable(
        new QuotaMemory(64, TEST_SECRET).handle,
        1,
        ledger,
        assert.ifError,
      ),
    });
    const counter = (result: string) => {
      const add = (amount: number) => (this.results[result] = (this.results[result] ?? 0) + amount);
      return { add } as unknown as Counter;
    };
    this.hooks = quota.compile(quota.schema.parse(options), { ...environment, counter });
  }

  async ask(scene: Scene = {}): Promise<Answer> {
    const exchange = requestOf(scene);
    exchange.identity = scene.identity ?? null;
    const verdict = await this.hooks.onRequest!(exchange);
    const headers: Record<string, string> = {};
    if (scene.isLeft !== true) {
      fillResponse(exchange, scene);
      await this.hooks.onResponse?.(exchange);
      exchange.response.fields.each((name, value) => (headers[name.toLowerCase()] = value));
    }
    this.hooks.onEnd?.(exchange);
    if (verdict === undefined) return { status: 200, headers };
    assert.ok(verdict instanceof Fault);
    return { status: verdict.status, headers: { ...headers, ...verdict.headers } };
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

function consumer(name: string, metadata: Record<string, unknown> = {}): Identity {
  const none: string[] = [];
  const facts = { name, groups: none, roles: none, scopes: none, metadata, plan: "" };
  return new Identity({ method: "api-key", subject: name, consumer: facts });
}

test("quota: holds until the period ends, then begins anew", async () => {
  const use = new Use(
    { limit: 3, period: "day" },
    { clock: new TestClock("2026-03-05T22:30:00Z") },
  );
  assert.equal(await use.passing(5), 3);
  const { status, headers } = await use.ask();
  assert.deepEqual([status, headers["retry-after"]], [429, "5400"]);
  use.clock.advance("89m59s");
  assert.equal(await use.passing(1), 0);
  use.clock.advance("1s");
  assert.equal(await use.passing(5), 3);
  assert.deepEqual(use.results, { allowed: 6, limited: 6 });
});

test("quota: outlasts the process", async () => {
  const ledger = new MemoryLedger();
  assert.equal(await new Use({ limit: 5 }, { ledger }).passing(3), 3);
  assert.equal(await new Use({ limit: 5 }, { ledger }).passing(5), 2);
});

test("quota: days begin at midnight where the time zone says", async () => {
  const clock = new TestClock("2026-07-05T21:59:00Z");
  const use = new Use({ limit: 1, period: "day", timezone: "Europe/Berlin" }, { clock });
  assert.equal(await use.passing(2), 1);
  assert.equal((await use.ask()).headers["retry-after"], "60");
  clock.advance("1m");
  assert.equal(await use.passing(2), 1);
});

test("quota: months may begin on any day, for all alike or for each consumer", async () => {
  const clock = new TestClock("2026-03-14T23:00:00Z");
  const fixed = new Use({ limit: 1, anchor: "2026-01-15" }, { clock });
  assert.equal(await fixed.passing(2), 1);
  assert.equal((await fixed.ask()).headers["retry-after"], "3600");
  const own = new Use({ limit: 1, anchor: { metadata: "since" } }, { clock });
  const waits: (string | undefined)[] = [];
  for (const since of ["2025-12-15", "2026-03-14T22:59:00Z", "no date", undefined]) {
    const identity = consumer(`${since}`, { since });
    assert.equal(await own.passing(2, { identity }), 1);
    waits.push((await own.ask({ identity })).headers["retry-after"]);
  }
  const untilApril = `${(17 * 24 + 1) * 3600}`;
  assert.deepEqual(waits, ["3600", `${31 * 86_400 - 60}`, untilApril, untilApril]);
});

test("quota: a day alone is one of the time zone, a moment is one everywhere", async () => {
  const clock = new TestClock("2026-07-14T21:59:00Z");
  const waitOf = async (anchor: string) => {
    const use = new Use({ limit: 1, anchor, timezone: "Europe/Berlin" }, { clock });
    await use.ask();
    return (await use.ask()).headers["retry-after"];
  };
  assert.equal(await waitOf("2026-01-15"), "60");
  assert.equal(await waitOf("2026-01-15T00:00:00Z"), "3660");
});

test("quota: callers count apart, and who is not known by the address", async () => {
  const use = new Use({ limit: 1 });
  assert.equal(await use.passing(2, { identity: consumer("a") }), 1);
  assert.equal(await use.passing(2, { identity: consumer("b") }), 1);
  assert.equal(await use.passing(2, { clientAddress: "192.0.2.7" }), 1);
  assert.equal(await use.passing(2, { clientAddress: "2001:db8::1" }), 1);
  assert.equal(await use.passing(2, { clientAddress: "2001:db8::2" }), 0);
});

test("quota: a request may cost more, and one that costs too much is told of no time", async () => {
  const use = new Use({ limit: 10, cost: "int(request.query['n'])" });
  assert.equal(await use.passing(2, { target: "/?n=4" }), 2);
  assert.equal((await use.ask({ target: "/?n=3" })).status, 429);
  assert.equal(await use.passing(1, { target: "/?n=2" }), 1);
  const { status, headers } = await use.ask({ target: "/?n=11" });
  assert.deepEqual([status, headers["retry-after"]], [429, undefined]);
});

test("quota: answers that do not count are given back, also where there is none", async () => {
  const use = new Use({ limit: 2, count: ["2xx", 404] });
  assert.equal((await use.ask({ status: 500 })).headers["ratelimit"]?.slice(0, 11), '"month";r=2');
  assert.equal((await use.ask({ status: 404 })).headers["ratelimit"]?.slice(0, 11), '"month";r=1');
  assert.equal(await use.passing(3, { status: 503 }), 3);
  assert.equal(await use.passing(3, { isLeft: true }), 3);
  assert.equal(await use.passing(1, { status: 201 }), 1);
  assert.equal(await use.passing(1, { status: 503 }), 0);
});

test("quota: clients are told what is left and until when", async () => {
  const clock = new TestClock("2026-02-27T00:00:00Z");
  const draft = await new Use({ limit: 100, cost: 30 }, { clock }).ask();
  assert.equal(draft.headers["ratelimit-policy"], '"month";q=100;w=2419200');
  assert.equal(draft.headers["ratelimit"], '"month";r=70;t=172800');
  const named = await new Use({ limit: 100, name: "free-tier" }, { clock }).ask();
  assert.match(named.headers["ratelimit"]!, /^"free-tier";r=99;/);
  const legacy = await new Use({ limit: 100, headers: "legacy" }, { clock }).ask();
  assert.equal(legacy.headers["x-ratelimit-limit"], "100");
  assert.equal(legacy.headers["x-ratelimit-remaining"], "99");
  assert.equal(legacy.headers["x-ratelimit-reset"], "172800");
  assert.deepEqual((await new Use({ limit: 100, headers: "none" }, { clock }).ask()).headers, {});
});

test("quota: a dry run refuses nothing, tells clients nothing, and counts", async () => {
  const use = new Use({ limit: 2, dryRun: true });
  assert.equal(await use.passing(5), 5);
  assert.deepEqual((await use.ask()).headers, {});
  assert.deepEqual(use.results, { allowed: 2, "would-limit": 4 });
});

test("quota: with Redis its count holds, for keys that say nothing and end with the period", async () => {
  const clock = new TestClock("2026-03-31T23:59:00Z");
  const use = new Use(
    { limit: 2, by: { header: "x-key" }, store: "redis", count: "2xx" },
    { clock },
  );
  let used = 0;
  const seen: string[] = [];
  use.redis.answer(quotaScript, ([key = ""], [cost, limit, ttlMs]) => {
    seen.push(key);
    assert.ok(Number(ttlMs) >= 60_000 && Number(ttlMs) <= 120_000);
    if (used + Number(cost) > Number(limit)) return [0, String(used)];
    used += Number(cost);
    return [1, String(used)];
  });
  const scene = { headers: { "x-key": "s3cret" } };
  assert.equal((await use.ask(scene)).headers["ratelimit"], '"month";r=1;t=60');
  assert.equal(await use.passing(3, { ...scene, status: 500 }), 3);
  assert.equal(await use.passing(3, scene), 1);
  assert.ok(seen.every((key) => /^quota:\{[\w-]{22}\}:\d+$/.test(key)));
  assert.equal(new Set(seen).size, 1);
});

for (const how of ["away", "failing"] as const) {
  const away = (options: Partial<Options> = {}): Use => {
    const use = new Use({ limit: 2, store: "redis", ...options });
    if (how === "away") use.redis.isReady = false;
    return use;
  };

  test(`quota: with Redis ${how} this machine counts, or all pass, or none`, async () => {
    const local = away();
    assert.equal(await local.passing(3), 2);
    assert.deepEqual(local.results, { "store-away": 3, allowed: 2, limited: 1 });
    assert.equal(await away({ whenStoreIsAway: "allow" }).passing(5), 5);
    const denied = away({ whenStoreIsAway: "deny" });
    assert.equal((await denied.ask()).status, 503);
    assert.deepEqual(denied.results, { "store-away": 1 });
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
  ["Redis without one", { limit: 1, store: "redis" }, /no Redis/],
  ["an outage of nothing", { limit: 1, whenStoreIsAway: "deny" }, /no effect without Redis/],
  ["a cost above the limit", { limit: 5, cost: 6 }, /no more than 5 are ever there/],
  ["a cost of nothing", { limit: 5, cost: 0 }, /not limited/],
  ["minutes of a zone", { limit: 5, period: "minute", timezone: "Asia/Tokyo" }, /alike/],
  ["a status within its class", { limit: 5, count: ["2xx", 204] }, /204 stands there twice/],
];

for (const [what, options, message] of senseless) {
  test(`quota: check tells of ${what}`, () => {
    const mistakes = quota.check!(quota.schema.parse(options), surroundings);
    assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
    assert.match(mistakes[0]!.message, message);
  });
}

test("quota: what counts by callers, or by a date of theirs, needs to know them", () => {
  const needs = (options: Options) => quota.needs!(quota.schema.parse(options));
  assert.deepEqual(needs({ limit: 1 }), []);
  assert.deepEqual(needs({ limit: 1, by: "consumer" }), ["identity"]);
  assert.deepEqual(needs({ limit: 1, anchor: { metadata: "since" } }), ["identity"]);
  assert.deepEqual(needs({ limit: 1, anchor: "2026-01-15" }), []);
});

for (const options of [
  {},
  { limit: 0 },
  { limit: 1, period: "fortnight" },
  { limit: 1, timezone: "Europe/Berln" },
  { limit: 1, anchor: "2026-02-30" },
  { limit: 1, anchor: {} },
  { limit: 1, count: ["ok"] },
  { limit: 1, count: [600] },
  { limit: 1, by: "nobody" },
]) {
  test(`quota: ${JSON.stringify(options)} is refused`, () => {
    assert.equal(quota.schema.safeParse(options).success, false);
  });
}
