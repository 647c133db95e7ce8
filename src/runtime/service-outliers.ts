import type { Log } from "../base/log/log.ts";
import { targetEjectionsTotal } from "../base/metrics/families.ts";
import type { MetricView } from "../base/metrics/metric-view.ts";
import type { SharedClock } from "../base/shared-clock.ts";
import type { Target } from "../upstream/balance/target.ts";
import type { TryObserver } from "../upstream/guard.ts";
import { EjectionReports } from "../upstream/outliers/ejection-reports.ts";
import { Ejections } from "../upstream/outliers/ejections.ts";
import type { OutlierRules } from "../upstream/outliers/outlier-rules.ts";
import { OutlierWatch } from "../upstream/outliers/outlier-watch.ts";

/** A worker's outlier detection of one service. */
export class ServiceOutliers {
  private readonly rules: OutlierRules;
  private readonly ejections: Ejections;

  /** @param around the service's record among other things */
  constructor(
    service: string,
    rules: OutlierRules,
    around: { record: Int32Array; clock: SharedClock; log: Log; metrics: MetricView },
  ) {
    const { record, clock, log, metrics } = around;
    const reports = new EjectionReports(service, log, (url) => {
      return metrics.counter(targetEjectionsTotal, [service, url]);
    });
    this.rules = rules;
    this.ejections = new Ejections(rules, record, clock, reports);
  }

  /** @param count of the service's targets */
  observersOf({ url, key, state }: Target, count: number): TryObserver[] {
    const subject = { url, key, record: state.record };
    return [new OutlierWatch(subject, this.rules, this.ejections, count)];
  }
}
