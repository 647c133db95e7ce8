import assert from "node:assert/strict";
import { test } from "node:test";
import { outliers } from "./outliers.ts";
import { slowStart } from "./slow-start.ts";
import { zone } from "./zone.ts";

test("outliers: true is Envoy's defaults, false is none", () => {
  assert.deepEqual(outliers.parse(true), {
    consecutive5xx: 5,
    consecutiveGateway: 5,
    consecutiveLocal: 5,
    intervalMs: 10_000,
    baseMs: 30_000,
    maxMs: 300_000,
    endsWhenHealthy: true,
    maxEjected: 0.1,
    successRate: { factor: 1.9, targets: 5, requests: 100 },
    failures: null,
    slow: null,
  });
  assert.equal(outliers.parse(false), null);
});

test("outliers: rules by true are their defaults, and none is never", () => {
  const parsed = outliers.parse({
    slow: true,
    failures: true,
    successRate: false,
    consecutive5xx: "none",
  });
  assert.deepEqual(parsed!.slow, { factor: 3, leastMs: 500, targets: 3, requests: 20 });
  assert.deepEqual(parsed!.failures, { share: 0.85, targets: 5, requests: 50 });
  assert.deepEqual([parsed!.successRate, parsed!.consecutive5xx], [null, 0]);
});

test("outliers: a first ejection beyond the longest is refused", () => {
  const result = outliers.safeParse({ ejection: { base: "1m", max: "30s" } });
  assert.match(result.error!.message, /longer than the longest/);
});

test("slow start: a duration, or a map", () => {
  assert.deepEqual(slowStart.parse("1m"), { windowMs: 60_000, aggression: 1, least: 0.1 });
  const map = { window: "10s", aggression: 2, least: "5%" };
  assert.deepEqual(slowStart.parse(map), { windowMs: 10_000, aggression: 2, least: 0.05 });
});

test("zone: a name, or nothing", () => {
  assert.equal(zone().parse(""), "");
  assert.equal(zone().parse("eu-1"), "eu-1");
  assert.throws(() => zone().parse("eu 1"), /not the name of a zone/);
});
