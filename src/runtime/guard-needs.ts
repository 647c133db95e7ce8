import {
  breakerRefusalsTotal,
  breakerState,
  breakerTransitionsTotal,
  inFlightRefusalsTotal,
} from "../base/metrics/families.ts";
import { type MetricChild, metricChild } from "../base/metrics/metric-registry.ts";
import type { Config } from "../config/config.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import { targetIdentity } from "../upstream/balance/target.ts";
import type { Endpoints } from "./data-plane.ts";

/** Label of what is of the whole service. */
export const NO_TARGET = "";

/** The identity under which places of `connections.inFlight` are counted. */
export function serviceLimitIdentity(service: string): string {
  return `in-flight-limit ${service}`;
}

/** The identity under which places of `connections.inFlightPerTarget` are counted. @param target `targetIdentity` */
export function targetLimitIdentity(target: string): string {
  return `in-flight-limit-of ${target}`;
}

/** What guards of services count in, see `counterIdentities`. */
export function guardIdentities(config: Config, endpoints: Endpoints): string[] {
  const identities: string[] = [];
  for (const [service, { connections, targets }] of Object.entries(config.services)) {
    if (connections.inFlight > 0) identities.push(serviceLimitIdentity(service));
    if (connections.inFlightPerTarget === 0) continue;
    for (const target of expandTargets(service, targets, endpoints)) {
      identities.push(targetLimitIdentity(targetIdentity(target)));
    }
  }
  return identities;
}

/** The metric children of guards: of a service, or of each of its targets. */
export function guardMetricChildren({ services }: Config): MetricChild[] {
  const metrics: MetricChild[] = [];
  for (const [service, { breaker, connections, targets }] of Object.entries(services)) {
    const urls = targets.map(({ url }) => url);
    const breakers = breaker === null ? [] : breaker.per === "target" ? urls : [NO_TARGET];
    for (const url of breakers) {
      metrics.push(metricChild(breakerState, [service, url]));
      metrics.push(metricChild(breakerTransitionsTotal, [service, url]));
      metrics.push(metricChild(breakerRefusalsTotal, [service, url]));
    }
    const limited = connections.inFlightPerTarget > 0 ? urls : [];
    if (connections.inFlight > 0) limited.push(NO_TARGET);
    for (const url of limited) metrics.push(metricChild(inFlightRefusalsTotal, [service, url]));
  }
  return metrics;
}
