import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyWindow } from "./latency-window.ts";

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 0.023, `${actual} is not about ${expected}`);
}

test("latency window: a percentile is within 2.2 % of the latency that stands there", () => {
  const window = new LatencyWindow();
  for (let latencyMs = 1; latencyMs <= 1000; latencyMs++) window.add(latencyMs);
  near(window.percentile(0.5), 500);
  near(window.percentile(0.99), 990);
  near(window.percentile(1), 1000);
});

test("latency window: what is beyond its bounds counts at them", () => {
  const window = new LatencyWindow();
  window.add(0);
  near(window.percentile(0.5), 1 / 16);
  window.add(1e9);
  near(window.percentile(1), 2 ** 18);
});

test("latency window: cleared, it has forgotten all", () => {
  const window = new LatencyWindow();
  assert.equal(window.percentile(0.5), 0);
  window.add(7);
  window.clear();
  assert.equal(window.count, 0);
  assert.equal(window.percentile(0.5), 0);
});
