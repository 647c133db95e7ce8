import { targetEjected, targetEjectionsTotal } from "../base/metrics/families.ts";
import { type MetricChild, metricChild } from "../base/metrics/metric-registry.ts";
import type { Config } from "../config/config.ts";

/** Two for each target of a service that looks for outliers. */
export function outlierMetricChildren({ services }: Pick<Config, "services">): MetricChild[] {
  const metrics: MetricChild[] = [];
  for (const [service, { targets, outliers }] of Object.entries(services)) {
    if (outliers === null) continue;
    for (const { url } of targets) {
      metrics.push(metricChild(targetEjected, [service, url]));
      metrics.push(metricChild(targetEjectionsTotal, [service, url]));
    }
  }
  return metrics;
}
