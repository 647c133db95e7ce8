import { CacheMemory, type CacheMemoryHandle } from "../base/cache/cache-memory.ts";
import {
  cacheBytes,
  cacheEntries,
  cacheEvictionsTotal,
  cacheLimitBytes,
  cacheLimitEntries,
  cachePurgesTotal,
  cacheRefusalsTotal,
} from "../base/metrics/families.ts";
import type { MetricRegistry } from "../base/metrics/metric-registry.ts";
import type { Config } from "../config/config.ts";
import { policyUses } from "../config/policy-uses.ts";
import type { CachePurge } from "../base/cache/cache-tags.ts";

/** As it goes to workers, with a configuration. */
export interface LeasedCache {
  /** Tells one memory from another. */
  readonly id: number;
  readonly handle: CacheMemoryHandle;
}

export interface CacheLease {
  /** Undefined where the configuration needs none. */
  readonly cache: LeasedCache | undefined;
  /** Further calls do nothing. */
  release(): void;
}

interface Holding extends LeasedCache {
  readonly memory: CacheMemory;
  readonly bytes: number;
  leases: number;
}

const BYTES_DEFAULT = 64 * 2 ** 20;

/**
 * The main thread's caches: one, but for a moment after its size was changed. Allocated with the first
 * configuration that needs it, and gone with the last.
 */
export class CacheMemories {
  private readonly workers: number;
  private readonly holdings = new Set<Holding>();
  private lastId = 0;
  /** Of those that are gone. */
  private evictions = 0;
  private refusals = 0;
  private purges = 0;

  constructor(workers: number, registry: MetricRegistry) {
    this.workers = workers;
    registry.compute(cacheBytes, () => this.sum(({ bytes }) => bytes));
    registry.compute(cacheEntries, () => this.sum(({ entries }) => entries));
    registry.compute(cacheLimitBytes, () => this.sum(({ bytesMax }) => bytesMax));
    registry.compute(cacheLimitEntries, () => this.sum(({ entriesMax }) => entriesMax));
    registry.compute(cacheEvictionsTotal, () => {
      return this.evictions + this.sum(({ evictions }) => evictions);
    });
    registry.compute(cacheRefusalsTotal, () => {
      return this.refusals + this.sum(({ refusals }) => refusals);
    });
    registry.compute(cachePurgesTotal, () => this.purges);
  }

  lease(config: Config): CacheLease {
    if (!needsCache(config)) return { cache: undefined, release: () => {} };
    const holding = this.holdingOf(config.cache?.memoryBytes ?? BYTES_DEFAULT);
    const { id, handle } = holding;
    holding.leases++;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      holding.leases--;
      if (holding.leases > 0) return;
      this.holdings.delete(holding);
      this.evictions += holding.memory.evictions;
      this.refusals += holding.memory.refusals;
    };
    return { cache: { id, handle }, release };
  }

  /** @returns how many responses that could have been given are forgotten */
  purge(what: CachePurge): number {
    this.purges++;
    let count = 0;
    for (const { memory } of this.holdings) {
      count += memory.count(what, Date.now());
      if (what === "all") memory.purgeAll();
      else for (const tag of what) memory.purgeTag(tag);
    }
    return count;
  }

  /** Takes back what a dead worker held. Call after its thread has ended, before another gets its number. */
  clearWorker(worker: number): void {
    for (const { memory } of this.holdings) memory.clearWorker(worker);
  }

  private holdingOf(bytes: number): Holding {
    for (const holding of this.holdings) if (holding.bytes === bytes) return holding;
    const memory = new CacheMemory(bytes, this.workers);
    const holding = { id: ++this.lastId, handle: memory.handle, memory, bytes, leases: 0 };
    this.holdings.add(holding);
    return holding;
  }

  private sum(read: (memory: CacheMemory) => number): number {
    let sum = 0;
    for (const { memory } of this.holdings) sum += read(memory);
    return sum;
  }
}

/** A document that says how much memory there is may have policies of its own that use it. */
function needsCache(config: Config): boolean {
  if (config.cache !== undefined) return true;
  for (const { name } of policyUses(config)) if (name === "cache") return true;
  return false;
}
