import { faultTypes } from "../base/faults.ts";
import {
  bytesTotal,
  clientConnections,
  faultsTotal,
  requestDurationSeconds,
  requestsTotal,
  retriesTotal,
  upstreamConnections,
  upstreamRequestsTotal,
} from "../base/metrics/families.ts";
import { type MetricChild, metricChild } from "../base/metrics/metric-registry.ts";
import type { Config } from "../config/config.ts";
import { expandTargets } from "../upstream/balance/target-settings.ts";
import { targetIdentity } from "../upstream/balance/target.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import type { Endpoints } from "./data-plane.ts";

/** Label of what no route or service answered for. */
export const NO_NAME = "";

/** The identity under which requests in flight to one address of a target are counted. */
export function inFlightIdentity(target: TargetSettings): string {
  return `in-flight ${targetIdentity(target)}`;
}

/** The identity under which connections of clients are counted for `limits.connections`. */
export const clientConnectionsIdentity = "client-connections";

/**
 * What workers count exactly and together, so that the main thread can find room for it beforehand: one
 * identity for each address that a target has now. Workers expand targets in the same way.
 */
export function counterIdentities(config: Config, endpoints: Endpoints): string[] {
  const identities = [clientConnectionsIdentity];
  for (const [service, { targets }] of Object.entries(config.services)) {
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

/**
 * The metric children of a config beside those of its routes. They tell URLs apart, not addresses, so that
 * DNS adds none.
 */
export function metricChildren(config: Config): MetricChild[] {
  const metrics: MetricChild[] = [];
  for (const { key } of config.listen) metrics.push(metricChild(clientConnections, [key]));
  metrics.push(metricChild(requestsTotal, [NO_NAME, NO_NAME]));
  metrics.push(metricChild(requestDurationSeconds, [NO_NAME]));
  metrics.push(metricChild(bytesTotal, [NO_NAME]));
  for (const [service, { targets }] of Object.entries(config.services)) {
    metrics.push(metricChild(bytesTotal, [service]), metricChild(retriesTotal, [service]));
    for (const { url } of targets) {
      metrics.push(metricChild(upstreamRequestsTotal, [service, url]));
      metrics.push(metricChild(upstreamConnections, [service, url]));
    }
  }
  for (const type of Object.keys(faultTypes)) metrics.push(metricChild(faultsTotal, [type]));
  return metrics;
}
