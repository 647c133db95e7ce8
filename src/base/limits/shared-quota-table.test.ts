import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryLedger } from "./memory-ledger.ts";
import type { Lease, LeaseRequest, QuotaLedger } from "./quota-ledger.ts";
import { QuotaMemory } from "./quota-memory.ts";
import { SharedQuotaTable, type QuotaPeriod, type QuotaVerdict } from "./shared-quota-table.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const day: QuotaPeriod = { startMs: START, endMs: START + 86_400_000 };
const nextDay: QuotaPeriod = { startMs: day.endMs, endMs: day.endMs + 86_400_000 };

/** Counts what it is asked, and fails when told to. */
class WatchedLedger extends MemoryLedger {
  leases = 0;
  fails = false;

  override lease(request: LeaseRequest, lease: Lease): void {
    this.leases++;
    if (this.fails) throw new Error("the disk is full");
    super.lease(request, lease);
  }
}

function tableOn(ledger: QuotaLedger = new MemoryLedger(), entries = 64) {
  const failures: unknown[] = [];
  const memory = new QuotaMemory(entries, TEST_SECRET);
  const open = (worker: number) =>
    new SharedQuotaTable(memory.handle, worker + 1, ledger, (error) => failures.push(error));
  const table = open(0);
  const verdict: QuotaVerdict = { allowed: false, used: 0 };
  const take = (limit: number, key = "k", cost = 1, period = day, nowMs = START): boolean => {
    table.take({ id: "q", limit }, key, period, cost, nowMs, verdict);
    return verdict.allowed;
  };
  return { table, memory, open, take, verdict, failures };
}

test("quota table: exactly the limit passes, and what is used is known all along", () => {
  const { take, verdict } = tableOn();
  for (let used = 1; used <= 1000; used++) {
    assert.equal(take(1000), true);
    assert.equal(verdict.used, used);
  }
  assert.equal(take(1000), false);
  assert.equal(verdict.used, 1000);
});

test("quota table: keys, periods and quotas count for themselves", () => {
  const { take, table, verdict } = tableOn();
  assert.equal(take(1), true);
  assert.equal(take(1), false);
  assert.equal(take(1, "other"), true);
  assert.equal(take(1, "k", 1, nextDay, nextDay.startMs), true);
  table.take({ id: "another", limit: 1 }, "k", day, 1, START, verdict);
  assert.equal(verdict.allowed, true);
});

test("quota table: a cost above what is left takes nothing, a smaller one still passes", () => {
  const { take, verdict } = tableOn();
  assert.equal(take(1000, "k", 999), true);
  assert.equal(take(1000, "k", 2), false);
  assert.equal(verdict.used, 999);
  assert.equal(take(1000, "k", 1), true);
  assert.equal(take(1000, "k", 0), true);
});

test("quota table: what is given back can be taken again, never more than was taken", () => {
  const { take, table, verdict } = tableOn();
  const rule = { id: "q", limit: 5 };
  assert.equal(take(5, "k", 5), true);
  table.refund(rule, "k", day, 2, START);
  assert.equal(take(5, "k", 3), false);
  assert.equal(take(5, "k", 2), true);
  table.refund(rule, "k", day, 99, START);
  assert.equal(take(5, "k", 5), true);
  assert.equal(verdict.used, 5);
  table.refund(rule, "unheard of", day, 1, START);
  assert.equal(take(5, "unheard of", 6), false);
  table.refund(rule, "k", day, 5, day.endMs);
  assert.equal(take(5), false, "the period is over");
});

test("quota table: the ledger is asked for a hundredth at a time, and not for what is refused", () => {
  const ledger = new WatchedLedger();
  const { take } = tableOn(ledger);
  for (let count = 0; count < 1000; count++) take(1000);
  assert.ok(ledger.leases <= 100, `${ledger.leases} leases`);
  const before = ledger.leases;
  for (let count = 0; count < 1000; count++) assert.equal(take(1000), false);
  assert.equal(ledger.leases, before);
  take(1000, "k", 1, day, START + 1000);
  assert.equal(ledger.leases, before + 1, "another process may have given something back");
});

test("quota table: what the ledger knows counts from the first request, also what is used by others", () => {
  const ledger = new MemoryLedger();
  const first = tableOn(ledger);
  for (let count = 0; count < 600; count++) first.take(1000);
  first.table.settleAll(START);
  const second = tableOn(ledger);
  assert.equal(second.take(1000), true);
  assert.equal(second.verdict.used, 601);
  let passed = 0;
  for (let count = 0; count < 1000; count++) {
    passed += Number(first.take(1000)) + Number(second.take(1000));
  }
  assert.equal(passed, 399);
});

test("quota table: after a crash at most a hundredth is lost, and nothing is allowed twice", () => {
  const ledger = new MemoryLedger();
  const first = tableOn(ledger);
  for (let count = 0; count < 505; count++) first.take(1000);
  const second = tableOn(ledger);
  let passed = 0;
  for (let count = 0; count < 1000; count++) passed += Number(second.take(1000));
  assert.ok(passed <= 495 && passed >= 485, `${passed} passed`);
});

test("quota table: keys beyond its room are looked up again, and lose nothing", () => {
  const ledger = new MemoryLedger();
  const { take, verdict } = tableOn(ledger, 8);
  for (let round = 1; round <= 100; round++) {
    for (let key = 0; key < 20; key++) {
      assert.equal(take(100, `${key}`, 1, day, START + round), true);
      assert.equal(verdict.used, round);
    }
  }
  for (let key = 0; key < 20; key++) assert.equal(take(100, `${key}`), false);
});

test("quota table: while the ledger fails memory counts, and tells it all afterwards", () => {
  const ledger = new WatchedLedger();
  const { take, failures, verdict, table } = tableOn(ledger);
  for (let count = 0; count < 10; count++) take(50);
  ledger.fails = true;
  for (let count = 0; count < 40; count++) assert.equal(take(50, "k", 1, day, START + 5000), true);
  assert.equal(take(50, "k", 1, day, START + 5000), false);
  assert.equal(verdict.used, 50);
  assert.ok(failures.length > 0);
  ledger.fails = false;
  table.settleAll(START + 5000);
  const next = tableOn(ledger);
  assert.equal(next.take(50), false);
  assert.equal(next.verdict.used, 50);
});

test("quota table: several views of one memory share one count", () => {
  const { open, memory } = tableOn();
  const ledger = new MemoryLedger();
  const views = [1, 2, 3].map(
    (worker) => new SharedQuotaTable(memory.handle, worker + 1, ledger, rethrow),
  );
  const verdict: QuotaVerdict = { allowed: false, used: 0 };
  let passed = 0;
  for (let count = 0; count < 900; count++) {
    views[count % 3]!.take({ id: "q", limit: 500 }, "k", day, 1, START, verdict);
    passed += Number(verdict.allowed);
  }
  assert.equal(passed, 500);
  open(4).take({ id: "q", limit: 500 }, "k", day, 1, START, verdict);
  assert.equal(verdict.allowed, false);
});

function rethrow(error: unknown): never {
  throw error;
}
