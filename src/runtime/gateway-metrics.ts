import { watchEventLoopLag } from "../base/metrics/event-loop-lag.ts";
import {
  buildInfo,
  configRevision,
  eventLoopLagSeconds,
  reloadResult,
  reloadsTotal,
  workerRestartsTotal,
} from "../base/metrics/families.ts";
import type { MetricRegistry } from "../base/metrics/metric-registry.ts";
import type { Counter, Gauge } from "../base/metrics/metric-view.ts";
import { addProcessMetrics } from "../base/metrics/process-metrics.ts";

export type ReloadResult = keyof typeof reloadResult;

/** What the main thread itself counts. */
export class GatewayMetrics {
  private readonly restarts: Counter;
  private readonly reloads: Counter;
  private readonly revision: Gauge;
  private readonly lag: Disposable;

  constructor(registry: MetricRegistry, version: string) {
    const { own } = registry;
    this.restarts = own.counter(workerRestartsTotal, []);
    this.reloads = own.counter(reloadsTotal, []);
    this.revision = own.gauge(configRevision, []);
    this.lag = watchEventLoopLag(own.gauge(eventLoopLagSeconds, []));
    addProcessMetrics(registry);
    registry.inform(buildInfo, [version, process.version]);
  }

  countRestart(): void {
    this.restarts.add(1);
  }

  countReload(result: ReloadResult): void {
    this.reloads.addAt(reloadResult[result], 1);
  }

  setRevision(revision: number): void {
    this.revision.set(revision);
  }

  close(): void {
    this.lag[Symbol.dispose]();
  }
}
