import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SLOT, SharedCounters } from "./shared-counters.ts";
import { SlotTable } from "./slot-table.ts";

test("slot table: an identity keeps its slot and its count from lease to lease", () => {
  const table = new SlotTable({ rows: 1, slots: 16 });
  const counters = new SharedCounters(table.handle, 0);
  const first = table.lease(["a", "b"]);
  counters.add(first.slots["b"]!, 3);
  const second = table.lease(["b", "c"]);
  first.release();
  assert.equal(second.slots["b"], first.slots["b"]);
  assert.equal(table.load(second.slots["b"]!), 3);
  assert.equal(table.find("a"), NO_SLOT);
  assert.equal(table.size, 2);
});

test("slot table: a slot is free again only when no lease names it", () => {
  const table = new SlotTable({ rows: 1, slots: 16 });
  const first = table.lease(["a"]);
  const second = table.lease(["a", "a"]);
  first.release();
  first.release();
  assert.equal(table.find("a"), second.slots["a"]);
  second.release();
  assert.equal(table.size, 0);
});

test("slot table: a freed slot is not given out before its count is zero", () => {
  const table = new SlotTable({ rows: 2, slots: 16 });
  const counters = new SharedCounters(table.handle, 1);
  const old = table.lease(["old"]);
  const slot = old.slots["old"]!;
  counters.add(slot, 1);
  old.release();
  const others = table.lease(Array.from({ length: 16 }, (_, i) => `new-${i}`));
  assert.ok(!Object.entries(others.slots).some(([, given]) => given === slot));
  assert.equal(table.size, 15);
  others.release();
  counters.add(slot, -1);
  const all = table.lease(Array.from({ length: 16 }, (_, i) => `newer-${i}`));
  assert.ok(Object.values(all.slots).includes(slot));
});

test("slot table: when full the rest get no slot, the owner is told once, and room is used later", () => {
  const told: number[] = [];
  const table = new SlotTable({ rows: 1, slots: 16, onFull: (slots) => told.push(slots) });
  const sixteen = table.lease(Array.from({ length: 16 }, (_, i) => `held-${i}`));
  const late = table.lease(["late", "later", "held-3"]);
  assert.equal(late.slots["late"], NO_SLOT);
  assert.equal(late.slots["later"], NO_SLOT);
  assert.equal(late.slots["held-3"], sixteen.slots["held-3"]);
  assert.deepEqual(told, [16]);
  sixteen.release();
  late.release();
  assert.equal(table.size, 0);
  assert.notEqual(table.lease(["late"]).slots["late"], NO_SLOT);
});

test("slot table: a thousand reloads with changing names leave it as it was", () => {
  const table = new SlotTable({ rows: 1, slots: 64, onFull: () => assert.fail("leaked") });
  let held = table.lease([]);
  for (let reload = 0; reload < 1000; reload++) {
    const next = table.lease(Array.from({ length: 30 }, (_, i) => `target-${reload * 7 + i}`));
    held.release();
    held = next;
  }
  assert.equal(table.size, 30);
});

test("slot table: hostile names are only names", () => {
  const table = new SlotTable({ rows: 1, slots: 16 });
  const { slots } = structuredClone({ slots: table.lease(["__proto__", "constructor"]).slots });
  assert.deepEqual(Object.keys(slots).sort(), ["__proto__", "constructor"]);
  assert.equal(slots["__proto__"], table.find("__proto__"));
});
