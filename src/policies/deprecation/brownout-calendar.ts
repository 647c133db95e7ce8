// HOT
import type { Brownouts } from "./deprecation-options.ts";

/**
 * When requests are refused before the end. It depends on the time alone, so that all workers and machines
 * say the same, and a client that is refused can be told until when.
 *
 *     |###---------|####--------|#####-------|     # refused; each `every` more than the one before
 */
export class BrownoutCalendar {
  /** Beginnings and ends in turn, epoch ms. */
  private readonly windows: readonly number[];
  /** Infinity where no part grows. */
  private readonly from: number;
  private readonly every: number;
  /** Refused part of one `every`, for each ms since `from`; in ms, and at most so many. */
  private readonly growth: number;
  private readonly refusedMax: number;

  /** @param sunset epoch ms; only used where `from` is given */
  constructor({ windows, from, every, shareMax }: Brownouts, sunset: number) {
    // cold: once per snapshot
    this.windows = windows.flatMap((window) => [window.from, window.until]);
    this.from = from ?? Infinity;
    this.every = every;
    this.refusedMax = shareMax * every;
    this.growth = from === undefined ? 0 : this.refusedMax / (sunset - from);
  }

  /** Until when requests at `now` are refused, epoch ms; 0 where they are not. */
  refusedUntil(now: number): number {
    const { windows, from, every, growth, refusedMax } = this;
    for (let index = 0; index < windows.length; index += 2) {
      if (now >= windows[index]! && now < windows[index + 1]!) return windows[index + 1]!;
    }
    if (now < from) return 0;
    const start = now - (now % every);
    const end = start + Math.min((start - from) * growth, refusedMax);
    return now < end ? Math.ceil(end) : 0;
  }
}
