import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { fileCleanup } from "../../test/support/cleanup.ts";
import { openRedis } from "../../test/support/open-redis.ts";
import { startRedis, type RedisServer } from "../../test/support/redis-server.ts";
import { requires } from "../../test/support/requires.ts";
import { LimitsMemory, openLimits } from "../base/limits/limits-memory.ts";
import type { SharedRedis } from "../stores/redis/shared-redis.ts";
import { TestClock } from "../testing/test-clock.ts";
import {
  createVerdict,
  FIXED_WINDOW,
  SLIDING_WINDOW,
  TOKEN_BUCKET,
  type LimitRule,
  type LimitVerdict,
} from "./limit-tables.ts";
import { RedisLimits } from "./redis-limits.ts";
import { TEST_SECRET } from "../testing/test-secret.ts";

const skip = requires("redis-server");
const cleanup = fileCleanup();
let server: RedisServer;
let redis: SharedRedis;
let uses = 0;

before(async () => {
  if (skip !== false) return;
  server = await startRedis(cleanup);
  ({ redis } = await openRedis(cleanup, server.port));
});

/** Counts of its own, by a clock that stands still. */
function limitsAt(clock = new TestClock()) {
  return { clock, limits: new RedisLimits(redis, `use ${uses++}`, clock) };
}

function ruleOf(changes: Partial<LimitRule> = {}): LimitRule {
  const limit = changes.limit ?? 3;
  return { id: "a", algorithm: FIXED_WINDOW, limit, windowMs: 60_000, refill: limit, ...changes };
}

interface Step {
  operation: "take" | "peek" | "charge" | "refund";
  waitMs: number;
  cost: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    operation: fc.constantFrom("take", "take", "take", "peek", "charge", "refund"),
    // Also backwards, as the clock of another server may.
    waitMs: fc.oneof(fc.nat({ max: 1500 }), fc.integer({ min: -2500, max: 5000 })),
    cost: fc.constantFrom(0, 1, 1, 2, 3, 0.5),
  }),
  { maxLength: 30 },
);

const algorithms = {
  "fixed window": FIXED_WINDOW,
  "sliding window": SLIDING_WINDOW,
  "token bucket": TOKEN_BUCKET,
};

for (const [name, algorithm] of Object.entries(algorithms)) {
  test(`limits in Redis: a ${name} counts exactly as it does in memory`, { skip }, async () => {
    const rules = fc.record({
      limit: fc.integer({ min: 1, max: 8 }),
      windowMs: fc.integer({ min: 50, max: 3000 }),
      refill: fc.integer({ min: 1, max: 8 }),
    });
    const property = fc.asyncProperty(rules, steps, async (settings, list) => {
      await sameAsInMemory({ id: "a", algorithm, ...settings }, list);
    });
    await fc.assert(property, { numRuns: 60 });
  });
}

async function sameAsInMemory(rule: LimitRule, list: readonly Step[]): Promise<void> {
  const table = openLimits(
    new LimitsMemory({ workers: 1, entries: 64, secret: TEST_SECRET }).handle,
    0,
  );
  const { limits, clock } = limitsAt();
  const expected = createVerdict();
  const found = createVerdict();
  for (const { operation, waitMs, cost } of list) {
    clock.advance(waitMs);
    const requests = [{ rule, key: "k", cost }];
    if (operation === "take" || operation === "peek") {
      table[operation](rule, "k", cost, clock.now(), expected);
      assert.equal(await limits[operation](requests, [found]), expected.allowed);
      assertNear(found, expected);
    } else {
      table[operation](rule, "k", cost, clock.now());
      await limits[operation](requests);
    }
  }
}

function assertNear(found: LimitVerdict, expected: LimitVerdict): void {
  for (const key of ["remaining", "resetMs", "retryMs"] as const) {
    const isNear = found[key] === expected[key] || Math.abs(found[key] - expected[key]) < 1e-6;
    assert.ok(isNear, `${key}: ${found[key]} for ${expected[key]}`);
  }
  assert.equal(found.allowed, expected.allowed);
}

test(
  "limits in Redis: a request that one limit refuses takes nothing of the others",
  { skip },
  async () => {
    const { limits } = limitsAt();
    const wide = ruleOf({ limit: 10 });
    const narrow = ruleOf({ id: "b", limit: 2, windowMs: 1000 });
    const requests = [wide, narrow].map((rule) => ({ rule, key: "k", cost: 1 }));
    const verdicts = [createVerdict(), createVerdict()];
    assert.equal(await limits.take(requests, verdicts), true);
    assert.equal(await limits.take(requests, verdicts), true);
    assert.deepEqual(
      verdicts.map(({ remaining }) => remaining),
      [8, 0],
    );
    assert.equal(await limits.take(requests, verdicts), false);
    assert.deepEqual(
      verdicts.map(({ allowed }) => allowed),
      [true, false],
    );
    assert.deepEqual(
      verdicts.map(({ remaining }) => remaining),
      [8, 0],
    );
  },
);

