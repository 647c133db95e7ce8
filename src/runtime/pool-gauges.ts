import { connectionState, upstreamConnections } from "../base/metrics/families.ts";
import type { Gauge, MetricView } from "../base/metrics/metric-view.ts";

/** What is read of a service's targets: `ServiceTargets` is one. */
export interface SampledTargets {
  readonly all: readonly {
    readonly url: string;
    readonly pool: { readonly openCount: number; readonly idleCount: number } | null;
  }[];
}

/** The gauge of one target URL of one service, whichever revisions name it. */
interface Sum {
  gauge: Gauge;
  /** Revisions that name it. */
  uses: number;
  open: number;
  idle: number;
}

/**
 * Shows how many connections this worker has to targets. They are counted by looking at the pools now and then:
 * nothing is added to a request for it. Revisions that are superseded and still in use are looked at too,
 * since their connections are open as well.
 */
export class PoolGauges {
  private readonly sums: Map<string, Sum>;
  /** By URL. */
  private readonly watched: Map<SampledTargets, Map<string, Sum>>;

  constructor() {
    this.sums = new Map();
    this.watched = new Map();
  }

  /** @param urls of all the targets that the service is configured with. */
  watch(
    service: string,
    urls: readonly string[],
    targets: SampledTargets,
    metrics: MetricView,
  ): void {
    const byUrl = new Map<string, Sum>();
    for (const url of urls) {
      const key = keyOf(service, url);
      let sum = this.sums.get(key);
      if (sum === undefined) {
        const gauge = metrics.gauge(upstreamConnections, [service, url]);
        sum = { gauge, uses: 0, open: 0, idle: 0 };
        this.sums.set(key, sum);
      }
      sum.uses += 1;
      byUrl.set(url, sum);
    }
    this.watched.set(targets, byUrl);
  }

  /** No-op for targets that are not watched. */
  forget(service: string, targets: SampledTargets): void {
    for (const [url, sum] of this.watched.get(targets) ?? []) {
      sum.uses -= 1;
      if (sum.uses > 0) continue;
      show(sum.gauge, 0, 0);
      this.sums.delete(keyOf(service, url));
    }
    this.watched.delete(targets);
  }

  sample(): void {
    for (const sum of this.sums.values()) sum.open = sum.idle = 0;
    // Revisions that leave a service as it was share its pools.
    const seen = new Set<object>();
    for (const [targets, byUrl] of this.watched) {
      for (const { url, pool } of targets.all) {
        const sum = byUrl.get(url);
        if (pool === null || sum === undefined || seen.has(pool)) continue;
        seen.add(pool);
        sum.open += pool.openCount;
        sum.idle += pool.idleCount;
      }
    }
    for (const { gauge, open, idle } of this.sums.values()) show(gauge, open, idle);
  }
}

function keyOf(service: string, url: string): string {
  return `${service}\0${url}`;
}

function show(gauge: Gauge, open: number, idle: number): void {
  gauge.setAt(connectionState.active, open - idle);
  gauge.setAt(connectionState.idle, idle);
}
