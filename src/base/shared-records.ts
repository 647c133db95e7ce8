// HOT
/**
 * What all threads know together of an identity beyond one count: a record of 64 Int32 cells for each slot of
 * the shared counters, in one SharedArrayBuffer of fixed size. Whoever owns cells says what they mean
 * (`upstream/target-record.ts`); a slot's record is all zeros when its identity gets it.
 *
 * Memory that nobody has touched costs nothing: 4,096 slots are 1 MB of addresses.
 */
import { NO_SLOT } from "./shared-counters.ts";

export const RECORD_INTS = 64;

/** What a worker needs to open the records; goes through `workerData`. */
export interface SharedRecordsHandle {
  readonly buffer: SharedArrayBuffer;
  /** Reading of `monotonicMs` that is tick 0 of the shared clock. */
  readonly epochMs: number;
}

/** A view that any thread may have. */
export class SharedRecords {
  private readonly buffer: SharedArrayBuffer;

  constructor({ buffer }: SharedRecordsHandle) {
    this.buffer = buffer;
  }

  /** The record of a slot; of `NO_SLOT` a new one, which this thread has for itself. */
  of(slot: number): Int32Array {
    if (slot === NO_SLOT) return new Int32Array(RECORD_INTS);
    return new Int32Array(this.buffer, slot * RECORD_INTS * 4, RECORD_INTS);
  }
}

/** The main thread's: room for the records of so many slots. */
export function allocateRecords(slots: number, epochMs: number): SharedRecordsHandle {
  return { buffer: new SharedArrayBuffer(slots * RECORD_INTS * 4), epochMs };
}

/** All zeros: to be called when a slot is given to another identity. */
export function clearRecord({ buffer }: SharedRecordsHandle, slot: number): void {
  new Int32Array(buffer, slot * RECORD_INTS * 4, RECORD_INTS).fill(0);
}
