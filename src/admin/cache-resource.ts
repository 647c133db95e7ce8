import {
  cacheBytes,
  cacheEntries,
  cacheEvictionsTotal,
  cacheLimitBytes,
  cacheLimitEntries,
  cachePurgesTotal,
  cacheRefusalsTotal,
} from "../base/metrics/families.ts";
import type { MetricFamily } from "../base/metrics/metric-family.ts";
import type { MetricRegistry } from "../base/metrics/metric-registry.ts";
import { type AdminResource, jsonReply } from "./admin-resource.ts";
import { policyResults, samplesOf } from "./policy-results.ts";

/** How full the cache is, and how much it is worth: the same numbers as in the metrics, in one place. */
export const cacheResource: AdminResource = {
  path: "/cache",
  about: "how full the memory of the policy cache is, and what it has decided",
  read({ metrics }) {
    const results = resultsOf(metrics);
    const { hit = 0, stale = 0, miss = 0, bypass = 0 } = results;
    const asked = hit + stale + miss + bypass;
    return jsonReply(200, {
      memory: {
        bytes: sumOf(metrics, cacheBytes),
        bytesMax: sumOf(metrics, cacheLimitBytes),
        entries: sumOf(metrics, cacheEntries),
        entriesMax: sumOf(metrics, cacheLimitEntries),
      },
      evictions: sumOf(metrics, cacheEvictionsTotal),
      refusals: sumOf(metrics, cacheRefusalsTotal),
      purges: sumOf(metrics, cachePurgesTotal),
      results,
      hitRatio: asked === 0 ? null : Number(((hit + stale) / asked).toFixed(4)),
    });
  },
};

/** Of all places where the policy is written. */
function resultsOf(metrics: MetricRegistry): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const results of policyResults(metrics, "cache").values()) {
    for (const [result, count] of Object.entries(results))
      sums[result] = (sums[result] ?? 0) + count;
  }
  return sums;
}

function sumOf(metrics: MetricRegistry, wanted: MetricFamily): number {
  let sum = 0;
  for (const { values } of samplesOf(metrics, wanted)) sum += values[0]!;
  return sum;
}
