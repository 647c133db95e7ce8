import type { Counter } from "../base/metrics/metric-view.ts";
import type { BalanceConfig } from "./balance/balance-config.ts";
import type { BalanceContext, Balancer } from "./balance/balancer.ts";
import { compileBalancer } from "./balance/compile-balancer.ts";
import type { TargetRegistry } from "./balance/target-registry.ts";
import { expandTargets } from "./balance/target-settings.ts";
import type { ConfiguredTarget } from "./balance/target-settings.ts";
import { targetIdentity } from "./balance/target.ts";
import type { Target, TargetSettings } from "./balance/target.ts";
import type { TargetPool } from "./target-pool.ts";

export type Endpoints = Readonly<Record<string, readonly string[]>>;

/** What a service's targets are made of. */
export interface ServiceTargetsSettings {
  service: string;
  configured: readonly ConfiguredTarget[];
  balance: BalanceConfig;
  context: BalanceContext;
  registry: TargetRegistry;
  /** Slot of the count of requests in flight to an address that all workers share; undefined for none. */
  slotOf(target: TargetSettings): number | undefined;
  /** Counter of tries by how they ended. */
  resultsOf(url: string): Counter;
  acquirePool(target: Target): TargetPool;
  releasePool(pool: TargetPool): void;
}

/** The targets of one service in one snapshot, as the addresses of their names come and go. */
export class ServiceTargets {
  balancer: Balancer;
  /** Told the new balancer when addresses have changed. */
  onChange: ((balancer: Balancer) => void) | null;
  private readonly settings: ServiceTargetsSettings;
  private targets: Target[];
  private keys: string;

  constructor(settings: ServiceTargetsSettings, endpoints: Endpoints) {
    this.onChange = null;
    this.settings = settings;
    this.keys = "";
    this.targets = [];
    this.balancer = this.build(endpoints)!;
  }

  /** Takes over other addresses; equal ones change nothing. */
  update(endpoints: Endpoints): void {
    const before = this.targets;
    const balancer = this.build(endpoints);
    if (balancer === null) return;
    this.balancer = balancer;
    this.onChange?.(balancer);
    this.release(before);
  }

  private build(endpoints: Endpoints): Balancer | null {
    const { service, configured, registry, balance, context } = this.settings;
    const expanded = expandTargets(service, configured, endpoints);
    const keys = JSON.stringify(expanded);
    if (keys === this.keys) return null;
    this.keys = keys;
    const targets = registry.acquire(expanded, this.slots(expanded));
    for (const target of targets) {
      target.pool = this.settings.acquirePool(target);
      target.results = this.settings.resultsOf(target.url);
    }
    this.targets = targets;
    return compileBalancer(balance, targets, context);
  }

  private slots(expanded: readonly TargetSettings[]): Record<string, number> {
    const slots: Record<string, number> = {};
    for (const target of expanded) {
      const slot = this.settings.slotOf(target);
      if (slot !== undefined) slots[targetIdentity(target)] = slot;
    }
    return slots;
  }

  private release(targets: readonly Target[]): void {
    this.settings.registry.release(targets);
    for (const { pool } of targets) if (pool !== null) this.settings.releasePool(pool);
  }

  get all(): readonly Target[] {
    return this.targets;
  }

  dispose(): void {
    this.release(this.targets);
    this.targets = [];
  }
}
