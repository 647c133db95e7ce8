/**
 * The cells behind the metrics: a Float64 row for each thread in one SharedArrayBuffer of fixed size.
 *
 *     thread 0    | child a: 1 cell | child b: 12 cells | ...
 *     thread 1    | child a: 1 cell | child b: 12 cells | ...
 *
 * A child has the same place in every row. The operating system gives a page real memory when it is
 * first written, so an unused reserve is free.
 */
import type { MetricsHandle } from "./metric-view.ts";

const BYTES_PER_CELL = 8;

/** Returned when no run of cells is left. */
export const NO_CELLS = -1;

export class MetricMemory {
  readonly handle: MetricsHandle;
  private readonly cells: Float64Array;
  /** First cell that was never given out. */
  private unused: number;
  /** Freed runs by length. Families come in few lengths, so runs are reused whole, never split. */
  private readonly freed: Map<number, number[]>;

  constructor(rows: number, cellsPerRow: number) {
    const buffer = new SharedArrayBuffer(rows * cellsPerRow * BYTES_PER_CELL);
    this.handle = { buffer, rows, cellsPerRow };
    this.cells = new Float64Array(buffer);
    this.unused = 0;
    this.freed = new Map();
  }

  /** Start of `length` cells that are zero in every row, or `NO_CELLS`. */
  allocate(length: number): number {
    const reused = this.freed.get(length)?.pop();
    if (reused !== undefined) {
      // Only now, not when freed: a request that outlived its snapshot may have added since.
      for (let row = 0; row < this.handle.rows; row++) this.clear(row, reused, length);
      return reused;
    }
    if (this.unused + length > this.handle.cellsPerRow) return NO_CELLS;
    this.unused += length;
    return this.unused - length;
  }

  free(start: number, length: number): void {
    const runs = this.freed.get(length);
    if (runs === undefined) this.freed.set(length, [start]);
    else runs.push(start);
  }

  clear(row: number, start: number, length: number): void {
    const from = row * this.handle.cellsPerRow + start;
    this.cells.fill(0, from, from + length);
  }

  sum(cell: number): number {
    let sum = 0;
    for (let at = cell; at < this.cells.length; at += this.handle.cellsPerRow)
      sum += this.cells[at]!;
    return sum;
  }

  max(cell: number): number {
    let max = -Infinity;
    for (let at = cell; at < this.cells.length; at += this.handle.cellsPerRow) {
      if (this.cells[at]! > max) max = this.cells[at]!;
    }
    return max;
  }
}
