import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import type { Log } from "../base/log/log.ts";
import {
  serviceConcurrencyLimit,
  shedReason,
  shedRequestsTotal,
} from "../base/metrics/families.ts";
import type { Gauge, MetricView } from "../base/metrics/metric-view.ts";
import { Random } from "../base/random.ts";
import type { SharedClock } from "../base/shared-clock.ts";
import { NO_SLOT } from "../base/shared-counters.ts";
import type { SharedCounters } from "../base/shared-counters.ts";
import type { SharedRecords } from "../base/shared-records.ts";
import type { Guard } from "../upstream/guard.ts";
import { AdaptiveConcurrency } from "../upstream/shedding/adaptive-concurrency.ts";
import type { ConcurrencyConfig } from "../upstream/shedding/concurrency-config.ts";
import { ConcurrencyRecord } from "../upstream/shedding/concurrency-record.ts";
import { SheddingNotice } from "../upstream/shedding/shedding-notice.ts";
import { concurrencyIdentity } from "./data-plane-needs.ts";

interface LimitParts {
  counters: SharedCounters;
  records: SharedRecords;
  clock: SharedClock;
  wheel: DeadlineWheel;
  log: Log;
}

interface ShownLimit {
  record: ConcurrencyRecord;
  gauge: Gauge;
}

/** The adaptive limits of one revision's services in this worker. */
export class ConcurrencyLimits {
  private readonly parts: LimitParts;
  private readonly metrics: MetricView;
  private readonly shown: ShownLimit[] = [];

  constructor(parts: LimitParts, metrics: MetricView) {
    this.parts = parts;
    this.metrics = metrics;
  }

  /** @param slots of `counterIdentities`. @returns one, or none without a limit */
  guardsOf(
    service: string,
    config: ConcurrencyConfig | undefined,
    slots: Readonly<Record<string, number>>,
  ): readonly Guard[] {
    if (config === undefined) return [];
    const slot = slots[concurrencyIdentity(service)] ?? NO_SLOT;
    return [this.guardFor(service, config, slot)];
  }

  private guardFor(service: string, config: ConcurrencyConfig, slot: number): Guard {
    const { counters, records, clock, wheel, log } = this.parts;
    const record = new ConcurrencyRecord(records.of(slot), counters, slot);
    const gauge = this.metrics.gauge(serviceConcurrencyLimit, [service]);
    this.shown.push({ record, gauge });
    return new AdaptiveConcurrency(config, {
      record,
      clock,
      random: new Random(),
      refused: this.metrics.counter(shedRequestsTotal, [service, shedReason.concurrency]),
      notice: new SheddingNotice(service, record, { clock, wheel, log }),
    });
  }

  /** Shows the limits as they are now: all workers show the same. */
  sample(): void {
    for (const { record, gauge } of this.shown) gauge.set(record.limit);
  }
}
