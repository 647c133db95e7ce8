// HOT
import type { BalanceRequest, Balancer, BaseBalancer } from "./balancer.ts";
import { pickAny } from "./pick-any.ts";
import type { BalanceContext } from "./balancer.ts";
import type { Rotation } from "./rotation.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";

/**
 * Failover: a balancer for each group of targets (priority, zone), and a draw that decides whose turn it is, by
 * how much of the load each can take. A group that has nobody left for a request passes it on.
 */
export class Failover implements Balancer {
  readonly targets: readonly Target[];
  private readonly rotation: Rotation;
  private readonly context: BalanceContext;
  private readonly balancers: readonly BaseBalancer[];

  /** @param balancers of the rotation's groups, in their order. */
  constructor(
    targets: readonly Target[],
    context: BalanceContext,
    rotation: Rotation,
    balancers: readonly BaseBalancer[],
  ) {
    this.targets = targets;
    this.rotation = rotation;
    this.context = context;
    this.balancers = balancers;
  }

  pick(request: BalanceRequest, tried: TriedSet): Target | undefined {
    const { balancers, rotation } = this;
    rotation.refresh();
    const first = rotation.groupAt(balancers[0]!.drawFor(request));
    const target = balancers[first]!.pickUsable(request, tried);
    if (target !== undefined) return target;
    for (let group = 0; group < balancers.length; group++) {
      if (group === first) continue;
      const other = balancers[group]!.pickUsable(request, tried);
      if (other !== undefined) return other;
    }
    return pickAny(this.targets, tried, this.context.random);
  }

  started(target: Target): void {
    target.state.started();
  }

  ended(target: Target, latencyMs: number, failed: boolean): void {
    this.balancers[this.rotation.groupIndex(target)]!.ended(target, latencyMs, failed);
  }

  left(target: Target, waitedMs: number): void {
    this.balancers[this.rotation.groupIndex(target)]!.left(target, waitedMs);
  }

  unreachable(target: Target): void {
    target.state.unreachable(this.context.clock.nowMs);
  }

  responseCookie(_request: BalanceRequest, _target: Target): string | undefined {
    return undefined;
  }
}
