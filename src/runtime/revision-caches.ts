import type { CachePurge } from "../base/cache/cache-tags.ts";
import type { KeptLease } from "../base/kept-values.ts";
import type { CacheKind, CacheStore } from "../policy/cache-store.ts";
import type { Clock } from "../policy/environment.ts";
import { MemoryCacheStore } from "../policy/memory-cache-store.ts";
import { RedisCacheStore } from "../policy/redis-cache-store.ts";
import type { RedisStore } from "../policy/redis-store.ts";
import type { LeasedCache } from "./cache-memories.ts";

interface RevisionCachesContext {
  readonly cache: LeasedCache | undefined;
  readonly workerIndex: number;
  readonly kept: KeptLease;
  readonly clock: Clock;
  /** Throws where the document has none. */
  readonly redis: () => RedisStore;
}

/** Of each connection one, for as long as it lasts: it knows what Redis has still to be told. */
const storesInRedis = new WeakMap<RedisStore, RedisCacheStore>();

/** The stores of one worker's revision. What it has at hand of the memory outlives reloads. */
export class RevisionCaches {
  private readonly context: RevisionCachesContext;
  private inRedis: RedisCacheStore | undefined;

  constructor(context: RevisionCachesContext) {
    this.context = context;
  }

  of(kind: CacheKind): CacheStore {
    const { cache, workerIndex, kept, clock, redis } = this.context;
    if (kind === "redis") return (this.inRedis ??= storeIn(redis()));
    if (cache === undefined) throw new Error("the document has no cache");
    return kept.keep(
      `cache ${cache.id}`,
      () => new MemoryCacheStore(cache.handle, workerIndex + 1, clock),
    );
  }

  purgeRedis(what: CachePurge): void {
    if (what === "all") this.inRedis?.purgeAll();
    else this.inRedis?.purgeTags(what);
  }
}

function storeIn(redis: RedisStore): RedisCacheStore {
  const store = storesInRedis.get(redis) ?? new RedisCacheStore(redis);
  storesInRedis.set(redis, store);
  return store;
}
