// HOT
/**
 * What the cells of a breaker mean (48 of a shared record, see `target-record.ts`). Whatever must not be done
 * twice is one compare-and-exchange of the first:
 *
 *     30          19 18    14 13   9 8     4 3      2 1    0
 *     +-------------+--------+-------+-------+--------+------+
 *     |   period    |  bad   | passed|  out  | forced | mode |
 *     +-------------+--------+-------+-------+--------+------+
 *
 * The period rises with each change of mode: a try counts only in the period that let it pass. `out`, `passed`
 * and `bad` are the trials of a half-open breaker.
 */

export const WORD = 0;
/** Tick from which an open breaker lets trials pass. */
export const OPEN_UNTIL = 1;
/** Tick from which others take the places of trials that have not ended. */
export const TRIALS_UNTIL = 2;
/** Openings one soon after the other. */
export const OPENINGS = 3;
/** Ticks that the last opening was for. */
export const OPEN_TICKS = 4;
/** Tick of the last change of mode. */
export const CHANGED_AT = 5;
/** First of 30 cells of `SlidingCounts`. */
export const COUNTS = 6;

export const BREAKER_CELLS = 48;

/** Modes, and values of `gateward_breaker_state`: worse ones are higher. */
export const CLOSED = 0;
export const HALF_OPEN = 1;
export const OPEN = 2;

/** What an operator wants, beside nothing. */
export const FORCED_OPEN = 1 << 2;
export const FORCED_CLOSED = 2 << 2;

/** Most trials that can be counted. */
export const TRIALS_MAX = 31;

export const MODE = 3;
export const FORCED = 3 << 2;
export const OUT_ONE = 1 << 4;
export const PASSED_ONE = 1 << 9;
export const BAD_ONE = 1 << 14;
/** Trials that have ended, `passed` and `bad`. */
export const ENDED = (TRIALS_MAX << 9) | (TRIALS_MAX << 14);

const PERIOD_SHIFT = 19;
const PERIOD_MASK = 0xfff;

export function periodOf(word: number): number {
  return word >>> PERIOD_SHIFT;
}

export function outOf(word: number): number {
  return (word >>> 4) & TRIALS_MAX;
}

export function passedOf(word: number): number {
  return (word >>> 9) & TRIALS_MAX;
}

export function badOf(word: number): number {
  return (word >>> 14) & TRIALS_MAX;
}

/** The word of the next period. */
export function nextPeriod(word: number, rest: number): number {
  return (((periodOf(word) + 1) & PERIOD_MASK) << PERIOD_SHIFT) | rest;
}

/** Raises a cell that may only rise: whoever comes late with an earlier time changes nothing. */
export function raise(cells: Int32Array, at: number, value: number): void {
  let seen = Atomics.load(cells, at);
  while (seen < value) {
    const found = Atomics.compareExchange(cells, at, seen, value);
    if (found === seen) return;
    seen = found;
  }
}
