import assert from "node:assert/strict";
import { test } from "node:test";
import { allocatedBytes } from "../../../test/support/allocated-bytes.ts";
import {
  balanceContext,
  setHealth,
  stickyConfig,
  targetSettings,
} from "../../../test/support/balancing.ts";
import { SharedCounters } from "../../base/shared-counters.ts";
import { SlotTable } from "../../base/slot-table.ts";
import type { BalanceConfig } from "./balance-config.ts";
import type { BalanceRequest } from "./balancer.ts";
import { compileBalancer } from "./compile-balancer.ts";
import { plainRules, type RotationRules } from "./rotation-rules.ts";
import { RETURNED_AT } from "../target-record.ts";
import { TargetRegistry } from "./target-registry.ts";
import { targetIdentity } from "./target.ts";
import { TriedSet } from "./tried-set.ts";

const request: BalanceRequest = {
  clientAddress: "10.1.2.3",
  header: () => "value",
  cookie: () => "value",
  param: () => "value",
};

const configs: BalanceConfig[] = [
  { name: "round-robin" },
  { name: "least-requests" },
  { name: "random" },
  { name: "peak-ewma", decayMs: 10_000 },
  { name: "hash", by: { from: "client", name: "" }, boundedLoad: 1.25 },
  stickyConfig(),
];

/** Two failover groups, of which all targets but one have just come back. */
const troubled: RotationRules = {
  panicShare: 0.5,
  slowStart: { windowMs: 86_400_000, aggression: 2, least: 0.1 },
  zone: "here",
};

for (const [config, rules] of configs.flatMap((one) => [
  [one, plainRules] as const,
  [one, troubled] as const,
])) {
  const when = rules === plainRules ? "" : " while targets come back in two groups";
  test(`${config.name}: a pick, its start and its end allocate nothing${when}`, () => {
    const settings = [1, 2, 3, 4, 5].map((number) => {
      return targetSettings(number, { weight: number, zone: number < 3 ? "here" : "there" });
    });
    const table = new SlotTable({ rows: 1 });
    const registry = new TargetRegistry(new SharedCounters(table.handle, 0));
    const { slots } = table.lease(settings.map(targetIdentity));
    const context = balanceContext(1);
    const balancer = compileBalancer(config, registry.acquire(settings, slots), context, rules);
    const tried = new TriedSet();
    if (rules !== plainRules) {
      for (const { state, index } of balancer.targets) state.record[RETURNED_AT] = index;
      setHealth(balancer.targets[1]!, false);
    }
    // So that hash has to look at the loads.
    for (const target of balancer.targets) balancer.started(target);
    const bytes = allocatedBytes((turn) => {
      context.clock.nowMs = turn / 100;
      const first = balancer.pick(request, tried)!;
      balancer.started(first);
      tried.add(first);
      balancer.pick(request, tried);
      tried.clear();
      balancer.ended(first, turn & 15, false);
    });
    // A boxed number, the smallest thing there is, would be 16.
    assert.ok(bytes < 4, `${bytes} bytes`);
  });
}
