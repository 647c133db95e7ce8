import type { BalanceConfig, StatelessBalanceConfig } from "./balance-config.ts";
import type { BalanceContext, Balancer, BaseBalancer } from "./balancer.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import { Failover } from "./failover.ts";
import { LeastRequests } from "./least-requests.ts";
import { PeakEwma } from "./peak-ewma.ts";
import { RandomChoice } from "./random-choice.ts";
import { type RotationRules, plainRules } from "./rotation-rules.ts";
import { Rotation } from "./rotation.ts";
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
  rules: RotationRules = plainRules,
): Balancer {
  const isSticky = config.name === "sticky";
  const stateless = isSticky ? config.fallback : config;
  const rotation = new Rotation(targets, context, rules, stateless.name === "least-requests");
  const balancers = rotation.groups.map((group) => {
    return compileGroup(stateless, group, context, rotation);
  });
  const balancer =
    balancers.length === 1 ? balancers[0]! : new Failover(targets, context, rotation, balancers);
  return isSticky ? new Sticky(balancer, rotation, config) : balancer;
}

function compileGroup(
  config: StatelessBalanceConfig,
  targets: readonly Target[],
  context: BalanceContext,
  rotation: Rotation,
): BaseBalancer {
  switch (config.name) {
    case "round-robin":
      return new RoundRobin(targets, context, rotation);
    case "least-requests":
      return new LeastRequests(targets, context, rotation);
    case "random":
      return new RandomChoice(targets, context, rotation);
    case "peak-ewma":
      return new PeakEwma(targets, context, config.decayMs, rotation);
    case "hash":
      return new ConsistentHash(targets, context, config, rotation);
  }
}
