import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SLOT } from "./shared-counters.ts";
import { allocateRecords, clearRecord, RECORD_INTS, SharedRecords } from "./shared-records.ts";
import { SlotTable } from "./slot-table.ts";

test("shared records: all views of a slot see one record, and no other's", () => {
  const handle = allocateRecords(4, 0);
  const [one, other] = [new SharedRecords(handle), new SharedRecords(handle)];
  one.of(1)[RECORD_INTS - 1] = 7;
  assert.equal(other.of(1)[RECORD_INTS - 1], 7);
  assert.equal(other.of(2)[0], 0);
});

test("shared records: without a slot each asker has a record of its own", () => {
  const records = new SharedRecords(allocateRecords(1, 0));
  const own = records.of(NO_SLOT);
  own[0] = 1;
  assert.equal(records.of(NO_SLOT)[0], 0);
  assert.equal(own.length, RECORD_INTS);
});

test("shared records: a slot's record is empty when another identity gets the slot", () => {
  const table = new SlotTable({ rows: 1, slots: 16, onTake: (slot) => clearRecord(handle, slot) });
  const handle = allocateRecords(16, 0);
  const records = new SharedRecords(handle);
  const first = table.lease(["first"]);
  const slot = first.slots["first"]!;
  records.of(slot)[3] = 5;
  const again = table.lease(["first"]);
  assert.equal(records.of(slot)[3], 5);
  first.release();
  again.release();
  assert.equal(table.lease(["second"]).slots["second"], slot);
  assert.equal(records.of(slot)[3], 0);
});
