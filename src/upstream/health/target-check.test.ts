import assert from "node:assert/strict";
import { test } from "node:test";
import { MovedClock } from "../../../test/support/moved-clock.ts";
import { checkResult } from "../../base/metrics/families.ts";
import { Random } from "../../base/random.ts";
import { CheckTurns } from "./check-turns.ts";
import { failed, PASSED, type ProbeOutcome } from "./probe.ts";
import { type CheckTimes, TargetCheck } from "./target-check.ts";
import { TargetHealth } from "./target-health.ts";

const usual: CheckTimes = {
  intervalMs: 5000,
  unhealthyIntervalMs: 1000,
  timeoutMs: 500,
  jitter: 0,
};
const thresholds = { healthy: 2, unhealthy: 3 };

interface Scene {
  times?: Partial<CheckTimes>;
  turns?: CheckTurns;
  clock?: MovedClock;
  /** Of each check; null never answers. */
  outcome?: () => ProbeOutcome | null;
}

function scene({ times, turns = new CheckTurns(8), clock = new MovedClock(), outcome }: Scene) {
  const startedMs: number[] = [];
  const outcomes: ProbeOutcome[] = [];
  let cancelled = 0;
  const health = new TargetHealth(thresholds, "up");
  const check = new TargetCheck({
    times: { ...usual, ...times },
    health,
    turns,
    clock,
    random: new Random(7),
    probe: (done) => {
      startedMs.push(clock.nowMs);
      const answer = outcome === undefined ? PASSED : outcome();
      const cancel = answer === null ? () => {} : clock.after(10, () => done(answer));
      return () => {
        cancelled += 1;
        cancel();
      };
    },
    onOutcome: (one) => outcomes.push(one),
  });
  check.start();
  return { check, clock, health, startedMs, outcomes, cancelled: () => cancelled };
}

test("target check: begins at once, then after a random part of the interval, then every interval", () => {
  const { clock, startedMs } = scene({});
  clock.move(30_000);
  const [first, second, ...rest] = startedMs;
  assert.equal(first, 0);
  assert.ok(second! > 0 && second! <= 5000, String(second));
  assert.ok(rest.length >= 4);
  const gaps = rest.map((at, index) => at - startedMs[index + 1]!);
  assert.deepEqual(new Set(gaps), new Set([5000]));
});

test("target check: jitter shortens intervals, and never beyond its share", () => {
  const { clock, startedMs } = scene({ times: { jitter: 0.2 } });
  clock.move(200_000);
  const gaps = startedMs.slice(2).map((at, index) => at - startedMs[index + 1]!);
  assert.ok(gaps.every((gap) => gap > 4000 && gap <= 5000));
  assert.ok(new Set(gaps).size > 10);
});

test("target check: one that does not answer is given up at its timeout, and counts as failed", () => {
  const { clock, outcomes, cancelled } = scene({ outcome: () => null });
  clock.move(499);
  assert.equal(outcomes.length, 0);
  clock.move(1);
  assert.equal(outcomes[0]!.result, checkResult.timeout);
  assert.equal(cancelled(), 1);
});

test("target check: a target that is down has an interval of its own", () => {
  let answer: ProbeOutcome = failed("unexpected", "status 503");
  const { clock, startedMs } = scene({ outcome: () => answer });
  clock.move(30_000);
  const gaps = startedMs.slice(4).map((at, index) => at - startedMs[index + 3]!);
  assert.deepEqual(new Set(gaps), new Set([1000]));
  answer = PASSED;
  clock.move(20_000);
  assert.equal(startedMs.at(-1)! - startedMs.at(-2)!, 5000);
});

test("target check: nothing comes after it was stopped, whatever it was doing", () => {
  const turns = new CheckTurns(1);
  const clock = new MovedClock();
  const busy = scene({ turns, clock, outcome: () => null });
  const waiting = scene({ turns, clock });
  const third = scene({ turns, clock });
  waiting.check.stop();
  busy.check.stop();
  assert.deepEqual(waiting.startedMs, []);
  assert.deepEqual(third.startedMs, [0], "the turn went on to the next");
  clock.move(10);
  third.check.stop();
  assert.equal(clock.pending, 0);
  clock.move(60_000);
  assert.deepEqual(busy.outcomes, []);
  assert.equal(third.startedMs.length, 1);
});

test("check turns: never more are under way than there may be, and each gets its turn", () => {
  const clock = new MovedClock();
  let underWay = 0;
  let most = 0;
  const turns = new CheckTurns(3);
  let ended = 0;
  for (let index = 0; index < 50; index++) {
    const run = (): void => {
      most = Math.max(most, ++underWay);
      clock.after(10 + index, () => {
        underWay -= 1;
        ended += 1;
        turns.leave(run);
      });
    };
    turns.enter(run);
  }
  clock.move(10_000);
  assert.deepEqual([most, ended, underWay], [3, 50, 0]);
});
