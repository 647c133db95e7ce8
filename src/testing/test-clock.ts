import type { Clock } from "../policy/environment.ts";

/** A clock that stands still until the test moves it. */
export class TestClock implements Clock {
  private nowMs: number;

  /** @param startsAt epoch milliseconds or a date as `Date.parse` reads it. */
  constructor(startsAt: number | string = "2026-01-01T00:00:00Z") {
    this.nowMs = typeof startsAt === "number" ? startsAt : Date.parse(startsAt);
  }

  now(): number {
    return this.nowMs;
  }

  advance(ms: number): void {
    this.nowMs += ms;
  }
}
