import type { BalanceConfig } from "./balance-config.ts";
import type { BalanceContext, Balancer } from "./balancer.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import { LeastRequests } from "./least-requests.ts";
import { PeakEwma } from "./peak-ewma.ts";
import { RandomChoice } from "./random-choice.ts";
import { RoundRobin } from "./round-robin.ts";
import { Sticky } from "./sticky.ts";
import type { Target } from "./target.ts";

/**
 * The balancer of one service for one snapshot. What it learns about targets it keeps in their state,
 * so the next snapshot's goes on from there.
 * @param targets as `TargetRegistry.acquire` returned them, which numbered them in order.
 */
export function compileBalancer(
  config: BalanceConfig,
  targets: readonly Target[],
  context: BalanceContext,
): Balancer {
  switch (config.name) {
    case "round-robin":
      return new RoundRobin(targets, context);
    case "least-requests":
      return new LeastRequests(targets, context);
    case "random":
      return new RandomChoice(targets, context);
    case "peak-ewma":
      return new PeakEwma(targets, context, config.decayMs);
    case "hash":
      return new ConsistentHash(targets, context, config);
    case "sticky":
      return new Sticky(compileBalancer(config.fallback, targets, context), context, config);
  }
}
