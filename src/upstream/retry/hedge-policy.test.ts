import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { HedgePolicy } from "./hedge-policy.ts";

/** Latencies from 0 to 100 ms, each as likely as the other: the quantile q is 100 q. */
function observed(quantile: number, count: number): HedgePolicy {
  const policy = new HedgePolicy({ quantile });
  const random = new Random(7);
  for (let answer = 0; answer < count; answer++) policy.observe(random.below(100_000) / 1000);
  return policy;
}

test("hedge policy: a time is that time, whatever is observed", () => {
  const policy = new HedgePolicy({ afterMs: 200 });
  for (let answer = 0; answer < 500; answer++) policy.observe(3);
  assert.equal(policy.afterMs, 200);
});

test("hedge policy: a share of answers is not believed before a hundred are known", () => {
  assert.equal(observed(0.95, 99).afterMs, 0);
  assert.ok(observed(0.95, 100).afterMs > 0);
});

for (const quantile of [0.5, 0.9, 0.95, 0.99]) {
  test(`hedge policy: p${quantile * 100} settles near what that share of answers takes`, () => {
    const { afterMs } = observed(quantile, 5000);
    assert.ok(Math.abs(afterMs - quantile * 100) < 18, `${afterMs} ms`);
  });
}

test("hedge policy: it follows a service that gets slower, and one that gets faster", () => {
  const policy = observed(0.95, 1000);
  for (let answer = 0; answer < 300; answer++) policy.observe(900);
  assert.ok(policy.afterMs > 800, `${policy.afterMs} ms`);
  for (let answer = 0; answer < 2000; answer++) policy.observe(10);
  assert.ok(policy.afterMs < 15, `${policy.afterMs} ms`);
});

test("hedge policy: a wait is never shorter than can be waited, nor the estimate stuck at nothing", () => {
  const policy = new HedgePolicy({ quantile: 0.95 });
  for (let answer = 0; answer < 200; answer++) policy.observe(0);
  assert.equal(policy.afterMs, 5);
  for (let answer = 0; answer < 1000; answer++) policy.observe(50);
  assert.ok(policy.afterMs > 40, `${policy.afterMs} ms`);
});
