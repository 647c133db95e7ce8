// HOT
/**
 * Tries of the last while, counted by all threads together: ten buckets of time, each with how many there were,
 * how many failed and how many were slow. A bucket is not emptied when its time has passed, which no thread could
 * do while others count: each count carries the round it is of, and begins anew in the next.
 *
 * A round has 13 bits: a bucket that nobody touched for 8,192 windows, exactly, would be taken for a new one. The
 * count has 18: what is beyond 262,143 tries in a bucket is left out, of all three alike.
 */

export const BUCKETS = 10;
const KINDS = 3;
const COUNT_BITS = 18;
const COUNT_MAX = (1 << COUNT_BITS) - 1;
const ROUND_MASK = 0x1fff;

export const COUNT_CELLS = BUCKETS * KINDS;

export class SlidingCounts {
  /** As `read` has found them. */
  total: number;
  failed: number;
  slow: number;
  private readonly cells: Int32Array;
  private readonly start: number;
  private readonly bucketTicks: number;

  /**
   * @param start of its `COUNT_CELLS` cells
   * @param windowTicks counts are of at least nine tenths of it, at most of all
   */
  constructor(cells: Int32Array, start: number, windowTicks: number) {
    this.total = 0;
    this.failed = 0;
    this.slow = 0;
    this.cells = cells;
    this.start = start;
    this.bucketTicks = Math.ceil(windowTicks / BUCKETS);
  }

  add(tick: number, failed: boolean, slow: boolean): void {
    const time = Math.floor(tick / this.bucketTicks);
    const at = this.start + (time % BUCKETS) * KINDS;
    const round = roundOf(time);
    if (!this.increment(at, round)) return;
    if (failed) this.increment(at + 1, round);
    if (slow) this.increment(at + 2, round);
  }

  /** Sums up the window that ends now. */
  read(tick: number): void {
    const { cells, start } = this;
    const now = Math.floor(tick / this.bucketTicks);
    this.total = 0;
    this.failed = 0;
    this.slow = 0;
    for (let time = now < BUCKETS ? 0 : now - BUCKETS + 1; time <= now; time++) {
      const at = start + (time % BUCKETS) * KINDS;
      const round = roundOf(time);
      this.total += countIn(Atomics.load(cells, at), round);
      this.failed += countIn(Atomics.load(cells, at + 1), round);
      this.slow += countIn(Atomics.load(cells, at + 2), round);
    }
  }

  clear(): void {
    for (let index = 0; index < COUNT_CELLS; index++)
      Atomics.store(this.cells, this.start + index, 0);
  }

  /** @returns false where it is full, or a thread with a later clock has begun the next round */
  private increment(at: number, round: number): boolean {
    const { cells } = this;
    let seen = Atomics.load(cells, at);
    for (;;) {
      const ahead = ((seen >>> COUNT_BITS) - round) & ROUND_MASK;
      if (ahead > 0 && ahead < ROUND_MASK / 2) return false;
      const count = countIn(seen, round);
      if (count === COUNT_MAX) return false;
      const found = Atomics.compareExchange(cells, at, seen, (round << COUNT_BITS) | (count + 1));
      if (found === seen) return true;
      seen = found;
    }
  }
}

function roundOf(time: number): number {
  return Math.floor(time / BUCKETS) & ROUND_MASK;
}

function countIn(cell: number, round: number): number {
  return cell >>> COUNT_BITS === round ? cell & COUNT_MAX : 0;
}
