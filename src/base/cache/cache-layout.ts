/**
 * cache-layout: one SharedArrayBuffer that holds all of the cache, and nothing outside of it grows with what
 * is stored: the bound is the buffer's size.
 *
 *     header    lock, counts, ends of lists                                  HEADER_WORDS Int32
 *     tags      when what carries a tag was purged last, by a hash of it     TAG_SLOTS Int32
 *     changes   how often what is under a key has changed, by a hash of it   CHANGE_SLOTS Int32
 *     buckets   first entry of each chain of the hash table                  Int32
 *     ghosts    | part of a fingerprint, number of the insertion | ...       two Int32
 *     links     the block after each block of a chain, or of the free list   Int32
 *     entries   ENTRY_WORDS Int32 each, a line of the processor's cache
 *     blocks    BLOCK_BYTES each
 *
 * Entries and blocks count from 1; 0 is none. Those that were never used are not touched, so the system gives
 * memory only as it is needed.
 */

/** What a worker opens; goes with a configuration. */
export interface CacheHandle {
  readonly buffer: SharedArrayBuffer;
  /** Under which keys and tags are hashed. */
  readonly secret: Uint8Array;
}

export const BLOCK_BYTES = 512;
export const TAG_SLOTS = 16_384;
export const CHANGE_SLOTS = 4096;
/** The slot that everything has. */
export const ALL_SLOT = 0;
/** Below it there is no room for anything. */
export const CACHE_BYTES_MIN = 2 ** 20;

const HEADER_WORDS = 32;
export const LOCK = 0;
export const FREE_BLOCK = 1;
export const FRESH_BLOCK = 2;
export const USED_BLOCKS = 3;
export const FREE_ENTRY = 4;
export const FRESH_ENTRY = 5;
export const USED_ENTRIES = 6;
export const EVICTIONS = 7;
export const INSERTIONS = 8;
export const PURGES = 9;
/** Values that were not taken: too large, or the lock could not be had. */
export const REFUSALS = 10;
/** Of the queue q at `QUEUES + 4 * q`: its newest entry, its oldest, its entries, their blocks. */
export const QUEUES = 12;

export const ENTRY_WORDS = 16;
/** Odd while it holds something; another number for each thing it ever holds. */
export const VERSION = 0;
/** Four words. */
export const FINGERPRINT = 1;
/** The next of its bucket; of the free list, when it is free. */
export const CHAIN = 5;
export const FIRST_BLOCK = 6;
export const SIZE = 7;
export const NEWER = 8;
export const OLDER = 9;
export const QUEUE = 10;
/** How often it was found since it was last looked at, up to HITS_MAX. */
export const HITS = 11;
/** `PURGES` when what it holds began to be fetched. */
export const SEQUENCE = 12;
export const BLOCKS = 13;
/** In Float64: epoch milliseconds. */
export const UNTIL = 7;

export const HITS_MAX = 3;

/** Memory for a cache: exactly `bytes`, rounded down to 64. */
export function allocateCache(bytes: number, secret: Uint8Array): CacheHandle {
  const size = Math.floor(Math.max(CACHE_BYTES_MIN, bytes) / 64) * 64;
  return { buffer: new SharedArrayBuffer(size), secret };
}

/** Views on the parts of the buffer. */
export class CacheLayout {
  readonly header: Int32Array;
  readonly tags: Int32Array;
  readonly changes: Int32Array;
  readonly buckets: Int32Array;
  readonly ghosts: Int32Array;
  readonly links: Int32Array;
  readonly entries: Int32Array;
  readonly times: Float64Array;
  readonly bytes: Uint8Array;
  readonly entryCount: number;
  readonly blockCount: number;

  constructor(buffer: SharedArrayBuffer) {
    const fixed = (HEADER_WORDS + TAG_SLOTS + CHANGE_SLOTS) * 4;
    const each = ENTRY_WORDS * 4 + 2 * (BLOCK_BYTES + 4);
    const buckets = 2 ** Math.floor(Math.log2((buffer.byteLength - fixed) / each));
    const rest = buffer.byteLength - fixed - buckets * 12 - 256;
    this.entryCount = Math.floor(rest / each);
    this.blockCount = 2 * this.entryCount;
    let at = 0;
    const words = (count: number): Int32Array => {
      const view = new Int32Array(buffer, at, count);
      at += count * 4;
      return view;
    };
    this.header = words(HEADER_WORDS);
    this.tags = words(TAG_SLOTS);
    this.changes = words(CHANGE_SLOTS);
    this.buckets = words(buckets);
    this.ghosts = words(buckets * 2);
    this.links = words(this.blockCount + 1);
    at = Math.ceil(at / 64) * 64;
    this.times = new Float64Array(buffer, at, ((this.entryCount + 1) * ENTRY_WORDS) / 2);
    this.entries = words((this.entryCount + 1) * ENTRY_WORDS);
    this.bytes = new Uint8Array(buffer, at, this.blockCount * BLOCK_BYTES);
  }
}
