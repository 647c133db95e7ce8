import {
  ALL_SLOT,
  allocateCache,
  BLOCK_BYTES,
  type CacheHandle,
  CacheLayout,
  CHAIN,
  ENTRY_WORDS,
  EVICTIONS,
  FINGERPRINT,
  FREE_BLOCK,
  FREE_ENTRY,
  FRESH_BLOCK,
  FRESH_ENTRY,
  QUEUES,
  REFUSALS,
  USED_BLOCKS,
  USED_ENTRIES,
  VERSION,
} from "./cache-layout.ts";
import { createSecret } from "../limits/key-spaces.ts";
import { CacheLock } from "./cache-lock.ts";
import { countEntries } from "./count-entries.ts";
import type { CachePurge } from "./cache-tags.ts";
import { allocateFlights, FlightTable, type FlightsHandle } from "./flight-table.ts";
import { SharedCache } from "./shared-cache.ts";

/** What workers open. */
export interface CacheMemoryHandle {
  readonly cache: CacheHandle;
  readonly flights: FlightsHandle;
}

/** The main thread's side of a cache: allocates it, purges, and takes back what a dead worker held. */
export class CacheMemory {
  readonly handle: CacheMemoryHandle;
  /** What `bytes` cannot exceed: without what the cache itself needs. */
  readonly bytesMax: number;
  readonly entriesMax: number;
  private readonly layout: CacheLayout;
  private readonly lock: CacheLock;
  private readonly cache: SharedCache<null>;

  /**
   * @param workers beyond whose numbers the main thread takes its own
   * @param secret by which keys and tags get their places; tests give one, since now and then two would share a place
   */
  constructor(bytes: number, workers: number, secret = createSecret()) {
    const cache = allocateCache(bytes, secret);
    this.handle = { cache, flights: allocateFlights(cache.secret) };
    this.layout = new CacheLayout(cache.buffer);
    this.bytesMax = this.layout.blockCount * BLOCK_BYTES;
    this.entriesMax = this.layout.entryCount;
    this.lock = new CacheLock(this.layout.header, workers + 1);
    this.cache = new SharedCache(cache, workers + 1, () => null, 0);
  }

  /** Bytes that values take, in whole blocks. */
  get bytes(): number {
    return Atomics.load(this.layout.header, USED_BLOCKS) * BLOCK_BYTES;
  }

  get entries(): number {
    return Atomics.load(this.layout.header, USED_ENTRIES);
  }

  /** Values given up for want of room. */
  get evictions(): number {
    return Atomics.load(this.layout.header, EVICTIONS) >>> 0;
  }

  /** Values that were not taken: too large, or the lock could not be had. */
  get refusals(): number {
    return Atomics.load(this.layout.header, REFUSALS) >>> 0;
  }

  /** Values that can be found and have any of these tags; looks at every entry. */
  count(what: CachePurge, nowMs: number): number {
    const slots = what === "all" ? [ALL_SLOT] : what.map((tag) => this.cache.slotOf(tag));
    return countEntries(this.layout, slots, nowMs);
  }

  purgeTag(tag: string): void {
    this.cache.purgeTag(tag);
  }

  purgeAll(): void {
    this.cache.purgeAll();
  }

  /** Takes back all that a dead worker held. Call after its thread has ended, before another gets its number. */
  clearWorker(worker: number): void {
    FlightTable.clearHolder(this.handle.flights, worker + 1);
    if (!this.lock.takeFrom(worker + 1)) return;
    this.reset();
    this.lock.release();
  }

  /** Empties it: what was being changed when its thread died may be in any state. */
  private reset(): void {
    const { header, entries, buckets, ghosts } = this.layout;
    const used = header[FRESH_ENTRY]!;
    for (let entry = 1; entry <= used; entry++) {
      const at = entry * ENTRY_WORDS;
      entries.fill(0, at + FINGERPRINT, at + FINGERPRINT + 4);
      // To the next even number: who reads just now finds it changed, and no number comes again.
      const version = Atomics.load(entries, at + VERSION);
      Atomics.add(entries, at + VERSION, 2 - (version & 1));
    }
    buckets.fill(0);
    ghosts.fill(0);
    header.fill(0, QUEUES);
    // Versions must go on, so entries come from the list of free ones again.
    for (let entry = 1; entry <= used; entry++) {
      entries[entry * ENTRY_WORDS + CHAIN] = entry < used ? entry + 1 : 0;
    }
    header[FREE_ENTRY] = used === 0 ? 0 : 1;
    for (const cell of [FREE_BLOCK, FRESH_BLOCK, USED_BLOCKS, USED_ENTRIES]) header[cell] = 0;
  }
}
