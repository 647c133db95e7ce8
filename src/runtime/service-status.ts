import { NO_SLOT } from "../base/shared-counters.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import { inFlightIdentity } from "./data-plane-needs.ts";
import type { HealthMonitor } from "./health-monitor.ts";
import type { RevisionLease } from "./revision-lease.ts";
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
}

export interface ServiceStatus {
  name: string;
  targets: TargetStatus[];
}

/** What the state of services is put together from. */
export interface ServiceStatusSources {
  lease: Pick<RevisionLease, "config" | "endpoints" | "counters">;
  shared: Pick<SharedState, "inFlight">;
  health: Pick<HealthMonitor, "statusOf">;
}

/** The services of the configuration in force, in its order. */
export function serviceStatuses(sources: ServiceStatusSources): ServiceStatus[] {
  const { config, endpoints } = sources.lease;
  return Object.entries(config.services).map(([name, { targets }]) => ({
    name,
    targets: expandTargets(name, targets, endpoints).map((each) => targetStatus(each, sources)),
  }));
}

const UNCHECKED = { health: "unchecked", since: null, lastError: null } as const;

function targetStatus(
  target: TargetSettings,
  { lease, shared, health }: ServiceStatusSources,
): TargetStatus {
  const { url, address, weight, draining } = target;
  const slot = lease.counters[inFlightIdentity(target)] ?? NO_SLOT;
  const checked = health.statusOf(target) ?? UNCHECKED;
  return { url, address, weight, draining, ...checked, inFlight: shared.inFlight(slot) };
}
