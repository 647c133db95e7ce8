import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import {
  createVerdict,
  FIXED_WINDOW,
  SLIDING_WINDOW,
  TOKEN_BUCKET,
  type LimitRule,
} from "./limit-rule.ts";
import { LimitsMemory, openLimits } from "./limits-memory.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

interface Step {
  waitMs: number;
  cost: number;
}

function ruleOf(algorithm: number, limit: number, windowMs: number, refill = limit): LimitRule {
  return { id: "a", algorithm, limit, windowMs, refill };
}

/** Says by itself, from all that was taken before, whether a cost is allowed. */
type Oracle = (
  rule: LimitRule,
  taken: readonly { at: number; cost: number }[],
  now: number,
) => number;

const windowOf = (rule: LimitRule, at: number) => Math.floor(at / rule.windowMs);

/** Costs that count now, from the whole history. */
const oracles: Record<number, Oracle> = {
  [FIXED_WINDOW]: (rule, taken, now) => costsIn(rule, taken, windowOf(rule, now)),
  [SLIDING_WINDOW]: (rule, taken, now) => {
    const window = windowOf(rule, now);
    const share = 1 - (now % rule.windowMs) / rule.windowMs;
    return costsIn(rule, taken, window) + costsIn(rule, taken, window - 1) * share;
  },
  [TOKEN_BUCKET]: (rule, taken, now) => {
    let level = 0;
    let last = 0;
    const flow = (until: number) => {
      level = Math.max(0, level - ((until - last) * rule.refill) / rule.windowMs);
      last = until;
    };
    for (const { at, cost } of taken) {
      flow(at);
      level += cost;
    }
    flow(now);
    return level;
  },
};

function costsIn(
  rule: LimitRule,
  taken: readonly { at: number; cost: number }[],
  window: number,
): number {
  const within = taken.filter(({ at }) => windowOf(rule, at) === window);
  return within.reduce((sum, { cost }) => sum + cost, 0);
}

const steps = fc.array(
  fc.record({ waitMs: fc.nat({ max: 1500 }), cost: fc.integer({ min: 1, max: 3 }) }),
  { maxLength: 60 },
);

