/**
 * How many threads may be inside a write that can block, counted over all workers in shared memory. Writes
 * run on libuv's pool, which all worker threads share (four threads unless told otherwise); were each
 * worker's log to wait for a stuck disk, nothing would be left for config files and DNS.
 */
export class WriteTurns {
  private readonly cells: Int32Array;
  private readonly index: number;
  private readonly max: number;

  /** `cells` is one counter per worker, zero at first and zeroed again when a worker is replaced. */
  constructor(cells: Int32Array, index: number, max: number) {
    this.cells = cells;
    this.index = index;
    this.max = max;
  }

  /** Turns for a thread that shares with nobody. */
  static alone(): WriteTurns {
    return new WriteTurns(new Int32Array(1), 0, Infinity);
  }

  /** True when the write may begin; `give` must follow it. Never over the maximum, sometimes needlessly shy. */
  take(): boolean {
    Atomics.add(this.cells, this.index, 1);
    let taken = 0;
    for (let index = 0; index < this.cells.length; index += 1)
      taken += Atomics.load(this.cells, index);
    if (taken <= this.max) return true;
    this.give();
    return false;
  }

  give(): void {
    Atomics.sub(this.cells, this.index, 1);
  }
}
