/**
 * Who of a service's targets was an outlier in an interval: by success rate and failure percentage as Envoy has
 * them, and by latency.
 */
import { ejectionReason } from "../../base/metrics/families.ts";
import type { OutlierRules } from "./outlier-rules.ts";

/** One target's interval. */
export interface IntervalCounts {
  readonly tries: number;
  readonly failed: number;
  readonly answers: number;
  /** Sum of the latencies of the answers. */
  readonly latencyMs: number;
}

/** @returns the position in `counts` of each outlier with its reason, the worst first. */
export function findOutliers(
  rules: Pick<OutlierRules, "successRate" | "failures" | "slow">,
  counts: readonly IntervalCounts[],
): Map<number, number> {
  return new Map([
    ...bySuccessRate(rules, counts),
    ...byFailures(rules, counts),
    ...bySlowness(rules, counts),
  ]);
}

type Found = [index: number, reason: number][];

function bySuccessRate({ successRate }: Pick<OutlierRules, "successRate">, counts: Counts): Found {
  if (successRate === null) return [];
  const rates = enough(counts, ({ tries }) => tries >= successRate.requests, successOf);
  if (rates.length < successRate.targets) return [];
  const mean = meanOf(rates.map(([, rate]) => rate));
  const deviation = Math.sqrt(meanOf(rates.map(([, rate]) => (rate - mean) ** 2)));
  const least = mean - successRate.factor * deviation;
  return rates
    .filter(([, rate]) => rate < least)
    .toSorted(([, one], [, other]) => one - other)
    .map(([index]) => [index, ejectionReason.successRate]);
}

function byFailures({ failures }: Pick<OutlierRules, "failures">, counts: Counts): Found {
  if (failures === null) return [];
  const rates = enough(counts, ({ tries }) => tries >= failures.requests, successOf);
  if (rates.length < failures.targets) return [];
  return rates
    .filter(([, rate]) => 1 - rate >= failures.share)
    .toSorted(([, one], [, other]) => one - other)
    .map(([index]) => [index, ejectionReason.failures]);
}

function bySlowness({ slow }: Pick<OutlierRules, "slow">, counts: Counts): Found {
  if (slow === null) return [];
  const means = enough(
    counts,
    ({ answers }) => answers >= slow.requests,
    ({ latencyMs, answers }) => latencyMs / answers,
  ).toSorted(([, one], [, other]) => other - one);
  if (means.length < slow.targets) return [];
  // Of two in the middle the quicker.
  const [, median] = means[Math.floor(means.length / 2)]!;
  const most = Math.max(slow.leastMs, slow.factor * median);
  return means.filter(([, mean]) => mean > most).map(([index]) => [index, ejectionReason.slow]);
}

type Counts = readonly IntervalCounts[];

/** A figure of each target that has enough to say, with its position. */
function enough(
  counts: Counts,
  isEnough: (counts: IntervalCounts) => boolean,
  figureOf: (counts: IntervalCounts) => number,
): [index: number, figure: number][] {
  return [...counts.entries()]
    .filter(([, one]) => isEnough(one))
    .map(([index, one]) => [index, figureOf(one)]);
}

function successOf({ tries, failed }: IntervalCounts): number {
  return 1 - failed / tries;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
