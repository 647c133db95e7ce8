import assert from "node:assert/strict";
import { test } from "node:test";
import { ShortWait, ShortWaits } from "./short-waits.ts";

/** Writes down when it was over. */
class Noted extends ShortWait {
  readonly over: number[] = [];
  private readonly now: () => number;
  then: () => void = () => {};

  constructor(now: () => number) {
    super();
    this.now = now;
  }

  onOver(): void {
    this.over.push(this.now());
    this.then();
  }
}

function scene() {
  let nowMs = 0;
  const now = (): number => nowMs;
  const waits = new ShortWaits(now);
  const pass = (ms: number): void => {
    for (const until = nowMs + ms; nowMs < until;) {
      nowMs++;
      waits.advance();
    }
  };
  /** Nothing else happens in that time, as in a worker that computes. */
  const stall = (ms: number): void => {
    nowMs += ms;
  };
  return { waits, pass, stall, wait: () => new Noted(now) };
}

test("short wait: it is over once, never early, and late by a tick of five milliseconds at most", () => {
  const { waits, pass, wait } = scene();
  pass(3);
  const all = [1, 5, 12, 25, 100, 3000].map((afterMs) => ({ afterMs, one: wait() }));
  for (const { afterMs, one } of all) waits.set(one, afterMs);
  pass(4000);
  for (const { afterMs, one } of all) {
    assert.equal(one.over.length, 1);
    const lateMs = one.over[0]! - 3 - afterMs;
    assert.ok(lateMs >= 0 && lateMs <= 5, `${afterMs} ms: late by ${lateMs}`);
  }
});

test("short wait: what is set after a stall of the worker waits for its time all the same", () => {
  const { waits, pass, stall, wait } = scene();
  const [long, short] = [wait(), wait()];
  waits.set(long, 1000);
  pass(3);
  stall(300);
  waits.set(short, 20);
  waits.advance();
  pass(19);
  assert.deepEqual(short.over, []);
  pass(6);
  assert.equal(short.over.length, 1);
});

test("short wait: what is cleared never comes, and what is set again comes at the later time", () => {
  const { waits, pass, wait } = scene();
  const [cleared, put] = [wait(), wait()];
  waits.set(cleared, 20);
  waits.set(put, 20);
  pass(10);
  waits.clear(cleared);
  waits.clear(cleared);
  waits.set(put, 50);
  pass(100);
  assert.deepEqual(cleared.over, []);
  assert.equal(put.over.length, 1);
  assert.ok(put.over[0]! >= 60);
});

test("short wait: one may wait again when it is over, also after a time in which nobody waited", () => {
  const { waits, pass, wait } = scene();
  const again = wait();
  again.then = () => {
    if (again.over.length < 3) waits.set(again, 10);
  };
  waits.set(again, 10);
  pass(100);
  assert.equal(again.over.length, 3);
  pass(10_000);
  const startedAt = 10_100;
  waits.set(again, 10);
  pass(30);
  assert.ok(again.over[3]! >= startedAt + 10 && again.over[3]! <= startedAt + 20);
});

test("short wait: the timer runs while somebody waits, and no longer", async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const waits = new ShortWaits();
  const before = timers();
  const { promise, resolve } = Promise.withResolvers<void>();
  const startedAt = performance.now();
  const wait = new Noted(() => performance.now());
  wait.then = resolve;
  const hold = setTimeout(() => {}, 10_000);
  waits.set(wait, 15);
  await promise;
  clearTimeout(hold);
  assert.ok(performance.now() - startedAt >= 14);
  await new Promise(setImmediate);
  assert.equal(Reflect.get(waits, "timer"), null);
  assert.equal(timers(), before);
});
