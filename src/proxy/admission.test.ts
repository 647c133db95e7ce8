import assert from "node:assert/strict";
import { test } from "node:test";
import { reportTry, type Try } from "./admission.ts";
import type { CompiledService } from "./snapshot.ts";
import { RESULT_BROKEN, RESULT_CANCELLED, RESULT_FULL, RESULT_TIMEOUT } from "./try-result.ts";

/** What the balancer hears of a try. */
function heardOf(failed: boolean, result: number, answeredStatus: number): unknown[] {
  const heard: unknown[] = [];
  const balancer = {
    ended: (_target: unknown, ...rest: unknown[]) => heard.push("ended", ...rest),
    left: (_target: unknown, waitedMs: number) => heard.push("left", waitedMs),
  };
  const target = { observers: [], guards: [], results: { addAt() {} } };
  const attempt = { target, balancer, answeredStatus };
  reportTry(
    attempt as unknown as Try,
    { guards: [] } as unknown as CompiledService,
    failed,
    result,
    30,
  );
  return heard;
}

test("balancer: hears of answers and failures, and else that a try was left", () => {
  assert.deepEqual(heardOf(false, RESULT_CANCELLED, 200), ["ended", 30, false]);
  assert.deepEqual(heardOf(false, RESULT_CANCELLED, 503), ["ended", 30, true]);
  assert.deepEqual(heardOf(true, RESULT_TIMEOUT, 0), ["ended", 30, true]);
  assert.deepEqual(heardOf(false, RESULT_CANCELLED, 0), ["left", 30]);
  assert.deepEqual(heardOf(false, RESULT_BROKEN, 0), ["left", 30]);
});

test("balancer: a line full of clients is no failure of the target, and nobody has waited for it", () => {
  assert.deepEqual(heardOf(true, RESULT_FULL, 0), ["left", 0]);
});
