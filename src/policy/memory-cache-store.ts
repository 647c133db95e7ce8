import type { CacheMemoryHandle } from "../base/cache/cache-memory.ts";
import { FlightTable } from "../base/cache/flight-table.ts";
import { SharedCache } from "../base/cache/shared-cache.ts";
import { decodeRecord, encodeRecordHead } from "./cache-record-codec.ts";
import type { CacheRecord } from "./cache-record.ts";
import type { CacheStore, CacheWait } from "./cache-store.ts";
import type { Clock } from "./environment.ts";

/** What a worker holds at hand beside the shared memory: this share of it, up to so many bytes. */
const HOT_SHARE = 1 / 8;
const HOT_BYTES_MAX = 8 * 2 ** 20;

/** The cache in the memory that all workers share, as one of them sees it. */
export class MemoryCacheStore implements CacheStore, Disposable {
  private readonly cache: SharedCache<CacheRecord>;
  private readonly flights: FlightTable;
  private readonly clock: Clock;
  /** Purges there had been when each of its leads began, oldest first. */
  private readonly leads = new Map<string, number>();

  /** @param holder the worker's own number, from 1 */
  constructor({ cache, flights }: CacheMemoryHandle, holder: number, clock: Clock) {
    const hotBytesMax = Math.min(HOT_BYTES_MAX, cache.buffer.byteLength * HOT_SHARE);
    this.cache = new SharedCache(cache, holder, decodeRecord, hotBytesMax);
    this.flights = new FlightTable(flights, holder);
    this.clock = clock;
  }

  get(key: string): CacheRecord | undefined {
    return this.cache.find(key, this.clock.now());
  }

  put(key: string, record: CacheRecord, ttlMs: number): void {
    const nowMs = this.clock.now();
    const head = encodeRecordHead(record);
    const { body, tags } = record;
    // Of the oldest lead, because a record may have another key than its lead: at worst it is fetched once more.
    const [sequence = this.cache.purges] = this.leads.values();
    this.cache.put(key, { head, body, tags, untilMs: nowMs + ttlMs, sequence }, nowMs);
  }

  delete(key: string): void {
    this.cache.delete(key);
  }

  purgeTags(tags: readonly string[]): void {
    for (const tag of tags) this.cache.purgeTag(tag);
  }

  purgeAll(): void {
    this.cache.purgeAll();
  }

  lead(key: string): boolean {
    const leads = this.flights.lead(key);
    if (leads && !this.leads.has(key)) this.leads.set(key, this.cache.purges);
    return leads;
  }

  wait(key: string, timeoutMs: number): Promise<CacheWait> {
    return this.flights.wait(key, timeoutMs);
  }

  settle(key: string, stored: boolean): void {
    this.leads.delete(key);
    this.flights.settle(key, stored);
  }

  /** Nobody asks any more. */
  [Symbol.dispose](): void {
    for (const key of this.leads.keys()) this.settle(key, false);
  }
}
