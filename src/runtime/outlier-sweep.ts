import type { Log } from "../base/log/log.ts";
import { targetEjected, targetEjectionsTotal } from "../base/metrics/families.ts";
import type { MetricRegistry } from "../base/metrics/metric-registry.ts";
import type { Gauge } from "../base/metrics/metric-view.ts";
import { type SharedClock, ticksOf } from "../base/shared-clock.ts";
import { NO_SLOT } from "../base/shared-counters.ts";
import { SharedRecords, type SharedRecordsHandle } from "../base/shared-records.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import { targetKey } from "../upstream/balance/target.ts";
import { EjectionReports } from "../upstream/outliers/ejection-reports.ts";
import { Ejections, type EjectionSubject } from "../upstream/outliers/ejections.ts";
import { findOutliers, type IntervalCounts } from "../upstream/outliers/find-outliers.ts";
import {
  EJECTIONS,
  INTERVAL_ANSWERS,
  INTERVAL_FAILED,
  INTERVAL_MS,
  INTERVAL_TRIES,
} from "../upstream/outliers/outlier-record.ts";
import type { OutlierRules } from "../upstream/outliers/outlier-rules.ts";
import { inFlightIdentity, serviceIdentity } from "./data-plane-needs.ts";
import type { RevisionLease } from "./revision-lease.ts";

/** How often ends of ejections are looked for. */
const SWEEP_MS = 1000;

export interface OutlierSweepSettings {
  records: SharedRecordsHandle;
  registry: MetricRegistry;
  clock: SharedClock;
  log: Log;
}

/** What a revision says of outliers. */
type SweptRevision = Pick<RevisionLease, "config" | "endpoints" | "counters" | "metrics">;

interface Swept {
  rules: OutlierRules;
  ejections: Ejections;
  subjects: readonly EjectionSubject[];
  /** The same, by `inFlightIdentity`. */
  identities: ReadonlyMap<string, EjectionSubject>;
  gauges: ReadonlyMap<string, Gauge>;
  /** Tick at which its interval is over. */
  dueAt: number;
}

/**
 * The main thread's part of outlier detection: looks at all workers' counts of an interval, forgets ejections that
 * were long ago, and writes down which are over.
 */
export class OutlierSweep {
  private readonly settings: OutlierSweepSettings;
  private readonly records: SharedRecords;
  private swept = new Map<string, Swept>();
  private timer: NodeJS.Timeout | undefined;

  constructor(settings: OutlierSweepSettings) {
    this.settings = settings;
    this.records = new SharedRecords(settings.records);
  }

  /** From now on the services of this revision. */
  follow(revision: SweptRevision): void {
    const before = this.swept;
    this.swept = new Map();
    for (const [name, { outliers }] of Object.entries(revision.config.services)) {
      if (outliers === null) continue;
      const one = this.followService(name, outliers, revision);
      // An interval under way goes on, so that frequent changes do not put its end off.
      const dueAt = before.get(name)?.dueAt;
      this.swept.set(name, dueAt === undefined || dueAt > one.dueAt ? one : { ...one, dueAt });
    }
    for (const [name, { ejections, subjects }] of before) {
      if (!this.swept.has(name)) for (const subject of subjects) ejections.release(subject);
    }
  }

  /** Sweeps every second, without keeping the process alive. */
  start(): void {
    this.timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Ends an ejection because a health check has passed. @param identity `inFlightIdentity` of the target */
  onHealthy(identity: string): void {
    for (const { rules, ejections, identities } of this.swept.values()) {
      const subject = identities.get(identity);
      if (subject !== undefined && rules.endsWhenHealthy) ejections.end(subject);
    }
  }

  /** To be called about once a second. */
  sweep(): void {
    for (const one of this.swept.values()) {
      const ejected = one.subjects.filter((subject) => one.ejections.settle(subject));
      one.ejections.recount(ejected.length);
      const now = this.settings.clock.tick;
      if (now >= one.dueAt) {
        one.dueAt = now + ticksOf(one.rules.intervalMs);
        endInterval(one, new Set(ejected));
      }
      show(one);
    }
  }

  private followService(name: string, rules: OutlierRules, revision: SweptRevision): Swept {
    const { config, endpoints, counters } = revision;
    const { clock, log, registry } = this.settings;
    const metrics = registry.ownView(revision.metrics);
    const recordOf = (identity: string): Int32Array => {
      return this.records.of(counters[identity] ?? NO_SLOT);
    };
    const reports = new EjectionReports(name, log, (url) => {
      return metrics.counter(targetEjectionsTotal, [name, url]);
    });
    const { targets } = config.services[name]!;
    const identities = new Map<string, EjectionSubject>();
    for (const target of expandTargets(name, targets, endpoints)) {
      const identity = inFlightIdentity(target);
      const subject = { url: target.url, key: targetKey(target), record: recordOf(identity) };
      identities.set(identity, subject);
    }
    return {
      rules,
      ejections: new Ejections(rules, recordOf(serviceIdentity(name)), clock, reports),
      subjects: [...identities.values()],
      identities,
      gauges: new Map(targets.map(({ url }) => [url, metrics.gauge(targetEjected, [name, url])])),
      dueAt: clock.tick + ticksOf(rules.intervalMs),
    };
  }
}

function endInterval(
  { rules, subjects, ejections }: Swept,
  ejected: ReadonlySet<EjectionSubject>,
): void {
  const counts = subjects.map(({ record }) => takeCounts(record));
  const well = subjects.filter((subject) => !ejected.has(subject));
  for (const { record } of well) forgive(record);
  const judged = subjects.map((subject, index) =>
    ejected.has(subject) ? nothing : counts[index]!,
  );
  for (const [index, reason] of findOutliers(rules, judged)) {
    ejections.eject(subjects[index]!, reason, subjects.length);
  }
}

const nothing: IntervalCounts = { tries: 0, failed: 0, answers: 0, latencyMs: 0 };

function takeCounts(record: Int32Array): IntervalCounts {
  return {
    tries: Atomics.exchange(record, INTERVAL_TRIES, 0),
    failed: Atomics.exchange(record, INTERVAL_FAILED, 0),
    answers: Atomics.exchange(record, INTERVAL_ANSWERS, 0),
    latencyMs: Atomics.exchange(record, INTERVAL_MS, 0),
  };
}

/** An interval without an ejection makes the next one shorter. */
function forgive(record: Int32Array): void {
  const ejections = Atomics.load(record, EJECTIONS);
  if (ejections > 0) Atomics.compareExchange(record, EJECTIONS, ejections, ejections - 1);
}

/** Addresses of one URL count together. */
function show({ subjects, gauges, ejections }: Swept): void {
  for (const [url, gauge] of gauges) {
    const own = subjects.filter((subject) => subject.url === url);
    gauge.set(own.filter((subject) => ejections.settle(subject)).length);
  }
}
