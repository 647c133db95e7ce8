import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateResilientService } from "./resilient-service.ts";

const SCHEDULES = 20;

test(`simulation: stated properties hold for ${SCHEDULES} schedules of failures`, async () => {
  for (let seed = 1; seed <= SCHEDULES; seed++) await simulateResilientService(seed);
});

test("simulation: the same seed is the same run", async () => {
  const [one, other] = [await simulateResilientService(7), await simulateResilientService(7)];
  // As text: a thousand requests with a difference would take minutes to lay side by side.
  assert.ok(JSON.stringify(other.requests) === JSON.stringify(one.requests));
});