test(
  "limits in Redis: keys may hold anything, and nothing of them is seen there",
  { skip },
  async () => {
    const { limits } = limitsAt();
    const rule = ruleOf({ limit: 1 });
    const take = async (key: string) =>
      await limits.take([{ rule, key, cost: 1 }], [createVerdict()]);
    for (const key of ["", "{x}", "a\r\nb", "\0", "ü", "x".repeat(100_000), "secret"]) {
      assert.equal(await take(key), true, key.slice(0, 10));
      assert.equal(await take(key), false, key.slice(0, 10));
    }
    const keys = await server.command("KEYS *");
    assert.doesNotMatch(keys, /secret|x{10}/);
    assert.match(keys, /\r\ntest:limit:\{[\w-]{22}\}:[\w-]{22}\r\n/);
  },
);

test(
  "limits in Redis: other uses, rules and windows count for themselves, another limit goes on",
  { skip },
  async () => {
    const { limits, clock } = limitsAt();
    const other = new RedisLimits(redis, "another use", clock);
    const take = async (by: RedisLimits, rule: LimitRule) => {
      const verdict = createVerdict();
      await by.take([{ rule, key: "k", cost: 1 }], [verdict]);
      return verdict.remaining;
    };
    assert.equal(await take(limits, ruleOf()), 2);
    assert.equal(await take(other, ruleOf()), 2);
    assert.equal(await take(limits, ruleOf({ id: "b" })), 2);
    assert.equal(await take(limits, ruleOf({ windowMs: 1000 })), 2);
    assert.equal(await take(limits, ruleOf({ limit: 9 })), 7);
  },
);

test(
  "limits in Redis: the time is the server's, and what has run out goes away by itself",
  { skip },
  async () => {
    const limits = new RedisLimits(redis, "in real time");
    const rule = ruleOf({ algorithm: TOKEN_BUCKET, windowMs: 100, limit: 1 });
    const verdict = createVerdict();
    const requests = [{ rule, key: "k", cost: 1 }];
    await server.command("FLUSHALL");
    assert.equal(await limits.take(requests, [verdict]), true);
    assert.ok(verdict.resetMs <= 100);
    assert.equal(await limits.take(requests, [verdict]), false);
    assert.ok(verdict.retryMs > 0 && verdict.retryMs <= 100);
    const keys = await server.command("KEYS *");
    const [key] = /test:\S+/.exec(keys)!;
    assert.match(await server.command(`PTTL ${key}`), /^:\d{1,3}\r\n$/);
  },
);

test(
  "limits in Redis: of a thousand asked for at once through several connections, exactly the limit pass",
  { skip },
  async (t) => {
    const connections = await Promise.all(
      [1, 2, 3, 4].map(() => openRedis(t, server.port, { timeoutMs: 20_000 })),
    );
    const rule = ruleOf({ limit: 300 });
    const takes = connections.flatMap((one) => {
      const limits = new RedisLimits(one.redis, "at once");
      return Array.from({ length: 250 }, () =>
        limits.take([{ rule, key: "k", cost: 1 }], [createVerdict()]),
      );
    });
    const answers = await Promise.all(takes);
    assert.equal(answers.filter(Boolean).length, 300);
  },
);

test(
  "limits in Redis: in a Cluster, keys that differ take a step each, and a refusal gives back",
  { skip },
  async () => {
    const calls: string[][] = [];
    const cluster: typeof redis = Object.create(redis, {
      isCluster: { value: true },
      run: {
        value: (script: { text: string }, keys: string[], args: string[]) => {
          calls.push([String(args[0]), ...keys]);
          return redis.run(script, keys, args);
        },
      },
    });
    const limits = new RedisLimits(cluster, `use ${uses++}`, new TestClock());
    const verdicts = [createVerdict(), createVerdict(), createVerdict()];
    const requests = [10, 1, 10].map((limit, index) => {
      return { rule: ruleOf({ id: `${index}`, limit }), key: `k${index}`, cost: 1 };
    });
    assert.equal(await limits.take(requests, verdicts), true);
    assert.equal(await limits.take(requests, verdicts), false);
    assert.deepEqual(
      verdicts.map(({ remaining }) => remaining),
      [9, 0, 9],
    );
    assert.deepEqual(
      verdicts.map(({ allowed }) => allowed),
      [true, false, true],
    );
    assert.equal(await limits.peek(requests.slice(0, 1), verdicts), true);
    assert.equal(verdicts[0]!.remaining, 9);
    assert.ok(calls.every((call) => call.length === 2));
    calls.length = 0;
    await limits.take(
      requests.map((request) => ({ ...request, key: "k" })),
      verdicts,
    );
    const [call] = calls;
    assert.equal(call!.length, 4);
    const tags = call!.slice(1).map((key) => /\{(.+)\}/.exec(key)![1]);
    assert.equal(new Set(tags).size, 1);
  },
);
