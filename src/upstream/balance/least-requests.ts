// HOT
/**
 * least-requests: the target with the fewest requests in flight for its weight, counted over all
 * workers. Among equals chance decides, in proportion to the weights: idle targets share as they
 * would with round-robin. A pick looks at no more than 32 targets, from a random place on: of so many
 * the best is as good as the best of all, and the cost stays bounded (5 to 10 ns each).
 */
import { BaseBalancer } from "./balancer.ts";
import type { BalanceRequest } from "./balancer.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";

const LOOKS_MAX = 32;
/** Far above all weights together. */
const COMING_BACK_LOTS = 2 ** 30;

export class LeastRequests extends BaseBalancer {
  protected select(_request: BalanceRequest, tried: TriedSet): Target | undefined {
    const { targets, random } = this;
    const count = targets.length;
    let at = count > LOOKS_MAX ? random.below(count) : 0;
    let looks = count > LOOKS_MAX ? LOOKS_MAX : count;
    let best: Target | undefined;
    let bestLoad = 0;
    let bestWeight = 1;
    let equalWeights = 0;
    for (let seen = 0; seen < count && looks > 0; seen++) {
      const target = targets[at]!;
      at = at + 1 === count ? 0 : at + 1;
      if (!this.isEligible(target) || tried.has(target)) continue;
      looks -= 1;
      const load = target.state.inFlight();
      const { weight } = target;
      // load / weight compared without dividing, so that equal is equal.
      const difference = load * bestWeight - bestLoad * weight;
      if (best !== undefined && difference > 0) continue;
      const isEqual = best !== undefined && difference === 0;
      // Who has just come back takes part in few picks, and is not to lose those by chance.
      const lots = this.isComingBack(target) ? COMING_BACK_LOTS : weight;
      equalWeights = isEqual ? equalWeights + lots : lots;
      // Keeps each of the equals with its share of the chance (reservoir sampling).
      if (isEqual && (random.next() >>> 0) * equalWeights >= lots * 2 ** 32) continue;
      best = target;
      bestLoad = load;
      bestWeight = weight;
    }
    return best;
  }
}