const names = ["fixed window", "sliding window", "token bucket"];
for (const algorithm of [FIXED_WINDOW, SLIDING_WINDOW, TOKEN_BUCKET]) {
  const name = names[algorithm]!;

  test(`${name}: decides as one who remembers every request`, () => {
    const rules = fc.record({
      limit: fc.integer({ min: 1, max: 12 }),
      windowMs: fc.integer({ min: 1, max: 4000 }),
      refill: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(fc.property(rules, steps, (settings, list) => followsOracle(settings, list)));
  });

  test(`${name}: what it says of the next try is when it is let through, and not before`, () => {
    const rule = ruleOf(algorithm, 5, 1000, 5);
    fc.assert(
      fc.property(steps, (list) => {
        const { table, verdict, end } = play(rule, list);
        table.take(rule, "k", 3, end, verdict);
        if (verdict.allowed) return;
        const retryAt = Math.ceil(end + verdict.retryMs);
        table.peek(rule, "k", 3, Math.max(end, retryAt - 2), verdict);
        assert.equal(verdict.allowed, false, "before its time");
        table.peek(rule, "k", 3, retryAt, verdict);
        assert.equal(verdict.allowed, true, "at its time");
      }),
    );
  });

  test(`${name}: after the reset all of the limit is there, and no row is needed`, () => {
    const rule = ruleOf(algorithm, 5, 1000, 5);
    fc.assert(
      fc.property(steps, (list) => {
        const { table, verdict, end } = play(rule, list);
        table.peek(rule, "k", 1, end, verdict);
        table.peek(rule, "k", 5, Math.ceil(end + verdict.resetMs), verdict);
        assert.equal(verdict.allowed, true);
        assert.equal(verdict.resetMs < 1e-6, true);
      }),
    );
  });

  test(`${name}: what is refunded is there again, and never more than the limit`, () => {
    const rule = ruleOf(algorithm, 4, 1000);
    const { table, verdict } = play(rule, [
      { waitMs: 0, cost: 2 },
      { waitMs: 0, cost: 2 },
    ]);
    table.take(rule, "k", 1, START, verdict);
    assert.equal(verdict.allowed, false);
    table.refund(rule, "k", 2, START);
    table.peek(rule, "k", 2, START, verdict);
    assert.deepEqual([verdict.allowed, verdict.remaining], [true, 2]);
    table.refund(rule, "k", 9, START);
    table.peek(rule, "k", 5, START, verdict);
    assert.deepEqual([verdict.allowed, verdict.remaining, verdict.retryMs], [false, 4, Infinity]);
  });

  test(`${name}: a charge goes beyond the limit, and is waited for`, () => {
    const rule = ruleOf(algorithm, 4, 1000);
    const { table, verdict } = play(rule, []);
    table.charge(rule, "k", 6, START);
    table.peek(rule, "k", 1, START, verdict);
    assert.deepEqual([verdict.allowed, verdict.remaining], [false, 0]);
    table.peek(rule, "k", 1, START + Math.ceil(verdict.retryMs), verdict);
    assert.equal(verdict.allowed, true);
  });

  test(`${name}: a clock that goes back a little gives nothing back`, () => {
    const rule = ruleOf(algorithm, 3, 1000);
    const { table, verdict } = play(rule, [{ waitMs: 0, cost: 3 }]);
    for (const backMs of [1, 500, 999, 1000]) {
      table.take(rule, "k", 1, START - backMs, verdict);
      assert.equal(verdict.allowed, false, `${backMs} ms`);
      assert.ok(verdict.retryMs <= 2000);
    }
  });

  test(`${name}: a clock that was set back does not lock anyone out`, () => {
    const rule = ruleOf(algorithm, 3, 1000);
    const { table, verdict } = play(rule, [{ waitMs: 0, cost: 3 }]);
    table.take(rule, "k", 1, START - 3_600_000, verdict);
    assert.equal(verdict.allowed, true);
  });

  test(`${name}: a cost of nothing leaves nothing behind`, () => {
    const rule = ruleOf(algorithm, 3, 1000);
    const { table, verdict } = play(rule, []);
    table.take(rule, "k", 0, START, verdict);
    assert.deepEqual([verdict.allowed, verdict.remaining, verdict.resetMs], [true, 3, 0]);
  });

  function followsOracle(
    settings: { limit: number; windowMs: number; refill: number },
    list: readonly Step[],
  ): void {
    const rule = ruleOf(algorithm, settings.limit, settings.windowMs, settings.refill);
    const { table, verdict } = play(rule, []);
    const taken: { at: number; cost: number }[] = [];
    let now = START;
    for (const { waitMs, cost } of list) {
      now += waitMs;
      const left = rule.limit - oracles[algorithm]!(rule, taken, now);
      table.take(rule, "k", cost, now, verdict);
      assert.equal(verdict.allowed, cost <= left + 1e-6, `${left} left for ${cost}`);
      if (verdict.allowed) taken.push({ at: now, cost });
      const remaining = rule.limit - oracles[algorithm]!(rule, taken, now);
      assert.ok(Math.abs(verdict.remaining - Math.max(0, remaining)) < 1e-6);
    }
  }
}

function play(rule: LimitRule, list: readonly Step[]) {
  const table = openLimits(
    new LimitsMemory({ workers: 1, entries: 64, secret: TEST_SECRET }).handle,
    0,
  );
  const verdict = createVerdict();
  let end = START;
  for (const { waitMs, cost } of list) {
    end += waitMs;
    table.take(rule, "k", cost, end, verdict);
  }
  return { table, verdict, end };
}

test("fixed window: begins anew at multiples of its length, as on every machine", () => {
  const rule = ruleOf(FIXED_WINDOW, 1, 60_000);
  const { table, verdict } = play(rule, []);
  table.take(rule, "k", 1, START + 59_000, verdict);
  table.take(rule, "k", 1, START + 59_500, verdict);
  assert.deepEqual([verdict.allowed, verdict.retryMs], [false, 500]);
  table.take(rule, "k", 1, START + 60_000, verdict);
  assert.equal(verdict.allowed, true);
});

test("sliding window: the window before counts as far as it reaches into the last one", () => {
  const rule = ruleOf(SLIDING_WINDOW, 100, 1000);
  const { table, verdict } = play(rule, [{ waitMs: 0, cost: 100 }]);
  table.take(rule, "k", 26, START + 1250, verdict);
  assert.equal(verdict.allowed, false);
  assert.equal(verdict.retryMs, 10);
  table.take(rule, "k", 25, START + 1250, verdict);
  assert.deepEqual([verdict.allowed, verdict.remaining], [true, 0]);
});

test("token bucket: holds a burst, and then lets through at its rate", () => {
  const rule = ruleOf(TOKEN_BUCKET, 5, 1000, 10);
  const { table, verdict } = play(rule, [{ waitMs: 0, cost: 5 }]);
  table.take(rule, "k", 1, START, verdict);
  assert.deepEqual([verdict.allowed, verdict.retryMs, verdict.resetMs], [false, 100, 500]);
  for (let at = 100; at <= 1000; at += 100) {
    table.take(rule, "k", 1, START + at, verdict);
    assert.equal(verdict.allowed, true, `${at} ms`);
    table.take(rule, "k", 1, START + at, verdict);
    assert.equal(verdict.allowed, false, `${at} ms`);
  }
});
