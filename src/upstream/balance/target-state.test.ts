import assert from "node:assert/strict";
import { test } from "node:test";
import { TargetState } from "./target-state.ts";

function freshState(): TargetState {
  return new TargetState("users http://a:1 10.0.0.1", undefined, -1);
}

test("target state: the wait after failed connects doubles up to half a minute", () => {
  const state = freshState();
  const waits: number[] = [];
  let nowMs = 0;
  for (let i = 0; i < 8; i++) {
    state.unreachable(nowMs);
    waits.push(state.coolUntilMs - nowMs);
    nowMs = state.coolUntilMs;
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("target state: requests that fail together count as one failed connect", () => {
  const state = freshState();
  for (let i = 0; i < 10; i++) state.unreachable(i);
  assert.equal(state.coolUntilMs, 1000);
});

test("target state: a request that succeeds ends the wait and starts it over", () => {
  const state = freshState();
  state.unreachable(0);
  state.unreachable(1000);
  state.started();
  state.ended(false);
  assert.equal(state.coolUntilMs, 0);
  state.unreachable(5000);
  assert.equal(state.coolUntilMs, 6000);
});
