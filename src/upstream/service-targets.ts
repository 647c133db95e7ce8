import type { Counter } from "../base/metrics/metric-view.ts";
import type { BalanceConfig } from "./balance/balance-config.ts";
import type { BalanceContext, Balancer } from "./balance/balancer.ts";
import { compileBalancer } from "./balance/compile-balancer.ts";
import type { RotationRules } from "./balance/rotation-rules.ts";
import type { TargetRegistry } from "./balance/target-registry.ts";
import { expandTargets } from "./balance/target-settings.ts";
import type { ConfiguredTarget } from "./balance/target-settings.ts";
import { targetIdentity } from "./balance/target.ts";
import type { Target, TargetSettings } from "./balance/target.ts";
import type { TryObserver } from "./guard.ts";
import type { Guard } from "./guard.ts";
import type { TargetPool } from "./target-pool.ts";
import { RETURNED_AT } from "./target-record.ts";

export type Endpoints = Readonly<Record<string, readonly string[]>>;

/** What a service's targets are made of. */
export interface ServiceTargetsSettings {
  service: string;
  configured: readonly ConfiguredTarget[];
  balance: BalanceConfig;
  rules: RotationRules;
  context: BalanceContext;
  registry: TargetRegistry;
  /** Slot of the count of requests in flight to an address that all workers share; undefined for none. */
  slotOf(target: TargetSettings): number | undefined;
  /** Counter of tries by how they ended. */
  resultsOf(url: string): Counter;
  /** Who hears of every try to a target, out of `count` of the service. */
  observersOf?(target: Target, count: number): readonly TryObserver[];
  /** Asked for each try to a target. */
  guardsOf(target: Target): readonly Guard[];
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
    const { service, configured, registry, balance, context, rules } = this.settings;
    const expanded = expandTargets(service, configured, endpoints);
    const keys = JSON.stringify(expanded);
    if (keys === this.keys) return null;
    this.keys = keys;
    const targets = registry.acquire(expanded, this.slots(expanded));
    for (const target of targets) {
      target.pool = this.settings.acquirePool(target);
      target.guards = this.settings.guardsOf(target);
      target.observers = this.settings.observersOf?.(target, targets.length) ?? [];
      target.results = this.settings.resultsOf(target.url);
    }
    this.targets = targets;
    if (rules.slowStart !== null) startSlowly(targets, context.sharedClock.tick);
    return compileBalancer(balance, targets, context, rules);
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

/** Addresses that join a service which is served already begin like those that come back. */
function startSlowly(targets: readonly Target[], tick: number): void {
  const isServed = targets.some(({ state }) => state.leases > 1);
  for (const { state } of targets) {
    if (isServed && state.leases === 1) {
      Atomics.compareExchange(state.record, RETURNED_AT, 0, Math.max(1, tick));
    }
  }
}
