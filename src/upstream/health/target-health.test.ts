import assert from "node:assert/strict";
import { test } from "node:test";
import { HEALTH_DOWN, HEALTH_UNKNOWN, HEALTH_UP } from "../target-record.ts";
import { TargetHealth } from "./target-health.ts";

const thresholds = { healthy: 2, unhealthy: 3 };

/** States after each check: `+` passes, `-` fails. */
function states(health: TargetHealth, checks: string): string {
  return Array.from(checks, (check) => {
    health.report(check === "+");
    return { [HEALTH_UNKNOWN]: "?", [HEALTH_UP]: "U", [HEALTH_DOWN]: "D" }[health.state]!;
  }).join("");
}

test("target health: one pass is enough at first, later as many in a row as are wanted", () => {
  const health = new TargetHealth(thresholds, "up");
  assert.equal(states(health, "+--+---"), "UUUUUUD");
  assert.equal(states(health, "-+-++"), "DDDDU");
});

test("target health: a new target is unknown until checks have decided", () => {
  const health = new TargetHealth(thresholds, "up");
  assert.equal(states(health, "-----"), "??DDD");
  assert.equal(states(health, "++"), "DU", "it has been found down, so one pass is not enough");
});

test("target health: who has to prove itself is down until the first pass, however late it comes", () => {
  const health = new TargetHealth(thresholds, "down");
  assert.equal(health.state, HEALTH_DOWN);
  assert.equal(states(health, "-----+"), "DDDDDU");
});

test("target health: what was decided before goes on, and takes whole rows to change", () => {
  const health = new TargetHealth(thresholds, "up");
  health.resume(HEALTH_DOWN);
  assert.equal(states(health, "++"), "DU");
});

test("target health: only a change is told as one", () => {
  const health = new TargetHealth({ healthy: 1, unhealthy: 1 }, "up");
  const told = [true, true, false, false, true].map((passed) => health.report(passed));
  assert.deepEqual(told, [true, false, true, false, true]);
});
