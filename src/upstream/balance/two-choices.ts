// HOT
/**
 * Two targets by weighted chance, and the better of them: nearly as good as the best of all, at a cost
 * that does not grow with their number, and without the herd that runs to the one best target
 * (Mitzenmacher, "The power of two choices in randomized load balancing", 2001).
 */
import { BaseBalancer } from "./balancer.ts";
import type { BalanceContext, BalanceRequest } from "./balancer.ts";
import type { Rotation } from "./rotation.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";
import { WeightedSampler } from "./weighted-sampler.ts";

/** Draws before weighing all targets: needed only when most of the weight is on some that cannot serve. */
const DRAWS_MAX = 4;

export abstract class TwoChoices extends BaseBalancer {
  private readonly sampler: WeightedSampler;

  constructor(targets: readonly Target[], context: BalanceContext, rotation?: Rotation) {
    super(targets, context, rotation);
    const weights: number[] = [];
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      weights.push(target.draining ? 0 : target.weight);
    }
    this.sampler = new WeightedSampler(weights);
  }

  protected select(_request: BalanceRequest, tried: TriedSet): Target | undefined {
    const first = this.choose(tried, undefined);
    if (first === undefined) return undefined;
    const second = this.choose(tried, first);
    return second === undefined ? first : this.better(first, second);
  }

  /** The one to take. `first` was drawn by its weight, so it wins when both are equal. */
  protected abstract better(first: Target, second: Target): Target;

  private choose(tried: TriedSet, other: Target | undefined): Target | undefined {
    const { targets, random } = this;
    const count = targets.length;
    if (count === 0 || (count === 1 && other !== undefined)) return undefined;
    // Of two there is only one other.
    const draws = count === 2 && other !== undefined ? 0 : DRAWS_MAX;
    for (let draw = 0; draw < draws; draw++) {
      const target = targets[this.sampler.sample(random)]!;
      if (target !== other && this.isEligible(target) && !tried.has(target)) return target;
    }
    let chosen: Target | undefined;
    let weightSeen = 0;
    for (let i = 0; i < count; i++) {
      const target = targets[i]!;
      if (target === other || !this.isEligible(target) || tried.has(target)) continue;
      weightSeen += target.weight;
      // Keeps each with its share of the chance (reservoir sampling).
      if ((random.next() >>> 0) * weightSeen < target.weight * 2 ** 32) chosen = target;
    }
    return chosen;
  }
}
