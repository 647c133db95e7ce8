import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { Deadline, DeadlineWheel } from "./deadline-wheel.ts";

class Probe extends Deadline {
  readonly firedAtMs: number[] = [];
  private readonly clock: () => number;
  private readonly then: () => void;

  constructor(clock: () => number, then: () => void = () => {}) {
    super();
    this.clock = clock;
    this.then = then;
  }

  onDeadline(): void {
    this.firedAtMs.push(this.clock());
    this.then();
  }
}

function setUp() {
  let nowMs = 5000;
  const clock = () => nowMs;
  const wheel = new DeadlineWheel(100, clock);
  const goTo = (afterStartMs: number): void => {
    while (nowMs < 5000 + afterStartMs) {
      nowMs = Math.min(nowMs + 100, 5000 + afterStartMs);
      wheel.advance();
    }
  };
  return { wheel, clock, goTo, sinceStart: () => nowMs - 5000 };
}

test("DeadlineWheel: fires once, not early and at most two ticks late", () => {
  const { wheel, clock, goTo } = setUp();
  const probe = new Probe(clock);
  wheel.set(probe, 1000);
  goTo(5000);
  assert.equal(probe.firedAtMs.length, 1);
  const late = probe.firedAtMs[0]! - 6000;
  assert.ok(late >= 0 && late <= 200, `${late} ms late`);
});

test("DeadlineWheel: a deadline that is moved counts from its last setting, in both directions", () => {
  const { wheel, clock, goTo, sinceStart } = setUp();
  const later = new Probe(clock);
  const sooner = new Probe(clock);
  wheel.set(later, 1000);
  wheel.set(sooner, 60_000);
  goTo(900);
  wheel.set(later, 1000);
  wheel.set(sooner, 200);
  goTo(1200);
  assert.equal(sooner.firedAtMs.length, 1);
  assert.equal(later.firedAtMs.length, 0);
  goTo(2200);
  assert.equal(later.firedAtMs.length, 1);
  assert.equal(sinceStart(), 2200);
});

test("DeadlineWheel: one that was cleared or released does not fire, and can be set again", () => {
  const { wheel, clock, goTo } = setUp();
  const cleared = new Probe(clock);
  const released = new Probe(clock);
  wheel.set(cleared, 300);
  wheel.set(released, 300);
  wheel.clear(cleared);
  wheel.release(released);
  goTo(1000);
  assert.deepEqual([cleared.firedAtMs, released.firedAtMs], [[], []]);
  wheel.set(cleared, 300);
  goTo(2000);
  assert.equal(cleared.firedAtMs.length, 1);
});

test("DeadlineWheel: reaches beyond a turn of the wheel", () => {
  const { wheel, clock, goTo } = setUp();
  const probe = new Probe(clock);
  wheel.set(probe, 600_000);
  goTo(599_900);
  assert.equal(probe.firedAtMs.length, 0);
  goTo(600_300);
  assert.equal(probe.firedAtMs.length, 1);
});

test("DeadlineWheel: a deadline may set and release others while it fires", () => {
  const { wheel, clock, goTo } = setUp();
  const victim = new Probe(clock);
  const again = new Probe(clock, () => {
    wheel.release(victim);
    if (again.firedAtMs.length < 3) wheel.set(again, 100);
  });
  wheel.set(victim, 500);
  wheel.set(again, 500);
  goTo(3000);
  assert.equal(again.firedAtMs.length, 3);
  assert.ok(victim.firedAtMs.length <= 1);
});

test("DeadlineWheel: a long stall fires everything that was due", () => {
  let nowMs = 0;
  const clock = () => nowMs;
  const wheel = new DeadlineWheel(100, clock);
  const probes = Array.from({ length: 50 }, () => new Probe(clock));
  probes.forEach((probe, index) => wheel.set(probe, 100 + index * 5000));
  nowMs = 1_000_000;
  wheel.advance();
  assert.ok(probes.every(({ firedAtMs }) => firedAtMs.length === 1));
});

test("DeadlineWheel: keeps every promise under any sequence of settings", () => {
  const action = fc.record({
    node: fc.nat(4),
    kind: fc.constantFrom("set", "clear", "release", "wait"),
    ms: fc.integer({ min: 1, max: 70_000 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      let nowMs = 0;
      const clock = () => nowMs;
      const wheel = new DeadlineWheel(100, clock);
      const due: (number | null)[] = [null, null, null, null, null];
      const probes = due.map(
        (_, index) =>
          new Probe(clock, () => {
            const expected = due[index];
            assert.ok(expected !== null && expected !== undefined, "fired without being set");
            assert.ok(
              nowMs >= expected && nowMs <= expected + 300,
              `due ${expected}, fired ${nowMs}`,
            );
            due[index] = null;
          }),
      );
      for (const { node, kind, ms } of actions) {
        if (kind === "set") {
          wheel.set(probes[node]!, ms);
          due[node] = wheel.nowMs + ms;
        } else if (kind === "clear") {
          wheel.clear(probes[node]!);
          due[node] = null;
        } else if (kind === "release") {
          wheel.release(probes[node]!);
          due[node] = null;
        } else {
          for (const end = nowMs + ms; nowMs < end;) {
            nowMs += 100;
            wheel.advance();
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});
