import type { HealthClock } from "../../src/upstream/health/health-clock.ts";

/** A clock that stands until it is moved. */
export class MovedClock implements HealthClock {
  nowMs = 0;
  private readonly timers = new Set<{ atMs: number; run: () => void }>();

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** Runs what becomes due, in order of time. */
  move(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      let next: { atMs: number; run: () => void } | undefined;
      for (const each of this.timers) {
        if (each.atMs <= untilMs && (next === undefined || each.atMs < next.atMs)) next = each;
      }
      if (next === undefined) break;
      this.timers.delete(next);
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = untilMs;
  }

  get pending(): number {
    return this.timers.size;
  }
}
