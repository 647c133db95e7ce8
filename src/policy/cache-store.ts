import type { CacheRecord } from "./cache-record.ts";

/** At once where it is in memory, a promise only where it must be waited for. */
export type Later<Value> = Value | Promise<Value>;

/** Where records are kept. */
export type CacheKind = "memory" | "redis";

/** From when on the service is asked for a resource; each store makes its own. */
export interface CacheMark {
  readonly resource: string;
}

/** How waiting for another's request ended. */
export type CacheWait = "stored" | "unstored" | "timeout";

/**
 * Where responses are kept: a map of records by key, bounded, that any of its users may find empty at any
 * time. It knows nothing of HTTP. Calls never throw for a store that is away: there is nothing to be found
 * then, and nothing is kept.
 */
export interface CacheStore {
  /** The record, as it was put or as another worker has put it; the same object for as long as it can be. */
  get(key: string): Later<CacheRecord | undefined>;
  /**
   * Keeps `record` in place of what was there. It may refuse: what is too large, or not worth what it would drive out.
   *
   * @param key of any length and content
   * @param ttlMs after it the record is of no use to anyone
   * @param mark from before the service was asked: what has been purged or invalidated since then is not kept, or
   *   not found. Default: it is of now.
   */
  put(key: string, record: CacheRecord, ttlMs: number, mark?: CacheMark): void;
  delete(key: string): void;
  mark(resource: string): CacheMark;
  /** Deletes what is under the key `resource`, and has nothing kept that was marked before. */
  invalidate(resource: string): void;
  /**
   * Forgets every record, of all workers, that has any of these tags; see cache-tags.ts. At most 64 of a record count.
   * An `underTag` of one of its first eight folders has whatever has a `urlTag`.
   */
  purgeTags(tags: readonly string[]): void;
  purgeAll(): void;
  /**
   * Whether the caller is the one who asks the service for what belongs under `key`; whoever else asks for it
   * meanwhile is to `wait`. Who leads has to `settle`, whatever happens; one that dies loses the lead in time.
   */
  lead(key: string): Later<boolean>;
  /** Resolves once the one who leads has settled, at once where nobody leads. */
  wait(key: string, timeoutMs: number): Promise<CacheWait>;
  /** @param stored whether those who wait will find a record now */
  settle(key: string, stored: boolean): void;
}
