import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedCounters } from "../base/shared-counters.ts";
import { SlotTable } from "../base/slot-table.ts";
import { validate } from "../config/validate.ts";
import { inFlightIdentity } from "./data-plane-needs.ts";
import { RevisionLease } from "./revision-lease.ts";

const NAME = "users.test";

function leaseOf(table: SlotTable, ...addresses: string[]): RevisionLease {
  const { config } = validate(
    {
      services: { users: { targets: [`http://${NAME}:3000`, "http://10.0.0.9:3000"] } },
      routes: [{ match: "/*", service: "users" }],
    },
    {},
  );
  const metrics = { index: {}, release: () => {} };
  const routes = { cells: new Int32Array(2), release: () => {} };
  return new RevisionLease(config!, { [NAME]: addresses }, table, { metrics, routes });
}

/** The slot that requests in flight to an address of the name are counted in. */
function slotOf(lease: RevisionLease, address: string): number | undefined {
  const url = `http://${NAME}:3000`;
  const target = { service: "users", url, scheme: "http", host: NAME, port: 3000 } as const;
  const identity = inFlightIdentity({
    ...target,
    address,
    socketPath: "",
    weight: 1,
    draining: false,
    priority: 0,
    zone: "",
  });
  return lease.counters[identity];
}

test("revision lease: every address of a name has a count of its own", () => {
  const table = new SlotTable({ rows: 1 });
  const lease = leaseOf(table, "10.0.0.1", "10.0.0.2");
  const slots = Object.values(lease.counters);
  // Two addresses, the one that is written as such, the service, and the connections of clients.
  assert.equal(new Set(slots).size, 5);
  assert.notEqual(slotOf(lease, "10.0.0.1"), slotOf(lease, "10.0.0.2"));
  lease.release();
  assert.equal(table.size, 0);
});

test("revision lease: addresses that stay keep their counts, gone ones theirs until that is settled", () => {
  const table = new SlotTable({ rows: 1 });
  const lease = leaseOf(table, "10.0.0.1", "10.0.0.2");
  const [stays, goes] = [slotOf(lease, "10.0.0.1"), slotOf(lease, "10.0.0.2")];
  const settle = lease.move({ [NAME]: ["10.0.0.1", "10.0.0.3"] });
  assert.equal(slotOf(lease, "10.0.0.1"), stays);
  assert.equal(slotOf(lease, "10.0.0.2"), undefined);
  assert.notEqual(slotOf(lease, "10.0.0.3"), goes);
  assert.equal(table.size, 6);
  settle();
  assert.equal(table.size, 5);
  lease.release();
  assert.equal(table.size, 0);
});

test("revision lease: the count of a gone address is not another's while requests are in flight", () => {
  const table = new SlotTable({ rows: 1, slots: 16 });
  const counters = new SharedCounters(table.handle, 0);
  const lease = leaseOf(table, "10.0.0.1");
  const slot = slotOf(lease, "10.0.0.1")!;
  counters.add(slot, 1);
  for (let last = 2; last < 40; last++) {
    lease.move({ [NAME]: [`10.0.0.${last}`] })();
    assert.notEqual(slotOf(lease, `10.0.0.${last}`), slot);
  }
  counters.add(slot, -1);
  assert.equal(table.size, 4);
});

test("revision lease: one that ends before a move is settled leaves nothing behind", () => {
  const table = new SlotTable({ rows: 1 });
  const lease = leaseOf(table, "10.0.0.1");
  const settle = lease.move({ [NAME]: ["10.0.0.2"], "other.test": ["10.0.0.7"] });
  lease.release();
  settle();
  assert.equal(table.size, 0);
});
