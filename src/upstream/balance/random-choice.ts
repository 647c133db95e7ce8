// HOT
import type { Target } from "./target.ts";
import { TwoChoices } from "./two-choices.ts";

/** random: of two targets drawn by weight the one with fewer requests in flight for its weight. */
export class RandomChoice extends TwoChoices {
  protected better(first: Target, second: Target): Target {
    const firstLoad = first.state.inFlight() * second.weight;
    return firstLoad <= second.state.inFlight() * first.weight ? first : second;
  }
}
