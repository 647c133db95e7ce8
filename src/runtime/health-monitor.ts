import type { Log } from "../base/log/log.ts";
import { healthChecksTotal, targetHealthy } from "../base/metrics/families.ts";
import type { MetricRegistry } from "../base/metrics/metric-registry.ts";
import type { MetricView } from "../base/metrics/metric-view.ts";
import { Random } from "../base/random.ts";
import { ProcessClock, type SharedClock } from "../base/shared-clock.ts";
import { NO_SLOT } from "../base/shared-counters.ts";
import { SharedRecords, type SharedRecordsHandle } from "../base/shared-records.ts";
import type { ServiceConfig } from "../config/config.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import { CheckTurns } from "../upstream/health/check-turns.ts";
import { compileProbe, type ServiceProbes } from "../upstream/health/compile-probe.ts";
import { type HealthClock, processClock } from "../upstream/health/health-clock.ts";
import type { Probe } from "../upstream/health/probe.ts";
import { HEALTH, HEALTH_UNKNOWN } from "../upstream/target-record.ts";
import { ClientSecurity } from "./client-security.ts";
import { inFlightIdentity } from "./data-plane-needs.ts";
import type { RevisionLease } from "./revision-lease.ts";
import { serviceProbes } from "./service-probes.ts";
import {
  type CheckSurroundings,
  type HealthStatus,
  type TargetMetrics,
  WatchedTarget,
} from "./watched-target.ts";

/** Checks under way at once: each may hold a socket for as long as it may take. */
const UNDER_WAY_MAX = 256;

export interface HealthMonitorSettings {
  records: SharedRecordsHandle;
  registry: MetricRegistry;
  log: Log;
  /** Tests put their own in place of these. */
  clock?: HealthClock;
  sharedClock?: SharedClock;
  random?: Random;
  /** A check has passed while the target was ejected. @param identity `inFlightIdentity` */
  onHealthy?: (identity: string) => void;
  probeOf?: (service: ServiceProbes, target: TargetSettings) => Probe;
}

/** What a revision says of checks. */
export type CheckedRevision = Pick<RevisionLease, "config" | "endpoints" | "counters" | "metrics">;

/**
 * Checks the targets of the configuration in force, once for all workers, and writes into their records what it
 * finds. A target that stays keeps what is known of it, and its rows of passes and failures as long as the settings
 * of its checks stay, too.
 */
export class HealthMonitor {
  private readonly settings: HealthMonitorSettings;
  private readonly records: SharedRecords;
  private readonly security = new ClientSecurity();
  private readonly surroundings: CheckSurroundings;
  private materials: Readonly<Record<string, string>> = {};
  /** By the identity under which its requests in flight are counted. */
  private watched = new Map<string, WatchedTarget>();
  private isClosed = false;

  constructor(settings: HealthMonitorSettings) {
    const { log, records, clock = processClock, random = new Random() } = settings;
    this.settings = settings;
    this.records = new SharedRecords(records);
    const { sharedClock = new ProcessClock(records.epochMs) } = settings;
    const turns = new CheckTurns(UNDER_WAY_MAX);
    const onHealthy = (target: TargetSettings): void => {
      settings.onHealthy?.(inFlightIdentity(target));
    };
    this.surroundings = { log, clock, random, sharedClock, turns, onHealthy };
  }

  /**
   * Checks what this revision has. To be called before workers use it, so that targets that have to prove themselves
   * get nothing before.
   *
   * @param materials content of its PEM files; those given last by default
   */
  follow(revision: CheckedRevision, materials = this.materials): void {
    // A revision may still be on its way to workers when all is to end.
    if (this.isClosed) return;
    this.materials = materials;
    const before = this.watched;
    const next = new Map<string, WatchedTarget>();
    this.watched = next;
    const metrics = this.settings.registry.ownView(revision.metrics);
    for (const [name, service] of Object.entries(revision.config.services)) {
      if (service.health !== undefined) {
        this.followService(name, service, { revision, metrics, before });
      }
    }
    for (const [identity, target] of before) {
      if (next.get(identity) === target) continue;
      target.stop();
      // Where it stays, without checks, it must not stay down for ever.
      const slot = revision.counters[identity] ?? NO_SLOT;
      if (!next.has(identity)) Atomics.store(this.records.of(slot), HEALTH, HEALTH_UNKNOWN);
    }
  }

  /** What is known of a target; undefined where it is not checked. */
  statusOf(target: TargetSettings): HealthStatus | undefined {
    return this.watched.get(inFlightIdentity(target))?.status;
  }

  close(): void {
    this.isClosed = true;
    for (const target of this.watched.values()) target.stop();
    this.watched.clear();
  }

  private followService(
    name: string,
    service: ServiceConfig,
    { revision, metrics, before }: Following,
  ): void {
    const config = service.health!;
    const { security, materials, records, watched: next } = this;
    const { probes, identity } = serviceProbes(service, config, { security, materials });
    const urls = new Map(service.targets.map(({ url }) => [url, metricsOf(metrics, name, url)]));
    for (const target of expandTargets(name, service.targets, revision.endpoints)) {
      const key = inFlightIdentity(target);
      const slot = revision.counters[key] ?? NO_SLOT;
      // Nobody could be told.
      if (slot === NO_SLOT) continue;
      const where = { record: records.of(slot), metrics: urls.get(target.url)! };
      let watched = before.get(key);
      if (watched?.identity === identity) watched.move(where.record, where.metrics);
      else {
        const { probeOf = compileProbe } = this.settings;
        const how = { identity, config, probe: probeOf(probes, target) };
        const known = watched;
        watched = new WatchedTarget(target, how, where, this.surroundings);
        watched.start(known);
      }
      if (!watched.isDown) where.metrics.healthy.add(1);
      next.set(key, watched);
    }
  }
}

interface Following {
  revision: CheckedRevision;
  metrics: MetricView;
  before: ReadonlyMap<string, WatchedTarget>;
}

/** The gauge begins at 0: whoever is found healthy is added. */
function metricsOf(metrics: MetricView, service: string, url: string): TargetMetrics {
  const healthy = metrics.gauge(targetHealthy, [service, url]);
  healthy.set(0);
  return { healthy, checks: metrics.counter(healthChecksTotal, [service, url]) };
}
