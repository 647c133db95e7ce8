// HOT
/**
 * Time that all threads of the process read alike, for what is written into shared memory: ticks of 100 ms
 * since that memory was made. They fit into an Int32 for 6.8 years; clocks of threads (`performance.now`)
 * begin with their thread, and the time of day may jump.
 */
import type { DeadlineWheel } from "./deadline-wheel.ts";

export const TICK_MS = 100;

export interface SharedClock {
  /** Never falls; late by up to two ticks. */
  readonly tick: number;
}

/** Milliseconds of the machine's monotonic clock, the same in all threads. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Ticks of at least so many milliseconds; never 0 but for 0. */
export function ticksOf(durationMs: number): number {
  return Math.ceil(durationMs / TICK_MS);
}

/** A worker's: follows its wheel, so that reading costs nothing. */
export class WheelClock implements SharedClock {
  private readonly wheel: DeadlineWheel;
  private readonly aheadMs: number;

  /** @param aheadMs the shared time at which the wheel began. */
  constructor(wheel: DeadlineWheel, aheadMs: number) {
    this.wheel = wheel;
    this.aheadMs = aheadMs;
  }

  get tick(): number {
    return ((this.wheel.nowMs + this.aheadMs) / TICK_MS) | 0;
  }
}

/** The main thread's. */
export class ProcessClock implements SharedClock {
  private readonly epochMs: number;

  constructor(epochMs: number) {
    this.epochMs = epochMs;
  }

  get tick(): number {
    return ((monotonicMs() - this.epochMs) / TICK_MS) | 0;
  }
}
