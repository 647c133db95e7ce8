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
import type { Target } from "./target.ts";
import { TwoChoices } from "./two-choices.ts";

/** Finagle's default. */
const DECAY_MS = 10_000;
/** What a failure costs at least: more than services usually take. */
const FAILURE_MS = 1000;
/** Cost of a target without history that has a request in flight: above every real one. */
const UNKNOWN_COST = 1e9;
/** A latency is never 0, which stands for none yet. */
const LATENCY_MS_MIN = 0.01;

export class PeakEwma extends TwoChoices {
  private readonly decayMs: number;
  private readonly meanWeight: number;

  constructor(targets: readonly Target[], context: BalanceContext, decayMs: number = DECAY_MS) {
    super(targets, context);
    this.decayMs = decayMs;
    let total = 0;
    for (let i = 0; i < targets.length; i++) total += targets[i]!.weight;
    this.meanWeight = total / targets.length;
  }

  override ended(target: Target, latencyMs: number, failed: boolean): void {
    const { state } = target;
    state.ended(failed);
    const nowMs = this.clock.nowMs;
    let observedMs = latencyMs > LATENCY_MS_MIN ? latencyMs : LATENCY_MS_MIN;
    if (failed && observedMs < FAILURE_MS) observedMs = FAILURE_MS;
    if (observedMs >= state.ewmaMs) state.ewmaMs = observedMs;
    else {
      const kept = Math.exp((state.ewmaAtMs - nowMs) / this.decayMs);
      state.ewmaMs = state.ewmaMs * kept + observedMs * (1 - kept);
    }
    state.ewmaAtMs = nowMs;
  }

  protected better(first: Target, second: Target): Target {
    return this.cost(first) <= this.cost(second) ? first : second;
  }

  private cost(target: Target): number {
    const { state } = target;
    const load = (state.inFlight() * this.meanWeight) / target.weight;
    if (state.ewmaMs === 0) return load === 0 ? 0 : UNKNOWN_COST + load;
    const idleMs = this.clock.nowMs - state.ewmaAtMs;
    const latencyMs = idleMs <= 0 ? state.ewmaMs : state.ewmaMs * Math.exp(-idleMs / this.decayMs);
    return latencyMs * (load + 1);
  }
}
