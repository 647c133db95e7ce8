import type { CacheMemoryHandle } from "../base/cache/cache-memory.ts";
import { FlightTable } from "../base/cache/flight-table.ts";
import { type ChangeMark, SharedCache } from "../base/cache/shared-cache.ts";
import { decodeRecord, encodeRecordHead } from "./cache-record-codec.ts";
import type { CacheRecord } from "./cache-record.ts";
import type { CacheMark, CacheStore, CacheWait } from "./cache-store.ts";
import { folderTags, urlOfTags } from "./cache-tags.ts";
import type { Clock } from "./environment.ts";
import { resourceTag } from "./resource-url.ts";

/**
 * What a worker holds at hand beside the shared memory: this share of it, up to so many bytes. What is asked for often
 * is there once more as it is sent, so that it may be twice that.
 */
const HOT_SHARE = 1 / 8;
const HOT_BYTES_MAX = 8 * 2 ** 20;

class MemoryMark implements CacheMark {
  readonly resource: string;
  /** Purges there had been. */
  readonly sequence: number;
  readonly change: ChangeMark;

  constructor(resource: string, sequence: number, change: ChangeMark) {
    this.resource = resource;
    this.sequence = sequence;
    this.change = change;
  }
}

/** The cache in the memory that all workers share, as one of them sees it. */
export class MemoryCacheStore implements CacheStore, Disposable {
  private readonly cache: SharedCache<CacheRecord>;
  private readonly flights: FlightTable;
  private readonly clock: Clock;
  private readonly leads = new Set<string>();

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

  put(key: string, record: CacheRecord, ttlMs: number, mark?: CacheMark): void {
    const nowMs = this.clock.now();
    const head = encodeRecordHead(record);
    const { body } = record;
    const url = urlOfTags(record.tags);
    const tags = url === undefined ? record.tags : [...folderTags(url), ...record.tags];
    const untilMs = nowMs + ttlMs;
    const { sequence, change } =
      mark instanceof MemoryMark ? mark : this.mark(mark?.resource ?? key);
    this.cache.put(key, { head, body, tags, untilMs, sequence, change }, nowMs);
  }

  delete(key: string): void {
    this.cache.delete(key);
  }

  mark(resource: string): MemoryMark {
    return new MemoryMark(resource, this.cache.purges, this.cache.changeOf(resource));
  }

  invalidate(resource: string): void {
    this.cache.noteChange(resource);
    // Without the lock: what shares the tag's place goes too.
    if (!this.cache.delete(resource)) this.cache.purgeTag(resourceTag(resource));
  }

  purgeTags(tags: readonly string[]): void {
    for (const tag of tags) this.cache.purgeTag(tag);
  }

  purgeAll(): void {
    this.cache.purgeAll();
  }

  lead(key: string): boolean {
    const leads = this.flights.lead(key);
    if (leads) this.leads.add(key);
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
    for (const key of this.leads) this.settle(key, false);
  }
}
