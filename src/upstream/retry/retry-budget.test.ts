import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { DEBT_MAX, RetryBudget, TOKENS_MAX } from "./retry-budget.ts";

function taken(times: number, take: () => boolean): number {
  let count = 0;
  for (let time = 0; time < times; time++) if (take()) count++;
  return count;
}

test("retry budget: the stock can be spent at once, and is earned again by requests", () => {
  const budget = new RetryBudget(0.25);
  assert.equal(
    taken(100, () => budget.take()),
    TOKENS_MAX,
  );
  for (let request = 0; request < 8; request++) budget.onRequest();
  assert.equal(
    taken(100, () => budget.take()),
    2,
  );
  for (let request = 0; request < 1000; request++) budget.onRequest();
  assert.equal(
    taken(100, () => budget.take()),
    TOKENS_MAX,
  );
});

test("retry budget: credit is bounded, and nothing else is had before it is paid back", () => {
  const budget = new RetryBudget(0.5);
  assert.equal(
    taken(1000, () => budget.takeOnCredit()),
    TOKENS_MAX + DEBT_MAX,
  );
  for (let request = 0; request < 2 * DEBT_MAX; request++) budget.onRequest();
  assert.equal(budget.take(), false);
  assert.equal(budget.takeOnCredit(), true);
});

test("retry budget: under any order of events no more is sent than share, stock and credit allow", () => {
  const event = fc.constantFrom("request", "retry", "refused");
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.tuple(event, fc.nat(200)), { maxLength: 60 }),
      (share, events) => {
        const budget = new RetryBudget(share);
        let requests = 0;
        let retries = 0;
        let onCredit = 0;
        for (const [kind, times] of events) {
          for (let time = 0; time < times; time++) {
            if (kind === "request") {
              requests++;
              budget.onRequest();
            } else if (kind === "retry") {
              if (budget.take()) retries++;
            } else if (budget.takeOnCredit()) onCredit++;
          }
          const earned = requests * share + TOKENS_MAX + 1e-6;
          assert.ok(retries <= earned);
          assert.ok(retries + onCredit <= earned + DEBT_MAX);
        }
      },
    ),
  );
});
