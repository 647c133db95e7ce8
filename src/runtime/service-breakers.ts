import { timeOfTick } from "../base/time-of-tick.ts";
import { type SharedClock, ticksOf } from "../base/shared-clock.ts";
import { NO_SLOT } from "../base/shared-counters.ts";
import type { BreakerConfig } from "../config/schema/breaker.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import {
  type BreakerOrder,
  type BreakerReport,
  orderBreaker,
  readBreaker,
} from "../upstream/breaker/breaker-view.ts";
import { inFlightIdentity, serviceIdentity } from "./data-plane-needs.ts";
import { cellsOf } from "./service-guards.ts";
import type { ServiceStatusSources } from "./service-status.ts";

/** A circuit breaker as the gateway sees it now. */
export interface BreakerStatus {
  state: BreakerReport["state"];
  /** An operator has set it. */
  forced: boolean;
  /** When it became so, RFC 3339; null as long as it is as it began. */
  since: string | null;
  /** When trials may pass; null unless it is open of itself. */
  openUntil: string | null;
  /** Openings that followed soon on each other. */
  openings: number;
  /** What has been counted in the window. */
  window: { tries: number; failed: number; slow: number };
}

/** What an operator wants of breakers. */
export interface BreakersOrder {
  service: string;
  /** As configured; all of the service where it is left out. */
  target?: string;
  state: BreakerOrder;
}

/** @param record of the service, or of the target where each has a breaker of its own */
export function breakerStatus(
  { windowMs }: BreakerConfig,
  record: Int32Array,
  clock: SharedClock,
): BreakerStatus {
  const report = readBreaker(cellsOf(record), ticksOf(windowMs), clock);
  const { state, forced, openings, changedAt, openUntil, tries, failed, slow } = report;
  return {
    state,
    forced,
    since: timeOfTick(changedAt, clock),
    openUntil: timeOfTick(openUntil, clock),
    openings,
    window: { tries, failed, slow },
  };
}

/** Sets the breakers of a service, or that of one target where each has its own. */
export function orderBreakers(
  { service, target, state }: BreakersOrder,
  { lease, records, clock }: Pick<ServiceStatusSources, "lease" | "records" | "clock">,
): void {
  const config = lease.config.services[service];
  const identities: string[] = [];
  if (config?.breaker?.per === "service") identities.push(serviceIdentity(service));
  if (config?.breaker?.per === "target") {
    for (const each of expandTargets(service, config.targets, lease.endpoints)) {
      if (target === undefined || each.url === target) identities.push(inFlightIdentity(each));
    }
  }
  for (const identity of identities) {
    orderBreaker(cellsOf(records.of(lease.counters[identity] ?? NO_SLOT)), state, clock);
  }
}
