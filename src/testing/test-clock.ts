import type { Clock } from "../policy/environment.ts";
import { parseDuration } from "../policy/values/duration.ts";

/** Moves in steps at least this long where deadlines follow it, as a worker's timer does. */
const STEP_MS = 100;
const STEP_COUNT_MAX = 10_000;

/** A clock that stands still until the test moves it. */
export class TestClock implements Clock {
  private nowMs: number;
  private readonly followers: (() => void)[] = [];
  private readonly timers = new Set<Timer>();

  /** @param startsAt epoch milliseconds or a date as `Date.parse` reads it. */
  constructor(startsAt: number | string = "2026-01-01T00:00:00Z") {
    this.nowMs = typeof startsAt === "number" ? startsAt : Date.parse(startsAt);
  }

  now(): number {
    return this.nowMs;
  }

  /**
   * Time goes by, and whatever becomes due happens on the way.
   *
   * @param time milliseconds, or as in configurations: `30s`, `1h`
   */
  advance(time: number | string): void {
    const until = this.nowMs + (typeof time === "number" ? time : parseDuration(time));
    const stepMs = Math.max(STEP_MS, (until - this.nowMs) / STEP_COUNT_MAX);
    while (this.nowMs < until) {
      this.nowMs = this.followers.length === 0 ? until : Math.min(until, this.nowMs + stepMs);
      for (const follow of this.followers) follow();
      this.runDue();
    }
  }

  /**
   * Runs once when so many milliseconds have gone by, unless the returned function is called. What becomes due within
   * one step runs in the order of its time.
   */
  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.nowMs + delayMs, run };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** @internal Called after every step. */
  onStep(follow: () => void): void {
    this.followers.push(follow);
  }

  private runDue(): void {
    const due = [...this.timers].filter(({ atMs }) => atMs <= this.nowMs);
    for (const timer of due.sort((one, other) => one.atMs - other.atMs)) {
      if (this.timers.delete(timer)) timer.run();
    }
  }
}

interface Timer {
  atMs: number;
  run: () => void;
}
