// HOT
/**
 * What all workers know together of a service's adaptive limit, in a shared record of its own
 * (`base/shared-records.ts`). Cells that are read for each request are Int32; the rest are Float64, from a third of
 * the record on, and belong to whoever holds the lock.
 *
 *     0 lock | 1 limit | 2 count from | 3 shedding | 4 refused at | 5 refused | ... | 16 Float64 ...
 */
import { NO_SLOT } from "../../base/shared-counters.ts";
import type { SharedCounters } from "../../base/shared-counters.ts";

const LOCK = 0;
/** Requests in flight that the highest priority may have. 0: nobody has set it yet. */
export const LIMIT = 1;
/** While the latency without load is measured: the tick from which requests count, or `COUNTS_NONE`. Else 0. */
export const COUNT_FROM = 2;
/** 1 from the first refusal on, until there has been none for a while. */
export const SHEDDING = 3;
export const REFUSED_AT = 4;
export const REFUSED = 5;

export const COUNTS_NONE = -1;

const FLOATS_AT = 16;
const FLOATS = 16;
/** The exact limit, as it is when nothing is measured. */
export const EXACT_LIMIT = 0;
export const MIN_RTT_MS = 1;
/** Of the window under way: its medians (or other percentiles) times their counts, the counts, most in flight. */
export const SUM = 2;
export const COUNT = 3;
export const PEAK = 4;
/** Tick before which the window under way does not end. */
export const WINDOW_ENDS_AT = 5;
/** Tick from which the latency without load is to be measured again. */
export const MEASURE_AT = 6;
/** Tick at which a measurement ends, whatever it has got. */
export const MEASURE_ENDS_AT = 7;

/** A holder that has been gone for so many ticks has died with its worker. */
const LOCK_LOST_TICKS = 10;

export class ConcurrencyRecord {
  readonly cells: Int32Array;
  /** Only for whoever holds the lock. */
  readonly floats: Float64Array;
  private readonly counters: SharedCounters;
  private readonly slot: number;
  /** What is in flight where there was no slot left: of this worker alone. */
  private ownCount: number;

  /** @param record of `slot`, which counts what is in flight. */
  constructor(record: Int32Array, counters: SharedCounters, slot: number) {
    this.cells = record;
    this.floats = new Float64Array(record.buffer, record.byteOffset + FLOATS_AT * 4, FLOATS);
    this.counters = counters;
    this.slot = slot;
    this.ownCount = 0;
  }

  /** @returns how many requests of all workers are in flight now. */
  addInFlight(amount: number): number {
    if (this.slot !== NO_SLOT) return this.counters.add(this.slot, amount);
    this.ownCount += amount;
    return this.ownCount;
  }

  get inFlight(): number {
    return this.slot === NO_SLOT ? this.ownCount : this.counters.peek(this.slot);
  }

  get limit(): number {
    return this.cells[LIMIT]!;
  }

  /** @returns false when another worker has it; there is always a next time. */
  tryLock(tick: number): boolean {
    const { cells } = this;
    const holder = Atomics.compareExchange(cells, LOCK, 0, tick + 1);
    if (holder === 0) return true;
    if (tick + 1 - holder < LOCK_LOST_TICKS) return false;
    return Atomics.compareExchange(cells, LOCK, holder, tick + 1) === holder;
  }

  unlock(): void {
    Atomics.store(this.cells, LOCK, 0);
  }
}
