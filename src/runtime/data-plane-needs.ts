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

/** What a worker will count for a config, so that the main thread can find room for it beforehand. */
export interface DataPlaneNeeds {
  /** Identities of exact counts over all workers. */
  counters: string[];
  metrics: MetricChild[];
}

/** Label of what no route or service answered for. */
export const NO_NAME = "";

/** The identity under which requests in flight to a target are counted. */
export function inFlightIdentity(service: string, targetUrl: string): string {
  return `in-flight\0${service}\0${targetUrl}`;
}

/** The identity under which connections of clients are counted for `limits.connections`. */
export const clientConnectionsIdentity = "client-connections";

/** Lists the counters and metric children of a config: the one place that workers and main agree by. */
export function dataPlaneNeeds(config: Config): DataPlaneNeeds {
  const counters: string[] = [clientConnectionsIdentity];
  const metrics: MetricChild[] = [];
  for (const { key } of config.listen) metrics.push(metricChild(clientConnections, [key]));
  for (const { name, handler } of config.routes) {
    const service = handler.kind === "service" ? handler.service : NO_NAME;
    metrics.push(metricChild(requestsTotal, [name, service]));
    metrics.push(metricChild(requestDurationSeconds, [name]));
  }
  metrics.push(metricChild(requestsTotal, [NO_NAME, NO_NAME]));
  metrics.push(metricChild(requestDurationSeconds, [NO_NAME]));
  metrics.push(metricChild(bytesTotal, [NO_NAME]));
  for (const [service, { targets }] of Object.entries(config.services)) {
    metrics.push(metricChild(bytesTotal, [service]), metricChild(retriesTotal, [service]));
    for (const { url } of targets) {
      counters.push(inFlightIdentity(service, url));
      metrics.push(metricChild(upstreamRequestsTotal, [service, url]));
      metrics.push(metricChild(upstreamConnections, [service, url]));
    }
  }
  for (const type of Object.keys(faultTypes)) metrics.push(metricChild(faultsTotal, [type]));
  return { counters, metrics };
}
