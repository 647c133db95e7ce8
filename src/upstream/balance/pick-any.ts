// HOT
import type { Random } from "../../base/random.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";

/**
 * Any target not yet tried, for when none is usable: it is better to ask one that is said to be
 * down than to fail the request for sure. Draining ones come last of all.
 */
export function pickAny(
  targets: readonly Target[],
  tried: TriedSet,
  random: Random,
): Target | undefined {
  const count = targets.length;
  if (count === 0) return undefined;
  let at = random.below(count);
  let last: Target | undefined;
  for (let i = 0; i < count; i++) {
    const target = targets[at]!;
    at = at + 1 === count ? 0 : at + 1;
    if (tried.has(target)) continue;
    if (!target.draining && target.weight > 0) return target;
    last = target;
  }
  return last;
}
