import { ejectionReasons } from "../base/metrics/families.ts";
import type { SharedClock } from "../base/shared-clock.ts";
import { NO_SLOT } from "../base/shared-counters.ts";
import type { SharedRecords } from "../base/shared-records.ts";
import { timeOfTick } from "../base/time-of-tick.ts";
import type { ServiceConfig } from "../config/config.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import { EJECTED_AT, EJECTED_FOR, EJECTIONS } from "../upstream/outliers/outlier-record.ts";
import { LIMIT } from "../upstream/shedding/concurrency-record.ts";
import { EJECTED_UNTIL } from "../upstream/target-record.ts";
import { concurrencyIdentity, inFlightIdentity, serviceIdentity } from "./data-plane-needs.ts";
import type { HealthMonitor } from "./health-monitor.ts";
import type { RevisionLease } from "./revision-lease.ts";
import { type BreakerStatus, breakerStatus } from "./service-breakers.ts";
import type { SharedState } from "./shared-state.ts";
import type { HealthStatus } from "./watched-target.ts";

/** One address of a service as the gateway sees it now. */
export interface TargetStatus extends Omit<HealthStatus, "health"> {
  /** As configured. */
  url: string;
  /** What its name resolved to; empty for a Unix socket. */
  address: string;
  weight: number;
  draining: boolean;
  /** `unchecked` without checks. */
  health: HealthStatus["health"] | "unchecked";
  /** Requests in flight, of all workers. */
  inFlight: number;
  /** Left out for its answers; null unless it is. */
  ejected: EjectionStatus | null;
  /** null unless each target has a breaker of its own. */
  breaker: BreakerStatus | null;
}

export interface EjectionStatus {
  /** RFC 3339, as `until`. */
  since: string | null;
  until: string | null;
  /** One of `ejectionReasons`. */
  reason: string;
  /** This one included; falls with each interval without one. */
  count: number;
}

export interface ServiceStatus {
  name: string;
  /** null without one, or where each target has its own. */
  breaker: BreakerStatus | null;
  /** The adaptive limit of requests in flight; null without one. */
  concurrencyLimit: number | null;
  targets: TargetStatus[];
}

/** What the state of services is put together from. */
export interface ServiceStatusSources {
  lease: Pick<RevisionLease, "config" | "endpoints" | "counters">;
  shared: Pick<SharedState, "inFlight">;
  health: Pick<HealthMonitor, "statusOf">;
  records: SharedRecords;
  clock: SharedClock;
}

/** The services of the configuration in force, in its order. */
export function serviceStatuses(sources: ServiceStatusSources): ServiceStatus[] {
  const { config, endpoints } = sources.lease;
  return Object.entries(config.services).map(([name, service]) => ({
    name,
    breaker:
      service.breaker?.per === "service"
        ? breakerStatus(service.breaker, recordOf(serviceIdentity(name), sources), sources.clock)
        : null,
    concurrencyLimit: concurrencyLimit(name, service, sources),
    targets: expandTargets(name, service.targets, endpoints).map((target) =>
      targetStatus(target, service, sources),
    ),
  }));
}

const UNCHECKED = { health: "unchecked", since: null, lastError: null } as const;

function targetStatus(
  target: TargetSettings,
  { breaker }: ServiceConfig,
  sources: ServiceStatusSources,
): TargetStatus {
  const { lease, shared, health, clock } = sources;
  const { url, address, weight, draining } = target;
  const identity = inFlightIdentity(target);
  const record = recordOf(identity, sources);
  const checked = health.statusOf(target) ?? UNCHECKED;
  return {
    url,
    address,
    weight,
    draining,
    ...checked,
    inFlight: shared.inFlight(lease.counters[identity] ?? NO_SLOT),
    ejected: ejectionStatus(record, clock),
    breaker: breaker?.per === "target" ? breakerStatus(breaker, record, clock) : null,
  };
}

function ejectionStatus(record: Int32Array, clock: SharedClock): EjectionStatus | null {
  const until = Atomics.load(record, EJECTED_UNTIL);
  if (until <= clock.tick) return null;
  return {
    since: timeOfTick(Atomics.load(record, EJECTED_AT), clock),
    until: timeOfTick(until, clock),
    reason: ejectionReasons[Atomics.load(record, EJECTED_FOR)]!,
    count: Atomics.load(record, EJECTIONS),
  };
}

function concurrencyLimit(
  name: string,
  { concurrency }: ServiceConfig,
  sources: ServiceStatusSources,
): number | null {
  if (concurrency === undefined) return null;
  return Atomics.load(recordOf(concurrencyIdentity(name), sources), LIMIT) || concurrency.start;
}

function recordOf(identity: string, { lease, records }: ServiceStatusSources): Int32Array {
  return records.of(lease.counters[identity] ?? NO_SLOT);
}
