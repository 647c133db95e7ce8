import assert from "node:assert/strict";
import { test } from "node:test";
import { targetSettings } from "../../../test/support/balancing.ts";
import { SharedCounters } from "../../base/shared-counters.ts";
import { SlotTable } from "../../base/slot-table.ts";
import { TargetRegistry } from "./target-registry.ts";
import { targetIdentity } from "./target.ts";

test("target registry: a target keeps its state in the next snapshot, with its new weight", () => {
  const registry = new TargetRegistry();
  const [before] = registry.acquire([targetSettings(1), targetSettings(2)]);
  before!.state.started();
  before!.state.latency[0] = 12.5;
  const next = registry.acquire([
    targetSettings(3),
    targetSettings(1, { weight: 5, draining: true }),
  ]);
  assert.equal(next[1]!.state, before!.state);
  assert.equal(next[1]!.inFlight(), 1);
  assert.deepEqual([before!.weight, next[1]!.weight], [1, 5]);
  assert.deepEqual([before!.draining, next[1]!.draining], [false, true]);
  assert.equal(next[0]!.inFlight(), 0);
});

test("target registry: another service, URL or address is another target", () => {
  const registry = new TargetRegistry();
  const variants = [{}, { service: "orders" }, { url: "http://b" }, { address: "10.9.9.9" }];
  const settings = variants.map((variant) => targetSettings(1, variant));
  assert.equal(new Set(settings.map(targetIdentity)).size, 4);
  registry.acquire(settings);
  assert.equal(registry.size, 4);
});

test("target registry: a state is dropped when the last snapshot that names it is released", () => {
  const registry = new TargetRegistry();
  const first = registry.acquire([targetSettings(1), targetSettings(2)]);
  const second = registry.acquire([targetSettings(2)]);
  registry.release(first);
  assert.equal(registry.size, 1);
  registry.release(second);
  assert.equal(registry.size, 0);
  assert.notEqual(registry.acquire([targetSettings(2)])[0]!.state, second[0]!.state);
});

test("target registry: a thousand reloads keep only what is named", () => {
  const registry = new TargetRegistry();
  let held = registry.acquire([]);
  for (let reload = 0; reload < 1000; reload++) {
    const next = registry.acquire([0, 1, 2].map((n) => targetSettings(reload + n)));
    registry.release(held);
    held = next;
  }
  assert.equal(registry.size, 3);
});

test("target registry: workers with slots count requests in flight together, others alone", () => {
  const table = new SlotTable({ rows: 2, slots: 16 });
  const settings = [targetSettings(1), targetSettings(2)];
  const { slots } = table.lease([targetIdentity(settings[0]!)]);
  const workers = [0, 1].map((row) => {
    const registry = new TargetRegistry(new SharedCounters(table.handle, row));
    return registry.acquire(settings, slots);
  });
  for (const targets of workers) for (const { state } of targets) state.started();
  assert.equal(workers[0]![0]!.inFlight(), 2);
  assert.equal(workers[0]![1]!.inFlight(), 1);
  workers[1]![0]!.state.ended(false);
  assert.equal(workers[0]![0]!.inFlight(), 1);
  table.clearRow(0);
  assert.equal(workers[1]![0]!.inFlight(), 0);
});

test("target registry: a state goes on counting where it began", () => {
  const table = new SlotTable({ rows: 1, slots: 16 });
  const registry = new TargetRegistry(new SharedCounters(table.handle, 0));
  const [before] = registry.acquire([targetSettings(1)]);
  before!.state.started();
  const { slots } = table.lease([targetIdentity(targetSettings(1))]);
  const [after] = registry.acquire([targetSettings(1)], slots);
  before!.state.ended(false);
  assert.equal(after!.inFlight(), 0);
  assert.equal(table.load(slots[targetIdentity(targetSettings(1))]!), 0);
});
