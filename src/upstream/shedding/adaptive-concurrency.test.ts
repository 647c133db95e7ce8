import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineWheel } from "../../base/deadline-wheel.ts";
import { logTo } from "../../base/log/log.ts";
import { Random } from "../../base/random.ts";
import { SharedCounters } from "../../base/shared-counters.ts";
import { RECORD_INTS } from "../../base/shared-records.ts";
import { SlotTable } from "../../base/slot-table.ts";
import { upstreamResult } from "../../base/metrics/families.ts";
import { CrowdedService } from "../../../test/support/crowded-service.ts";
import { newAttempt } from "../../../test/support/new-attempt.ts";
import type { Guard } from "../guard.ts";
import { AdaptiveConcurrency } from "./adaptive-concurrency.ts";
import type { ConcurrencyConfig } from "./concurrency-config.ts";
import { ConcurrencyRecord, MIN_RTT_MS } from "./concurrency-record.ts";
import { SheddingNotice } from "./shedding-notice.ts";

const CONFIG: ConcurrencyConfig = {
  min: 3,
  max: 1000,
  start: 50,
  windowMs: 200,
  percentile: 0.5,
  buffer: 0.25,
  baseline: { everyMs: 60_000, jitter: 0.1, requests: 50 },
};
const WORKERS = 3;
const [LOW, NORMAL, HIGH, CRITICAL] = [0, 1, 2, 3] as const;

/** Guards of three workers before one service. */
function guardsOf(service: CrowdedService, config: Partial<ConcurrencyConfig> = {}) {
  const table = new SlotTable({ rows: WORKERS });
  const slot = table.lease(["concurrency"]).slots["concurrency"]!;
  const cells = new Int32Array(new SharedArrayBuffer(RECORD_INTS * 4));
  const log: string[] = [];
  const refused = [0, 0, 0, 0];
  const wheel = new DeadlineWheel(100, () => service.nowMs);
  const limits: number[] = [];
  service.onTick = () => {
    wheel.advance();
    limits.push(record.limit);
  };
  const records = Array.from({ length: WORKERS }, (_, worker) => {
    return new ConcurrencyRecord(cells, new SharedCounters(table.handle, worker), slot);
  });
  const record = records[0]!;
  const guards = records.map((own, worker): Guard => {
    const parts = {
      clock: service.clock,
      wheel,
      log: logTo((_, message) => log.push(message)),
    };
    return new AdaptiveConcurrency(
      { ...CONFIG, ...config },
      {
        record: own,
        clock: service.clock,
        random: new Random(worker + 1),
        refused: {
          addAt: (priority: number, amount: number) => (refused[priority]! += amount),
        },
        notice: new SheddingNotice("orders", own, parts),
      },
    );
  });
  const clearWorker = (worker: number): void => table.clearRow(worker);
  return { guards, record, limits, log, refused, clearWorker };
}

const shapes = [
  { capacity: 20, workMs: 50 },
  { capacity: 200, workMs: 500 },
  { capacity: 4, workMs: 100 },
  { capacity: 100, workMs: 5 },
  { capacity: 1, workMs: 30 },
];
for (const { capacity, workMs } of shapes) {
  test(`adaptive concurrency: ${capacity} at once of ${workMs} ms, thrice as many asked: near the capacity`, () => {
    const service = new CrowdedService(capacity, workMs, 7);
    const { guards, record, limits } = guardsOf(service);
    const perSecond = (capacity / workMs) * 1000;
    const rate = () => perSecond * 3;
    service.serve(guards, { rate, forMs: 30_000 });
    limits.length = 0;
    const { served, medianMs, inFlightBySecond } = service.serve(guards, { rate, forMs: 90_000 });
    const goodput = served[NORMAL]! / 90 / perSecond;
    assert.ok(goodput > 0.93, `goodput ${goodput}`);
    assert.ok(Math.max(...inFlightBySecond) <= Math.max(capacity * 2.2, capacity + 8));
    assert.ok(medianMs < workMs * 4, `median ${medianMs}`);
    const minRttMs = record.floats[MIN_RTT_MS]!;
    // Three may always pass, so that one at once cannot be seen alone.
    const slack = capacity < CONFIG.min ? 1 : 0.2;
    assert.ok(Math.abs(minRttMs / workMs - 1) < slack, `without load ${minRttMs}`);
    // A quarter is admitted while the latency without load is measured, and no other time.
    const low = limits.filter((limit) => limit < capacity).length / limits.length;
    assert.ok(low < 0.05 || capacity < 10, `below the capacity for ${low} of the time`);
  });
}

