// HOT
/**
 * Counts that all workers share and that are exact: requests in flight for a target, tokens of a
 * limit. One Int32 slot each, in one SharedArrayBuffer of fixed size.
 *
 *     total     | slot 0 | slot 1 | ...   changed by everyone, with Atomics
 *     worker 0  | slot 0 | slot 1 | ...   what worker 0 has added, written by it alone
 *     worker 1  | slot 0 | slot 1 | ...
 *
 * The total is what decisions are made on: `add` returns it, so "is there still room" and "take a
 * place" are one step. The rows exist for one thing only: when a worker dies, what it held
 * is taken back (`SlotTable.clearRow`).
 *
 * Memory order: `add` and `load` are sequentially consistent. `peek` is a plain read: it never
 * tears, costs nothing and may be some nanoseconds old, which is what a choice of the least loaded
 * wants. Cost (Node 26): `add` 11 ns while one core owns the cache line and up to some 100 ns when
 * many fight for it, `load` 9 ns, `peek` under 1 ns.
 */

/** What a worker needs to open the counters; goes through `workerData`. */
export interface SharedCountersHandle {
  readonly buffer: SharedArrayBuffer;
  /** How many threads may write, each in a row of its own. */
  readonly rows: number;
  readonly slots: number;
}

/** In place of a slot: the table was full, so the count is kept by each worker for itself. */
export const NO_SLOT = -1;

/** One thread's view. Only one thread at a time may hold a row. */
export class SharedCounters {
  readonly slots: number;
  private readonly cells: Int32Array;
  private readonly ownStart: number;

  /** @param row the thread's own, from 0 to `handle.rows - 1`. */
  constructor(handle: SharedCountersHandle, row: number) {
    if (!(row >= 0 && row < handle.rows)) throw new RangeError(`no row ${row} of ${handle.rows}`);
    this.slots = handle.slots;
    this.cells = new Int32Array(handle.buffer);
    this.ownStart = (row + 1) * handle.slots;
  }

  /** Adds `amount` (negative to take away) and returns the new total of all workers. */
  add(slot: number, amount: number): number {
    // Nothing can end the thread between the two: V8 stops it only where a call or a loop begins.
    this.cells[this.ownStart + slot]! += amount;
    return Atomics.add(this.cells, slot, amount) + amount;
  }

  /** Total of all workers. */
  load(slot: number): number {
    return Atomics.load(this.cells, slot);
  }

  /** Total of all workers, perhaps a moment old. For comparing, not for enforcing. */
  peek(slot: number): number {
    return this.cells[slot]!;
  }

  /** What this thread has added and not taken away. */
  loadOwn(slot: number): number {
    return this.cells[this.ownStart + slot]!;
  }
}
