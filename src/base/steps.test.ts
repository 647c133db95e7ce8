import assert from "node:assert/strict";
import { test } from "node:test";
import { finishSteps, runInSlices, type Steps } from "./steps.ts";

function* count(steps: number, onStep: () => void = () => {}): Steps<number> {
  for (let step = 0; step < steps; step++) {
    onStep();
    yield;
  }
  return steps;
}

test("steps: finished at once they give their result", () => {
  assert.equal(finishSteps(count(5)), 5);
});

test("steps: between two slices the event loop turns", async () => {
  let clockMs = 0;
  const stepsUntilTurn: number[] = [];
  let steps = 0;
  setImmediate(function turn() {
    stepsUntilTurn.push(steps);
    if (steps < 12) setImmediate(turn);
  });
  const result = await runInSlices(
    count(12, () => {
      steps += 1;
      clockMs += 1;
    }),
    () => clockMs,
  );
  assert.equal(result, 12);
  assert.deepEqual(stepsUntilTurn.slice(0, 3), [4, 8, 12]);
});

test("steps: what a step throws rejects the run", async () => {
  const failing = count(3, () => {
    throw new Error("no");
  });
  await assert.rejects(runInSlices(failing), /no/);
});
