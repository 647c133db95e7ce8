import { BucketLocks } from "./bucket-locks.ts";
import { WAYS } from "./bucket-memory.ts";
import { createSecret } from "./key-spaces.ts";
import { quotaTableBytes, type QuotaTableHandle } from "./shared-quota-table.ts";

/** The main thread's side of the table of quotas: 3 MiB by default, taken from the system as they are used. */
export class QuotaMemory {
  readonly handle: QuotaTableHandle;
  private readonly lockCells: Int32Array;

  /**
   * @param entries keys with something used at once, a power of two; others are looked up in the ledger.
   * @param secret by which keys get their places; see `LimitsMemorySettings`.
   */
  constructor(entries = 32_768, secret = createSecret()) {
    const buckets = entries / WAYS;
    const buffer = new SharedArrayBuffer(quotaTableBytes(buckets));
    this.handle = { buffer, buckets, secret };
    this.lockCells = new Int32Array(buffer, 0, buckets);
  }

  /** Frees what a dead worker held. Call after its thread has ended, before another gets its number. */
  clearWorker(worker: number): void {
    BucketLocks.breakLocksOf(worker + 1, this.lockCells);
  }
}
