import { policyResultsTotal } from "../base/metrics/families.ts";
import type { MetricFamily } from "../base/metrics/metric-family.ts";
import type { MetricRegistry } from "../base/metrics/metric-registry.ts";

/** How often a policy decided what, by the place where it is written: the same numbers as in the metrics. */
export function policyResults(
  metrics: MetricRegistry,
  policy: string,
): Map<string, Record<string, number>> {
  const places = new Map<string, Record<string, number>>();
  for (const { labels, values } of samplesOf(metrics, policyResultsTotal)) {
    const found = /^policy="([^"]*)",at="((?:[^"\\]|\\.)*)",result="([^"]*)"$/.exec(labels);
    if (found === null || found[1] !== policy) continue;
    const at = found[2]!.replace(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
    const results = places.get(at) ?? {};
    places.set(at, results);
    results[found[3]!] = values[0]!;
  }
  return places;
}

export function samplesOf(metrics: MetricRegistry, wanted: MetricFamily) {
  for (const { family, samples } of metrics.collect()) if (family === wanted) return samples;
  return [];
}
