/** What the main thread sees of a breaker, and how an operator sets it. */
import type { SharedClock } from "../../base/shared-clock.ts";
import {
  CHANGED_AT,
  CLOSED,
  COUNTS,
  FORCED,
  FORCED_CLOSED,
  FORCED_OPEN,
  HALF_OPEN,
  MODE,
  nextPeriod,
  OPEN,
  OPEN_TICKS,
  OPEN_UNTIL,
  OPENINGS,
  WORD,
} from "./breaker-cells.ts";
import { SlidingCounts } from "./sliding-counts.ts";

export type BreakerState = "closed" | "half-open" | "open";
/** `auto`: by what happens to requests. */
export type BreakerOrder = "open" | "closed" | "auto";

export interface BreakerReport {
  state: BreakerState;
  /** An operator has set it, and nothing but an operator changes it. */
  forced: boolean;
  /** Openings that followed soon on each other. */
  openings: number;
  /** Tick of the last change of state; 0 before the first. */
  changedAt: number;
  /** Tick from which trials may pass; 0 where it is not open, or forced. */
  openUntil: number;
  /** Tries of the window. */
  tries: number;
  failed: number;
  slow: number;
}

/** The mode that requests meet. */
export function modeOf(cells: Int32Array): number {
  const word = Atomics.load(cells, WORD);
  return (word & FORCED) === FORCED_CLOSED ? CLOSED : word & MODE;
}

/** @param windowTicks as the workers have it */
export function readBreaker(
  cells: Int32Array,
  windowTicks: number,
  clock: SharedClock,
): BreakerReport {
  const word = Atomics.load(cells, WORD);
  const mode = word & MODE;
  const forced = (word & FORCED) !== 0;
  const counts = new SlidingCounts(cells, COUNTS, windowTicks);
  counts.read(clock.tick);
  return {
    state: mode === OPEN ? "open" : mode === HALF_OPEN ? "half-open" : "closed",
    forced,
    openings: Atomics.load(cells, OPENINGS),
    changedAt: Atomics.load(cells, CHANGED_AT),
    openUntil: mode === OPEN && !forced ? Atomics.load(cells, OPEN_UNTIL) : 0,
    tries: counts.total,
    failed: counts.failed,
    slow: counts.slow,
  };
}

const WORDS = { open: OPEN | FORCED_OPEN, closed: CLOSED | FORCED_CLOSED, auto: CLOSED };

/** Sets a breaker for all workers at once. `auto` begins anew: closed, and nothing counted. */
export function orderBreaker(cells: Int32Array, order: BreakerOrder, clock: SharedClock): void {
  let word = Atomics.load(cells, WORD);
  for (;;) {
    const found = Atomics.compareExchange(cells, WORD, word, nextPeriod(word, WORDS[order]));
    if (found === word) break;
    word = found;
  }
  new SlidingCounts(cells, COUNTS, 1).clear();
  Atomics.store(cells, OPENINGS, 0);
  Atomics.store(cells, OPEN_TICKS, 0);
  Atomics.store(cells, OPEN_UNTIL, 0);
  Atomics.store(cells, CHANGED_AT, clock.tick);
}
