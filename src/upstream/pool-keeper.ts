import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import type { DialTarget } from "../wire/dial.ts";
import type { HeadLimits } from "../wire/http1/parse-request-head.ts";
import { Http1Pool } from "./http1-pool.ts";
import { Http2Pool } from "./http2-pool.ts";
import type { PoolSettings, TargetPool } from "./target-pool.ts";

/** What makes two snapshots' targets share their connections: all of it has to be equal. */
export interface PoolIdentity {
  /** Service, URL and address. */
  target: string;
  http2: boolean;
  settings: PoolSettings;
  /** Everything about TLS that was configured, with the content of its files; "" without TLS. */
  security: string;
}

interface Kept {
  key: string;
  pool: TargetPool;
  leases: number;
}

/** Bounds on a service's response head; a service that needs more is not one to believe. */
const RESPONSE_LIMITS: HeadLimits = { headBytesMax: 64 * 1024, uriBytesMax: 0, fieldCountMax: 256 };

/**
 * The connection pools of one worker. They outlive snapshots: a reload that leaves a service as it was
 * keeps its connections. A pool goes when the last snapshot that names it does.
 */
export class PoolKeeper {
  private readonly wheel: DeadlineWheel;
  private readonly kept: Map<string, Kept>;
  private readonly byPool: Map<TargetPool, Kept>;

  constructor(wheel: DeadlineWheel) {
    this.wheel = wheel;
    this.kept = new Map();
    this.byPool = new Map();
  }

  get size(): number {
    return this.kept.size;
  }

  /** @param dialTarget is called if the pool has to be made. */
  acquire(identity: PoolIdentity, dialTarget: () => DialTarget): TargetPool {
    const key = JSON.stringify(identity);
    let kept = this.kept.get(key);
    if (kept === undefined) {
      const { settings, http2 } = identity;
      const Pool = http2 ? Http2Pool : Http1Pool;
      const pool = new Pool(dialTarget(), settings, RESPONSE_LIMITS, this.wheel);
      kept = { key, pool, leases: 0 };
      this.kept.set(key, kept);
      this.byPool.set(pool, kept);
    }
    kept.leases++;
    return kept.pool;
  }

  release(pool: TargetPool): void {
    const kept = this.byPool.get(pool);
    if (kept === undefined) return;
    kept.leases--;
    if (kept.leases > 0) return;
    this.kept.delete(kept.key);
    this.byPool.delete(pool);
    pool.dispose();
  }
}
