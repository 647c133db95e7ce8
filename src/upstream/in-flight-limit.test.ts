import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricView } from "../base/metrics/metric-view.ts";
import { inFlightRefusalsTotal } from "../base/metrics/families.ts";
import { NO_SLOT, SharedCounters } from "../base/shared-counters.ts";
import { SlotTable } from "../base/slot-table.ts";
import { InFlightLimit } from "./in-flight-limit.ts";

const refusals = MetricView.discarding().counter(inFlightRefusalsTotal, ["users", ""]);

/** Two workers that share the limit. */
function openTwo(max: number) {
  const table = new SlotTable({ rows: 2 });
  const { slots } = table.lease(["limit"]);
  const [one, other] = [0, 1].map((row) => {
    return new InFlightLimit(max, new SharedCounters(table.handle, row), slots["limit"]!, refusals);
  }) as [InFlightLimit, InFlightLimit];
  return { table, slot: slots["limit"]!, one, other };
}

test("in-flight limit: counts the tries of all workers, and has room again when one ends", () => {
  const { one, other } = openTwo(2);
  assert.equal(one.admit(), null);
  assert.equal(other.admit(), null);
  assert.equal(one.refuses(), true);
  const fault = other.admit();
  assert.equal(fault?.name, "service-busy");
  assert.equal(fault?.headers?.["retry-after"], "1");
  one.ended();
  assert.equal(other.refuses(), false);
  assert.equal(other.admit(), null);
});

test("in-flight limit: a worker that dies gives its places back", () => {
  const { table, slot, one, other } = openTwo(3);
  for (let count = 0; count < 3; count++) assert.equal(one.admit(), null);
  assert.notEqual(other.admit(), null);
  table.clearRow(0);
  assert.equal(table.load(slot), 0);
  for (let count = 0; count < 3; count++) assert.equal(other.admit(), null);
  assert.notEqual(other.admit(), null);
});

test("in-flight limit: without a slot each worker counts for itself", () => {
  const table = new SlotTable({ rows: 1 });
  const limit = new InFlightLimit(1, new SharedCounters(table.handle, 0), NO_SLOT, refusals);
  assert.equal(limit.admit(), null);
  assert.notEqual(limit.admit(), null);
  limit.ended();
  assert.equal(limit.admit(), null);
});
