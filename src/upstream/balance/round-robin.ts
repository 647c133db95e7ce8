// HOT
/**
 * round-robin: targets in turn, heavier ones more often, spread as evenly as can be (A A B A C for
 * 3:1:1, never A A A B C). It is NGINX's smooth weighted round robin, played through once when the
 * snapshot is compiled; a pick only steps through the result. A target that cannot serve is stepped
 * over, which leaves the others' shares as their weights say.
 */
import { BaseBalancer } from "./balancer.ts";
import type { BalanceContext, BalanceRequest } from "./balancer.ts";
import type { Rotation } from "./rotation.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";
import { smoothSequence } from "./smooth-sequence.ts";

export class RoundRobin extends BaseBalancer {
  private readonly sequence: readonly Target[];
  private at: number;

  constructor(targets: readonly Target[], context: BalanceContext, rotation?: Rotation) {
    super(targets, context, rotation);
    this.sequence = smoothSequence(targets);
    // Workers begin anywhere: in step they would all turn to the same target at once.
    this.at = this.sequence.length === 0 ? 0 : context.random.below(this.sequence.length);
  }

  protected select(_request: BalanceRequest, tried: TriedSet): Target | undefined {
    const { sequence } = this;
    const length = sequence.length;
    let at = this.at;
    for (let i = 0; i < length; i++) {
      const target = sequence[at]!;
      at = at + 1 === length ? 0 : at + 1;
      if (!this.isEligible(target) || tried.has(target)) continue;
      this.at = at;
      return target;
    }
    return undefined;
  }
}
