import assert from "node:assert/strict";
import { test } from "node:test";
import { ejectionReason } from "../../base/metrics/families.ts";
import { findOutliers, type IntervalCounts } from "./find-outliers.ts";

const successRate = { factor: 1.9, targets: 5, requests: 100 };
const failures = { share: 0.85, targets: 5, requests: 50 };
const slow = { factor: 3, leastMs: 500, targets: 3, requests: 20 };

function failing(...rates: number[]): IntervalCounts[] {
  return rates.map((rate) => ({ tries: 200, failed: 200 * rate, answers: 0, latencyMs: 0 }));
}

function taking(...latencies: number[]): IntervalCounts[] {
  return latencies.map((ms) => ({ tries: 0, failed: 0, answers: 50, latencyMs: 50 * ms }));
}

test("find outliers: a success rate 1.9 standard deviations below the mean", () => {
  const rules = { successRate, failures: null, slow: null };
  const found = findOutliers(rules, failing(0, 0, 0.3, 0, 0, 0));
  assert.deepEqual([...found], [[2, ejectionReason.successRate]]);
  assert.equal(findOutliers(rules, failing(0.3, 0.3, 0.3, 0.3, 0.3)).size, 0);
});

test("find outliers: with too few targets, or too few requests, nothing is said", () => {
  const rules = { successRate, failures, slow };
  assert.equal(findOutliers(rules, failing(0, 0, 1, 0)).size, 0);
  const few = failing(0, 0, 0, 0, 1, 0).map((one) => ({
    ...one,
    tries: 40,
    failed: one.failed / 5,
  }));
  assert.equal(findOutliers(rules, few).size, 0);
  assert.equal(findOutliers(rules, taking(10, 9000)).size, 0);
});

test("find outliers: a share of failures, the worst first", () => {
  const rules = { successRate: null, failures, slow: null };
  const found = findOutliers(rules, failing(0.86, 0, 1, 0.84, 0));
  assert.deepEqual([...found.keys()], [2, 0]);
});

test("find outliers: slower than thrice the median, but not below the least", () => {
  const rules = { successRate: null, failures: null, slow };
  assert.deepEqual([...findOutliers(rules, taking(10, 2000, 12, 600)).keys()], [1, 3]);
  assert.deepEqual([...findOutliers(rules, taking(10, 400, 12))], []);
  assert.deepEqual([...findOutliers(rules, taking(1000, 2900, 1000))], []);
});
