// HOT
/**
 * Buckets of 8 entries in shared memory, found by a 64-bit fingerprint of a key: what tables of limits are
 * made of. Beside its fingerprint an entry has whatever a table keeps at the same index. What is done to a
 * bucket is done under its lock.
 *
 *     locks          | bucket 0 | bucket 1 | ...                      one Int32 each
 *     fingerprints   | 8 entries of bucket 0 | 8 of bucket 1 | ...    two Int32 each, 0 0 for a free one
 */
import { BucketLocks } from "./bucket-locks.ts";
import { KeyHash } from "./key-hash.ts";
import type { KeySpace } from "./key-spaces.ts";

export const WAYS = 8;
export const BYTES_PER_BUCKET = 4 + WAYS * 8;
export const NO_ENTRY = -1;

export class BucketMemory {
  readonly locks: BucketLocks;
  readonly lockCells: Int32Array;
  /** Of the key that was hashed last. */
  bucket: number;
  private readonly fingerprints: Int32Array;
  private readonly mask: number;
  private readonly hash: KeyHash;

  /**
   * @param buckets a power of two
   * @param holder the thread's number, from 1
   */
  constructor(buffer: SharedArrayBuffer, buckets: number, holder: number) {
    this.lockCells = new Int32Array(buffer, 0, buckets);
    this.fingerprints = new Int32Array(buffer, buckets * 4, buckets * WAYS * 2);
    this.locks = new BucketLocks(this.lockCells, holder);
    this.mask = buckets - 1;
    this.hash = new KeyHash();
    this.bucket = 0;
  }

  /** Hashes a key and locks its bucket, for what follows, up to `close`. */
  open(space: KeySpace, key: string): void {
    this.hash.compute(key, space.key0, space.key1);
    this.bucket = this.hash.low & this.mask;
    this.locks.lock(this.bucket);
  }

  close(): void {
    this.locks.unlock(this.bucket);
  }

  /** Entry of the key, or NO_ENTRY. */
  locate(): number {
    const { low, high } = this.hash;
    return this.indexOf(low, high);
  }

  /** A free entry of the key's bucket, or NO_ENTRY. */
  findFree(): number {
    return this.indexOf(0, 0);
  }

  private indexOf(low: number, high: number): number {
    const { fingerprints } = this;
    const first = this.bucket * WAYS;
    for (let entry = first; entry < first + WAYS; entry++) {
      if (fingerprints[2 * entry] === low && fingerprints[2 * entry + 1] === high) return entry;
    }
    return NO_ENTRY;
  }

  /** Frees an entry: first thing when it is to be another's, so that no one's counts are ever taken for it. */
  free(entry: number): void {
    this.fingerprints[2 * entry] = 0;
    this.fingerprints[2 * entry + 1] = 0;
  }

  /** Makes an entry the key's: last thing, once all that belongs to it is written. */
  name(entry: number): void {
    this.fingerprints[2 * entry] = this.hash.low;
    this.fingerprints[2 * entry + 1] = this.hash.high;
  }
}
