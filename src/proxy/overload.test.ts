import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineWheel } from "../base/deadline-wheel.ts";
import { logTo } from "../base/log/log.ts";
import { PRIORITIES } from "../base/priorities.ts";
import { Random } from "../base/random.ts";
import { Overload } from "./overload.ts";

/** A worker whose state and time are the test's. */
function worker(config = { eventLoopMs: 100, memoryShare: 0.85 }) {
  let nowMs = 0;
  let isWatched = false;
  const load = { eventLoopMs: 0, memoryShare: 0 };
  const log: string[] = [];
  const refused = { eventLoop: [0, 0, 0, 0], memory: [0, 0, 0, 0] };
  const wheel = new DeadlineWheel(100, () => nowMs);
  const overload = new Overload({
    wheel,
    log: logTo((_, message) => log.push(message)),
    random: new Random(3),
    makeReadings: () => {
      isWatched = true;
      return {
        eventLoopMs: () => load.eventLoopMs,
        memoryShare: () => load.memoryShare,
        stop: () => {
          isWatched = false;
        },
      };
    },
  });
  const counts = {
    pressure: { set() {} },
    refusedByEventLoop: { addAt: (at: number) => void refused.eventLoop[at]!++ },
    refusedByMemory: { addAt: (at: number) => void refused.memory[at]!++ },
  };
  overload.follow(config, counts);
  const wait = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 100) {
      nowMs += 100;
      wheel.advance();
    }
  };
  /** Shares of a thousand requests that are refused, by priority. */
  const shares = (): number[] =>
    PRIORITIES.map((_, priority) => {
      let count = 0;
      for (let i = 0; i < 1000; i++) if (overload.admit(priority) !== null) count++;
      return count / 1000;
    });
  return { overload, load, log, refused, wait, shares, counts, isWatched: () => isWatched };
}

test("overload: a worker at ease refuses nothing and says nothing", () => {
  const { wait, shares, log } = worker();
  wait(10_000);
  assert.deepEqual(shares(), [0, 0, 0, 0]);
  assert.deepEqual(log, []);
});

test("overload: as events go on waiting, low is refused first and critical last", () => {
  const { load, wait, shares, overload } = worker();
  load.eventLoopMs = 150;
  const seen: number[][] = [];
  let before = 0;
  while (overload.pressure < 1) {
    wait(400);
    assert.ok(overload.pressure > before);
    before = overload.pressure;
    seen.push(shares());
  }
  for (const [low, normal, high, critical] of seen) {
    assert.ok(low! >= normal! && normal! >= high! && high! >= critical!);
    if (normal! > 0) assert.equal(low, 1);
    if (high! > 0) assert.equal(normal, 1);
    if (critical! > 0) assert.equal(high, 1);
  }
  assert.deepEqual(seen.at(-1), [1, 1, 1, 1]);
});

test("overload: between calm and too much the pressure stays as it is", () => {
  const { load, wait, overload } = worker();
  load.eventLoopMs = 200;
  wait(1000);
  const risen = overload.pressure;
  assert.ok(risen > 0.2);
  load.eventLoopMs = 85;
  wait(10_000);
  assert.equal(overload.pressure, risen);
  load.eventLoopMs = 60;
  wait(1000);
  assert.ok(overload.pressure < risen);
  wait(10_000);
  assert.equal(overload.pressure, 0);
});

test("overload: used memory presses as far as it is above what is allowed, and no further with time", () => {
  const { load, wait, shares, overload, refused } = worker();
  load.memoryShare = 0.88;
  wait(1000);
  assert.ok(Math.abs(overload.pressure - 0.2) < 1e-9);
  wait(60_000);
  assert.ok(Math.abs(overload.pressure - 0.2) < 1e-9);
  const [low, normal] = shares();
  assert.ok(low! > 0.7 && low! < 0.9);
  assert.equal(normal, 0);
  assert.ok(refused.memory[0]! > 0);
  assert.deepEqual(refused.eventLoop, [0, 0, 0, 0]);
  load.memoryShare = 0.865;
  wait(1000);
  assert.ok(Math.abs(overload.pressure - 0.2) < 1e-9, "a little less changes nothing");
  load.memoryShare = 0.84;
  wait(1000);
  assert.equal(overload.pressure, 0);
});

test("overload: 100 % of memory and no time mean that nothing is watched", () => {
  const { load, wait, shares } = worker({ eventLoopMs: 0, memoryShare: 1 });
  load.eventLoopMs = 10_000;
  load.memoryShare = 1;
  wait(10_000);
  assert.deepEqual(shares(), [0, 0, 0, 0]);
});

test("overload: the log is told once when requests begin to be refused and once when it is over", () => {
  const { load, wait, shares, log } = worker();
  load.eventLoopMs = 300;
  wait(1000);
  assert.deepEqual(log, []);
  shares();
  shares();
  wait(5000);
  load.eventLoopMs = 10;
  wait(10_000);
  shares();
  assert.deepEqual(log, [
    "the gateway is overloaded, requests are refused",
    "the gateway is not overloaded any more",
  ]);
});

test("overload: switched off, it lets go of all that it watched with", () => {
  const { overload, load, wait, counts, isWatched } = worker();
  load.eventLoopMs = 300;
  wait(3000);
  overload.follow(false, null);
  assert.equal(isWatched(), false);
  assert.equal(overload.admit(0), null);
  wait(3000);
  assert.equal(overload.pressure, 0);
  overload.follow({ eventLoopMs: 100, memoryShare: 1 }, counts);
  wait(3000);
  assert.ok(overload.pressure > 0);
});

test("overload: what settles the load is found, and kept to", () => {
  // Events wait in proportion to what is let in: thrice of what can be done is offered.
  const { load, wait, overload, shares } = worker();
  let admitted = 1;
  const history: number[] = [];
  for (let step = 0; step < 600; step++) {
    load.eventLoopMs = 300 * admitted;
    wait(100);
    const [, normal] = shares();
    admitted = 1 - normal!;
    history.push(admitted);
  }
  const late = history.slice(300);
  const mean = late.reduce((sum, share) => sum + share, 0) / late.length;
  assert.ok(mean > 0.2 && mean < 0.4, `lets ${mean} of it in`);
  assert.ok(Math.min(...late) > 0.1, `at least ${Math.min(...late)}`);
  assert.ok(overload.pressure < 0.6);
});
