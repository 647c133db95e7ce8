import type { Target } from "./target.ts";

/** Longest sequence, unless there are more targets: weights are then kept to about 1 in 2000. */
const LENGTH_MAX = 2048;

/**
 * One round of smooth weighted round robin (NGINX, ngx_http_upstream_get_peer): each turn every
 * target gains its weight, the richest is chosen and pays the sum of all weights.
 */
export function smoothSequence(targets: readonly Target[]): Target[] {
  const weighted = targets.filter((target) => target.weight > 0);
  const weights = wholeWeights(weighted.map((target) => target.weight));
  // The usual case, and the only one that has to be quick for thousands of targets.
  if (weights.every((weight) => weight === 1)) return weighted;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const gained = weights.map(() => 0);
  const sequence: Target[] = [];
  for (let turn = 0; turn < total; turn++) {
    let richest = 0;
    for (let i = 0; i < weighted.length; i++) {
      gained[i]! += weights[i]!;
      if (gained[i]! > gained[richest]!) richest = i;
    }
    gained[richest]! -= total;
    sequence.push(weighted[richest]!);
  }
  return sequence;
}

/** The smallest whole numbers in the same proportions, or nearly so where those are too large. */
function wholeWeights(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const divisor = weights.every(Number.isInteger) ? weights.reduce(greatestDivisor, 0) : 0;
  if (divisor > 0 && total / divisor <= LENGTH_MAX)
    return weights.map((weight) => weight / divisor);
  if (weights.every((weight) => weight === weights[0])) return weights.map(() => 1);
  return weights.map((weight) => Math.max(1, Math.round((weight / total) * LENGTH_MAX)));
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
