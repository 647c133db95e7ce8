import { faultTypes } from "../base/faults.ts";
import {
  bytesTotal,
  clientConnections,
  fallbacksTotal,
  faultsTotal,
  grpcResponsesTotal,
  hedgesTotal,
  healthChecksTotal,
  policyResultsTotal,
  undeclaredFault,
  requestDurationSeconds,
  requestsTotal,
  retriesForgoneTotal,
  retriesTotal,
  serviceConcurrencyLimit,
  shedReason,
  shedRequestsTotal,
  splitRequestsTotal,
  targetHealthy,
  upstreamConnections,
  upstreamRequestsTotal,
} from "../base/metrics/families.ts";
import { type MetricChild, metricChild } from "../base/metrics/metric-registry.ts";
import { fallbackOf } from "../config/compile-fallback.ts";
import type { Config } from "../config/config.ts";
import type { PolicyDefinitions } from "../config/known-policies.ts";
import { placeLabel, policyUses } from "../config/policy-uses.ts";
import { servicesOf } from "../config/schema/handler.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import { targetIdentity } from "../upstream/balance/target.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import type { Endpoints } from "./data-plane.ts";
import { guardIdentities, guardMetricChildren } from "./guard-needs.ts";
import { outlierMetricChildren } from "./outlier-needs.ts";

/** Label of what no route or service answered for. */
export const NO_NAME = "";

/** The identity under which requests in flight to one address of a target are counted. */
export function inFlightIdentity(target: TargetSettings): string {
  return `in-flight ${targetIdentity(target)}`;
}

/** The identity under which what all workers know of a service is kept. */
export function serviceIdentity(name: string): string {
  return `service ${name}`;
}

/** The identity under which a service's adaptive limit is kept, and what it has in flight is counted. */
export function concurrencyIdentity(service: string): string {
  return `concurrency ${service}`;
}

/** The identity under which connections of clients are counted for `limits.connections`. */
export const clientConnectionsIdentity = "client-connections";

/**
 * What workers count exactly and together, so that the main thread can find room for it beforehand: one
 * identity for each service and for each address that a target has now. Workers expand targets in the same way.
 */
export function counterIdentities(config: Config, endpoints: Endpoints): string[] {
  const identities = [clientConnectionsIdentity, ...guardIdentities(config, endpoints)];
  for (const [service, { targets, concurrency }] of Object.entries(config.services)) {
    identities.push(serviceIdentity(service));
    if (concurrency !== undefined) identities.push(concurrencyIdentity(service));
    for (const target of expandTargets(service, targets, endpoints)) {
      identities.push(inFlightIdentity(target));
    }
  }
  return identities;
}

/** Two for each route, in their order: requests and durations. */
export function routeMetricChildren({ routes }: Config): MetricChild[] {
  const metrics: MetricChild[] = [];
  for (const { name, handler } of routes) {
    const service = handler.kind === "service" ? handler.service : NO_NAME;
    metrics.push(metricChild(requestsTotal, [name, service]));
    metrics.push(metricChild(requestDurationSeconds, [name]));
  }
  return metrics;
}

/** Of routes whose requests go several ways; what goes none of them is counted with the others. */
function splitMetricChildren({ routes }: Config): MetricChild[] {
  const metrics: MetricChild[] = [];
  for (const { name, handler } of routes) {
    if (handler.kind !== "split") continue;
    for (const service of servicesOf(handler))
      metrics.push(metricChild(requestsTotal, [name, service]));
    for (const branch of handler.branches)
      metrics.push(metricChild(splitRequestsTotal, [name, branch.name]));
  }
  return metrics;
}

/** Of services that others stand in for, on the routes where they do. */
function fallbackMetricChildren({ routes, services }: Config): MetricChild[] {
  const metrics: MetricChild[] = [];
  const taken = new Map<string, Set<string>>();
  for (const route of routes) {
    const answering = servicesOf(route.handler);
    const asked = new Set<string>();
    for (const name of answering) {
      for (const step of fallbackOf(route, services[name])?.steps ?? []) {
        if (step.kind === "service" && !answering.includes(step.service)) asked.add(step.service);
        taken.set(name, (taken.get(name) ?? new Set()).add(step.kind));
      }
    }
    for (const name of asked) metrics.push(metricChild(requestsTotal, [route.name, name]));
  }
  for (const [name, kinds] of taken) {
    for (const kind of kinds) metrics.push(metricChild(fallbacksTotal, [name, kind]));
  }
  return metrics;
}

/** One for each result of each use of a policy, and one for each problem type that a policy declares. */
function policyMetricChildren(config: Config, policies: PolicyDefinitions): MetricChild[] {
  const metrics: MetricChild[] = [];
  const used = new Set<string>();
  for (const { name, place } of policyUses(config)) {
    used.add(name);
    const policy = policies[name];
    for (const result of policy?.results ?? []) {
      metrics.push(metricChild(policyResultsTotal, [policy!.name, placeLabel(place), result]));
    }
  }
  for (const name of used) {
    for (const type of policies[name]?.faults ?? [])
      metrics.push(metricChild(faultsTotal, [type.name]));
  }
  return metrics;
}

function sheddingMetricChildren({ services, overload }: Config): MetricChild[] {
  const metrics: MetricChild[] = [];
  if (overload !== false) {
    metrics.push(metricChild(shedRequestsTotal, [NO_NAME, shedReason.eventLoop]));
    metrics.push(metricChild(shedRequestsTotal, [NO_NAME, shedReason.memory]));
  }
  for (const [service, { concurrency }] of Object.entries(services)) {
    if (concurrency === undefined) continue;
    metrics.push(metricChild(serviceConcurrencyLimit, [service]));
    metrics.push(metricChild(shedRequestsTotal, [service, shedReason.concurrency]));
  }
  return metrics;
}

/**
 * The metric children of a config beside those of its routes. They tell URLs apart, not addresses, so that
 * DNS adds none.
 */
export function metricChildren(config: Config, policies: PolicyDefinitions): MetricChild[] {
  const metrics: MetricChild[] = [];
  for (const { key } of config.listen) metrics.push(metricChild(clientConnections, [key]));
  metrics.push(metricChild(requestsTotal, [NO_NAME, NO_NAME]));
  metrics.push(metricChild(requestDurationSeconds, [NO_NAME]));
  metrics.push(metricChild(bytesTotal, [NO_NAME]));
  for (const [service, { targets, health, http2 }] of Object.entries(config.services)) {
    metrics.push(metricChild(bytesTotal, [service]), metricChild(retriesTotal, [service]));
    metrics.push(metricChild(retriesForgoneTotal, [service]), metricChild(hedgesTotal, [service]));
    if (http2) metrics.push(metricChild(grpcResponsesTotal, [service]));
    for (const { url } of targets) {
      metrics.push(metricChild(upstreamRequestsTotal, [service, url]));
      metrics.push(metricChild(upstreamConnections, [service, url]));
      if (health === undefined) continue;
      metrics.push(metricChild(targetHealthy, [service, url]));
      metrics.push(metricChild(healthChecksTotal, [service, url]));
    }
  }
  metrics.push(...sheddingMetricChildren(config));
  metrics.push(...outlierMetricChildren(config));
  for (const type of Object.keys(faultTypes)) metrics.push(metricChild(faultsTotal, [type]));
  metrics.push(metricChild(faultsTotal, [undeclaredFault]));
  metrics.push(...guardMetricChildren(config));
  metrics.push(...fallbackMetricChildren(config));
  metrics.push(...splitMetricChildren(config), ...policyMetricChildren(config, policies));
  return metrics;
}
