import assert from "node:assert/strict";
import { test } from "node:test";
import { ejectionReason, upstreamResult } from "../../base/metrics/families.ts";
import { RECORD_INTS } from "../../base/shared-records.ts";
import { EJECTED_UNTIL, RETURNED_AT, SERVICE_EJECTED } from "../target-record.ts";
import { Ejections } from "./ejections.ts";
import { EJECTIONS } from "./outlier-record.ts";
import type { OutlierRules } from "./outlier-rules.ts";
import { OutlierWatch } from "./outlier-watch.ts";

const rules: OutlierRules = {
  consecutive5xx: 5,
  consecutiveGateway: 4,
  consecutiveLocal: 3,
  intervalMs: 10_000,
  baseMs: 30_000,
  endsWhenHealthy: true,
  maxMs: 70_000,
  maxEjected: 0.1,
  successRate: null,
  failures: null,
  slow: null,
};
const { ok, serverError, connect, timeout, broken, cancelled } = upstreamResult;

/** One service with its targets, as one thread sees it. */
function service(count: number, changes: Partial<OutlierRules> = {}) {
  const clock = { tick: 1000 };
  const events: string[] = [];
  const record = new Int32Array(new SharedArrayBuffer(RECORD_INTS * 4));
  const ejections = new Ejections({ ...rules, ...changes }, record, clock, {
    ejected: ({ key }, reason, forMs) => events.push(`${key} ejected ${reason} ${forMs}`),
    returned: ({ key }, _reason, afterMs) => events.push(`${key} returned ${afterMs}`),
  });
  const subjects = Array.from({ length: count }, (_, index) => ({
    url: `http://${index}`,
    key: `${index}`,
    record: new Int32Array(new SharedArrayBuffer(RECORD_INTS * 4)),
  }));
  const watches = subjects.map((subject) => {
    return new OutlierWatch(subject, { ...rules, ...changes }, ejections, count);
  });
  return { clock, events, record, ejections, subjects, watches };
}

function times(count: number, act: () => void): void {
  for (let i = 0; i < count; i++) act();
}

test("outlier watch: failures in a row eject at once, by the reason that says most", () => {
  const cases = [
    { result: serverError, status: 500, row: 5, reason: ejectionReason.consecutive5xx },
    { result: serverError, status: 503, row: 4, reason: ejectionReason.consecutiveGateway },
    { result: connect, status: 0, row: 3, reason: ejectionReason.consecutiveLocal },
    { result: timeout, status: 0, row: 3, reason: ejectionReason.consecutiveLocal },
    // Its head had come.
    { result: broken, status: 200, row: 3, reason: ejectionReason.consecutiveLocal },
  ];
  for (const { result, status, row, reason } of cases) {
    const { watches, events } = service(4);
    times(row - 1, () => watches[0]!.ended(result, status, 1));
    assert.deepEqual(events, []);
    watches[0]!.ended(result, status, 1);
    assert.deepEqual(events, [`0 ejected ${reason} 30000`]);
  }
});

test("outlier watch: a success begins the row anew, what the client does not", () => {
  const { watches, events } = service(4);
  times(4, () => watches[0]!.ended(serverError, 500, 1));
  watches[0]!.ended(ok, 200, 1);
  times(4, () => watches[0]!.ended(serverError, 500, 1));
  watches[0]!.ended(cancelled, 0, 1);
  assert.deepEqual(events, []);
  watches[0]!.ended(serverError, 500, 1);
  assert.equal(events.length, 1);
});

test("outlier watch: answers of 500 end a row of those without an answer, and not the other way round", () => {
  const { watches, events } = service(4);
  times(2, () => watches[0]!.ended(timeout, 0, 1));
  watches[0]!.ended(serverError, 500, 1);
  watches[0]!.ended(timeout, 0, 1);
  assert.deepEqual(events, []);
  watches[0]!.ended(timeout, 0, 1);
  assert.deepEqual(events, [`0 ejected ${ejectionReason.consecutive5xx} 30000`]);
});

test("outlier watch: tries that hedges overtake are a row as long as nothing is answered between", () => {
  const { watches, events } = service(4);
  const overtake = (): void => {
    watches[0]!.overtaken();
    watches[0]!.ended(cancelled, 0, 1);
  };
  for (let round = 0; round < 9; round++) {
    times(2, overtake);
    watches[0]!.ended(ok, 200, 1);
  }
  assert.deepEqual(events, []);
  times(3, overtake);
  assert.deepEqual(events, [`0 ejected ${ejectionReason.consecutiveLocal} 30000`]);
  times(9, overtake);
  assert.equal(events.length, 1);
});

test("outlier watch: with 0 a rule says nothing", () => {
  const never = { consecutive5xx: 0, consecutiveGateway: 0, consecutiveLocal: 0 };
  const { watches, events } = service(4, never);
  times(100, () => watches[0]!.ended(connect, 0, 1));
  assert.deepEqual(events, []);
});

test("ejections: what ends while a target is ejected is not held against it", () => {
  const { watches, events, clock, subjects } = service(4);
  times(20, () => watches[0]!.ended(connect, 0, 1));
  assert.equal(events.length, 1);
  clock.tick += 300;
  times(2, () => watches[0]!.ended(connect, 0, 1));
  assert.deepEqual(events.slice(1), ["0 returned 30000"]);
  assert.equal(subjects[0]!.record[RETURNED_AT], clock.tick);
  watches[0]!.ended(connect, 0, 1);
  assert.equal(events.length, 3);
});

test("ejections: each is longer than the one before, up to the longest", () => {
  const { ejections, subjects, events, clock } = service(4);
  for (let i = 0; i < 4; i++) {
    assert.ok(ejections.eject(subjects[0]!, 0, 4));
    clock.tick = subjects[0]!.record[EJECTED_UNTIL]!;
    assert.equal(ejections.settle(subjects[0]!), false);
  }
  const lengths = events
    .filter((event) => event.includes("ejected"))
    .map((event) => event.split(" ")[3]);
  assert.deepEqual(lengths, ["30000", "60000", "70000", "70000"]);
  assert.equal(subjects[0]!.record[EJECTIONS], 2);
});

test("ejections: no more than their share at once, but one always", () => {
  for (const [count, maxEjected, most] of [
    [4, 0.1, 1],
    [4, 0, 1],
    [20, 0.1, 2],
    [19, 0.1, 1],
    [4, 1, 4],
  ] as const) {
    const { ejections, subjects, clock, record } = service(count, { maxEjected });
    const ejected = subjects.filter((subject) => ejections.eject(subject, 0, count));
    assert.equal(ejected.length, most, `${count} ${maxEjected}`);
    clock.tick += 300;
    for (const subject of subjects) ejections.settle(subject);
    assert.equal(record[SERVICE_EJECTED], 0);
    assert.ok(ejections.eject(subjects.at(-1)!, 0, count));
  }
});

test("ejections: a place that nobody holds any more is given back after two looks", () => {
  const { ejections, record } = service(4);
  record[SERVICE_EJECTED] = 1;
  ejections.recount(0);
  assert.equal(record[SERVICE_EJECTED], 1);
  ejections.recount(0);
  assert.equal(record[SERVICE_EJECTED], 0);
  ejections.recount(0);
  assert.equal(record[SERVICE_EJECTED], 0);
});