test("adaptive concurrency: below the capacity nothing is refused, and nothing measured at its cost", () => {
  const service = new CrowdedService(20, 50, 3);
  const { guards, refused, log } = guardsOf(service, { start: 100 });
  const { served, offered } = service.serve(guards, { rate: () => 80, forMs: 300_000 });
  assert.deepEqual(refused, [0, 0, 0, 0]);
  assert.ok(offered[NORMAL]! - served[NORMAL]! < 20);
  assert.deepEqual(log, []);
});

test("adaptive concurrency: a service that becomes slow is given less, and more once it is fast again", () => {
  const service = new CrowdedService(40, 20, 5);
  const { guards, record } = guardsOf(service);
  const rate = () => 3000;
  service.serve(guards, { rate, forMs: 30_000 });
  const fast = record.limit;
  service.capacity = 8;
  service.serve(guards, { rate, forMs: 20_000 });
  const slow = record.limit;
  assert.ok(slow < fast / 2, `${fast}, then ${slow}`);
  service.capacity = 40;
  const { served } = service.serve(guards, { rate, forMs: 10_000 });
  assert.ok(record.limit > fast * 0.8, `${fast}, ${slow}, then ${record.limit}`);
  assert.ok(served[NORMAL]! / 10 > 1700, `served ${served[NORMAL]! / 10} a second of 2000`);
});

test("adaptive concurrency: work that takes longer for everybody is learnt as what it takes without load", () => {
  const service = new CrowdedService(20, 20, 5);
  const { guards, record } = guardsOf(service);
  service.serve(guards, { rate: () => 2000, forMs: 30_000 });
  service.workMs = 80;
  service.serve(guards, { rate: () => 500, forMs: 150_000 });
  const { served } = service.serve(guards, { rate: () => 500, forMs: 30_000 });
  assert.ok(Math.abs(record.floats[MIN_RTT_MS]! / 80 - 1) < 0.2);
  assert.ok(served[NORMAL]! / 30 > 230, `served ${served[NORMAL]! / 30} a second of 250`);
});

test("adaptive concurrency: under overload low is refused first and critical last", () => {
  const service = new CrowdedService(20, 50, 11);
  const { guards, refused } = guardsOf(service);
  const crowd = { rate: () => 1200, mix: [0.25, 0.25, 0.25, 0.25] };
  service.serve(guards, { ...crowd, forMs: 20_000 });
  refused.fill(0);
  const { offered, served } = service.serve(guards, { ...crowd, forMs: 60_000 });
  const share = served.map((count, priority) => count / offered[priority]!);
  assert.ok(share[LOW]! < share[NORMAL]! && share[NORMAL]! < share[HIGH]!, String(share));
  assert.ok(share[HIGH]! < share[CRITICAL]!, String(share));
  assert.ok(share[LOW]! < 0.05, `low ${share[LOW]}`);
  for (const [priority, count] of refused.entries()) {
    assert.ok(Math.abs(count + served[priority]! - offered[priority]!) < 60);
  }
});

test("adaptive concurrency: critical requests are served whole while they fit, whatever else comes", () => {
  const service = new CrowdedService(20, 50, 11);
  const { guards } = guardsOf(service);
  const crowd = { rate: () => 1200, mix: [0.4, 0.4, 0, 0.2] };
  service.serve(guards, { ...crowd, forMs: 20_000 });
  const { offered, served } = service.serve(guards, { ...crowd, forMs: 55_000 });
  assert.ok(
    served[CRITICAL]! / offered[CRITICAL]! > 0.97,
    `${served[CRITICAL]! / offered[CRITICAL]!}`,
  );
});

test("adaptive concurrency: what a dead worker had in flight is not held against the others", () => {
  const service = new CrowdedService(20, 50, 1);
  const { guards, record, clearWorker } = guardsOf(service, { start: 8 });
  for (let i = 0; i < 20; i++) guards[0]!.admit(CRITICAL, newAttempt());
  assert.equal(record.inFlight, 8);
  assert.notEqual(guards[1]!.admit(CRITICAL, newAttempt()), null);
  clearWorker(0);
  assert.equal(guards[1]!.admit(CRITICAL, newAttempt()), null);
});

