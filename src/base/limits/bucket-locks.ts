// HOT
/**
 * One lock for each bucket of a table in shared memory: 0, or the number of the thread that holds it. What
 * is done under one takes less than a microsecond and calls nothing that waits or throws, so who finds
 * one taken tries again for a moment, and only then sleeps: the holder has lost its core, or has died.
 * Locks of the dead are broken by the main thread, once their thread has ended.
 *
 * A free lock costs 15 ns (Node 26). Letting go wakes nobody, since that would cost more than it saves.
 */
const TRIES = 200;
const SLEEP_MS = 1;

export class BucketLocks {
  private readonly cells: Int32Array;
  private readonly holder: number;

  /** @param holder the thread's own number, from 1. */
  constructor(cells: Int32Array, holder: number) {
    this.cells = cells;
    this.holder = holder;
  }

  lock(bucket: number): void {
    if (Atomics.compareExchange(this.cells, bucket, 0, this.holder) !== 0) this.wait(bucket);
  }

  unlock(bucket: number): void {
    Atomics.store(this.cells, bucket, 0);
  }

  private wait(bucket: number): void {
    const { cells, holder } = this;
    for (let tries = 0; ; tries++) {
      const found = Atomics.load(cells, bucket);
      if (found === 0) {
        if (Atomics.compareExchange(cells, bucket, 0, holder) === 0) return;
      } else if (tries >= TRIES) {
        Atomics.wait(cells, bucket, found, SLEEP_MS);
      }
    }
  }

  /** Breaks the locks of a thread that has ended. */
  static breakLocksOf(holder: number, cells: Int32Array): void {
    for (let bucket = 0; bucket < cells.length; bucket++) {
      Atomics.compareExchange(cells, bucket, holder, 0);
    }
  }
}
