import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { monotonicMs, ProcessClock, ticksOf, WheelClock } from "./shared-clock.ts";

test("shared clock: threads read the same time, whenever they began", async () => {
  const source = `
    const { parentPort } = require("node:worker_threads");
    const [seconds, nanoseconds] = process.hrtime();
    parentPort.postMessage(seconds * 1000 + nanoseconds / 1e6);
  `;
  const before = monotonicMs();
  const [there] = (await once(new Worker(source, { eval: true }), "message")) as [number];
  assert.ok(before <= there && there <= monotonicMs(), `${before} ${there}`);
});

test("shared clock: a worker's follows its wheel from the time at which that began", () => {
  let nowMs = 5000;
  const wheel = new DeadlineWheel(100, () => nowMs);
  const clock = new WheelClock(wheel, 2000);
  assert.equal(clock.tick, 20);
  nowMs += 1000;
  wheel.advance();
  assert.equal(clock.tick, 30);
});

test("shared clock: the main thread's counts from the epoch", () => {
  const clock = new ProcessClock(monotonicMs() - 5050);
  assert.ok(clock.tick >= 50 && clock.tick < 60, String(clock.tick));
});

test("shared clock: durations are never cut to nothing", () => {
  assert.deepEqual([0, 1, 100, 101].map(ticksOf), [0, 1, 1, 2]);
});