test("adaptive concurrency: requests that never end hold a measurement up for ten seconds, not for ever", () => {
  const service = new CrowdedService(20, 50, 9);
  const { guards, record, limits } = guardsOf(service);
  // More than a measurement admits.
  for (let i = 0; i < 20; i++)
    assert.equal(guards[i % WORKERS]!.admit(CRITICAL, newAttempt()), null);
  const rate = () => 800;
  service.serve(guards, { rate, forMs: 130_000 });
  assert.ok(record.limit > 20, `limit ${record.limit}`);
  const measuring = limits.filter((limit) => limit < 20).length;
  assert.ok(measuring > 0 && measuring < 320, `${measuring} ticks with a quarter admitted`);
});

test("adaptive concurrency: a service that answers nobody in time is given less", () => {
  const service = new CrowdedService(20, 20, 9);
  const { guards, record } = guardsOf(service);
  service.serve(guards, { rate: () => 2000, forMs: 20_000 });
  service.serve(guards, { rate: () => 0, forMs: 1000 });
  const before = record.limit;
  for (let round = 0; round < 20; round++) {
    const admitted = [];
    for (let i = 0; i < 100; i++) {
      const guard = guards[i % WORKERS]!;
      const attempt = newAttempt();
      if (guard.admit(NORMAL, attempt) === null) admitted.push({ guard, attempt });
    }
    service.clock.tick += 100;
    for (const { guard, attempt } of admitted) {
      guard.ended(upstreamResult.timeout, 0, 10_000, attempt);
    }
  }
  assert.ok(record.limit < before / 2, `${before}, then ${record.limit}`);
});

test("adaptive concurrency: fast failures and fast leavers change nothing", () => {
  const service = new CrowdedService(20, 20, 9);
  const { guards, record } = guardsOf(service);
  service.serve(guards, { rate: () => 2000, forMs: 20_000 });
  service.serve(guards, { rate: () => 0, forMs: 1000 });
  const before = record.limit;
  for (let i = 0; i < 1000; i++) {
    const guard = guards[i % WORKERS]!;
    const attempt = newAttempt();
    if (guard.admit(NORMAL, attempt) !== null) continue;
    if (i % 10 === 0) service.clock.tick++;
    const result = [upstreamResult.serverError, upstreamResult.cancelled, upstreamResult.connect];
    guard.ended(result[i % 3]!, 0, i % 3 === 2 ? 5000 : 1, attempt);
  }
  assert.ok(Math.abs(record.limit - before) < 3, `${before}, then ${record.limit}`);
});

test("adaptive concurrency: what has been answered does not count while its body goes on", () => {
  const service = new CrowdedService(20, 20, 9);
  const { guards, record } = guardsOf(service);
  const attempts = Array.from({ length: 200 }, newAttempt);
  for (const attempt of attempts) {
    assert.equal(guards[0]!.admit(NORMAL, attempt), null);
    guards[0]!.answered!(101, 5, attempt);
  }
  assert.equal(record.inFlight, 0);
  for (const attempt of attempts) guards[0]!.ended(upstreamResult.ok, 101, 5, attempt);
  assert.equal(record.inFlight, 0);
});

test("adaptive concurrency: an answer that was not passed on gives its place back at the end", () => {
  const { guards, record } = guardsOf(new CrowdedService(20, 20, 9));
  const attempt = newAttempt();
  assert.equal(guards[0]!.admit(NORMAL, attempt), null);
  guards[0]!.ended(upstreamResult.serverError, 503, 5, attempt);
  assert.equal(record.inFlight, 0);
});

test("adaptive concurrency: the log is told once when refusing begins and once when it is over", () => {
  const service = new CrowdedService(20, 50, 2);
  const { guards, log, record } = guardsOf(service);
  const rate = (atMs: number) => (atMs < 10_000 ? 1200 : 50);
  service.serve(guards, { rate, forMs: 30_000 });
  assert.deepEqual(log, ["load shedding begins", "load shedding ends"]);
  assert.ok(record.limit >= CONFIG.min);
});

test("adaptive concurrency: a refusal asks for a wait that differs", () => {
  const service = new CrowdedService(1, 1, 2);
  const { guards } = guardsOf(service, { start: 3 });
  const waits = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const fault = guards[0]!.admit(LOW, newAttempt());
    if (fault === null) continue;
    assert.equal(fault.name, "service-overloaded");
    waits.add(fault.headers!["retry-after"]!);
  }
  assert.deepEqual([...waits].sort(), ["1", "2", "3", "4", "5"]);
});
