import { BucketLocks } from "./bucket-locks.ts";
import { WAYS } from "./bucket-memory.ts";
import { createSecret } from "./key-spaces.ts";
import { concurrencyTableBytes, SharedConcurrencyTable } from "./shared-concurrency-table.ts";
import type { ConcurrencyTableHandle } from "./shared-concurrency-table.ts";
import { limitTableBytes, SharedLimitTable } from "./shared-limit-table.ts";
import type { LimitTableHandle } from "./shared-limit-table.ts";

/** What workers open; goes through `workerData`. */
export interface LimitsHandle {
  readonly limits: LimitTableHandle;
  readonly concurrency: ConcurrencyTableHandle;
}

export interface LimitsMemorySettings {
  workers: number;
  /** Keys that can be counted at once, default 65536; rounded up to a power of two. */
  entries?: number;
  /** Keys that can have something under way at once, default 16384; rounded up to a power of two. */
  concurrencyEntries?: number;
  /** By which keys get their places, drawn by default; tests give one, since now and then too many share a place. */
  secret?: Uint8Array;
}

/**
 * The main thread's side of the tables of limits: allocates them (3 MiB by default, and 0.2 MiB with 64
 * KiB for each worker; taken from the system as they are used), and takes back what a dead worker held.
 */
export class LimitsMemory {
  readonly handle: LimitsHandle;
  private readonly limits: SharedLimitTable;
  private readonly concurrency: SharedConcurrencyTable;

  constructor(settings: LimitsMemorySettings) {
    const { workers, entries = 65_536, concurrencyEntries = 16_384 } = settings;
    const { secret = createSecret() } = settings;
    const buckets = bucketsFor(entries);
    const limits = {
      buffer: new SharedArrayBuffer(limitTableBytes(buckets)),
      buckets,
      secret,
    };
    const concurrencyBuckets = bucketsFor(concurrencyEntries);
    const concurrency = {
      buffer: new SharedArrayBuffer(concurrencyTableBytes(concurrencyBuckets, workers)),
      buckets: concurrencyBuckets,
      workers,
      secret,
    };
    this.handle = { limits, concurrency };
    this.limits = openLimits(this.handle, workers);
    this.concurrency = openConcurrency(this.handle, workers);
  }

  /** Keys that were forgotten, for want of room, while they still counted. */
  get evictions(): number {
    return this.limits.evictions;
  }

  /** Takes back all that a dead worker held. Call after its thread has ended, before another gets its number. */
  clearWorker(worker: number): void {
    BucketLocks.breakLocksOf(worker + 1, this.limits.lockCells);
    BucketLocks.breakLocksOf(worker + 1, this.concurrency.lockCells);
    this.concurrency.clearWorker(worker);
  }
}

/** @param worker from 0; the number of workers for the main thread. */
export function openLimits({ limits }: LimitsHandle, worker: number): SharedLimitTable {
  return new SharedLimitTable(limits, worker + 1);
}

/** @param worker as for `openLimits`. */
export function openConcurrency(
  { concurrency }: LimitsHandle,
  worker: number,
): SharedConcurrencyTable {
  return new SharedConcurrencyTable(concurrency, worker);
}

function bucketsFor(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(entries, WAYS) / WAYS));
}
