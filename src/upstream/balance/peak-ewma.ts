// HOT
/**
 * peak-ewma: of two targets drawn by weight the one that is likely to answer first, after Finagle and
 * Linkerd: latency x (requests in flight / weight + 1), weights taken relative to their mean.
 *
 * The latency is a moving average that jumps up to every peak at once and sinks back slowly: after
 * `decayMs` a peak weighs 37 %, after three times that 5 %. It sinks while a target is not asked too,
 * so that a slow one is tried again. A failure counts as a slow answer, because a target that fails
 * at once would look quick and draw all the traffic. One without history gets a single request first.
 * Latencies are known to each worker alone, requests in flight to all together.
 */
import type { BalanceContext } from "./balancer.ts";
import type { Rotation } from "./rotation.ts";
import type { Target } from "./target.ts";
import { TwoChoices } from "./two-choices.ts";

/** What a failure costs at least: more than services usually take. */
const FAILURE_MS = 1000;
/** Cost of a target without history that has a request in flight: above every real one. */
const UNKNOWN_COST = 1e9;
/** Places in `TargetState.latency`. */
const AVERAGE_MS = 0;
const AT_MS = 1;
/** A latency is never 0, which stands for none yet. */
const LATENCY_MS_MIN = 0.01;

export class PeakEwma extends TwoChoices {
  private readonly decayMs: number;
  private readonly meanWeight: number;
  /** Of the two targets being compared. */
  private readonly costs: Float64Array;

  constructor(
    targets: readonly Target[],
    context: BalanceContext,
    decayMs: number,
    rotation?: Rotation,
  ) {
    super(targets, context, rotation);
    this.decayMs = decayMs;
    this.costs = new Float64Array(2);
    let total = 0;
    for (let i = 0; i < targets.length; i++) total += targets[i]!.weight;
    this.meanWeight = total / targets.length;
  }

  override ended(target: Target, latencyMs: number, failed: boolean): void {
    target.state.ended(failed);
    const observedMs = latencyMs > LATENCY_MS_MIN ? latencyMs : LATENCY_MS_MIN;
    this.observe(target, failed && observedMs < FAILURE_MS ? FAILURE_MS : observedMs);
  }

  /** An answer would have taken longer than what was waited for it: that only can say that the target is slow. */
  override left(target: Target, waitedMs: number): void {
    target.state.left();
    if (waitedMs > target.state.latency[AVERAGE_MS]!) this.observe(target, waitedMs);
  }

  private observe(target: Target, observedMs: number): void {
    const { latency } = target.state;
    const nowMs = this.clock.nowMs;
    const averageMs = latency[AVERAGE_MS]!;
    if (observedMs >= averageMs) latency[AVERAGE_MS] = observedMs;
    else {
      const kept = Math.exp((latency[AT_MS]! - nowMs) / this.decayMs);
      latency[AVERAGE_MS] = averageMs * kept + observedMs * (1 - kept);
    }
    latency[AT_MS] = nowMs;
  }

  protected better(first: Target, second: Target): Target {
    const { costs } = this;
    this.estimate(first, 0);
    this.estimate(second, 1);
    return costs[0]! <= costs[1]! ? first : second;
  }

  /** Writes the cost instead of returning it: a fraction that a call returns may have to be boxed. */
  private estimate(target: Target, at: number): void {
    const { latency } = target.state;
    const load = (target.inFlight() * this.meanWeight) / target.weight;
    const averageMs = latency[AVERAGE_MS]!;
    if (averageMs === 0) {
      this.costs[at] = load === 0 ? 0 : UNKNOWN_COST + load;
      return;
    }
    const idleMs = this.clock.nowMs - latency[AT_MS]!;
    const decayed = idleMs <= 0 ? 1 : Math.exp(-idleMs / this.decayMs);
    this.costs[at] = averageMs * decayed * (load + 1);
  }
}
