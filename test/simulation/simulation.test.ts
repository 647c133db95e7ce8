import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateResilientService } from "./resilient-service.ts";

const SCHEDULES = 20;
/** In tests of a few each, since a busy machine takes seconds for one. */
const AT_ONCE = 5;

for (let first = 1; first <= SCHEDULES; first += AT_ONCE) {
  const last = first + AT_ONCE - 1;
  test(`simulation: stated properties hold for schedules ${first} to ${last}`, async () => {
    for (let seed = first; seed <= last; seed++) await simulateResilientService(seed);
  });
}

test("simulation: the same seed is the same run", async () => {
  const [one, other] = [await simulateResilientService(7), await simulateResilientService(7)];
  // As text: a thousand requests with a difference would take minutes to lay side by side.
  assert.ok(JSON.stringify(other.requests) === JSON.stringify(one.requests));
});
