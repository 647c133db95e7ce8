import assert from "node:assert/strict";
import { newAttempt } from "../../../test/support/new-attempt.ts";
import { test } from "node:test";
import { upstreamResult } from "../../base/metrics/families.ts";
import { Random } from "../../base/random.ts";
import type { Attempt } from "../guard.ts";
import { BREAKER_CELLS, CLOSED, HALF_OPEN, OPEN } from "./breaker-cells.ts";
import { type BreakerSettings, FailureKinds } from "./breaker-settings.ts";
import { modeOf, orderBreaker, readBreaker } from "./breaker-view.ts";
import { type BreakerChange, CircuitBreaker } from "./circuit-breaker.ts";

const SETTINGS: BreakerSettings = {
  errorShare: 0.5,
  slowMs: 5000,
  slowShare: 0.8,
  windowTicks: 100,
  requestsMin: 10,
  openTicks: 100,
  openTicksMax: 1000,
  trials: 3,
  trialTicks: 50,
  failures: new FailureKinds([500, 503], [upstreamResult.connect, upstreamResult.timeout]),
};

/** A breaker by a clock that the test moves. */
class Scene {
  readonly cells = new Int32Array(new SharedArrayBuffer(BREAKER_CELLS * 4));
  readonly clock = { tick: 1000 };
  readonly changes: BreakerChange[] = [];
  refusedCount = 0;
  readonly settings: BreakerSettings;
  readonly breaker: CircuitBreaker;

  constructor(settings: Partial<BreakerSettings> = {}, seed = 1) {
    this.settings = { ...SETTINGS, ...settings };
    this.breaker = new CircuitBreaker({
      cells: this.cells,
      settings: this.settings,
      clock: this.clock,
      random: new Random(seed),
      listener: {
        changed: (change) => this.changes.push(change),
        refused: () => (this.refusedCount += 1),
      },
    });
  }

  /** undefined where it is refused */
  begin(): Attempt | undefined {
    const attempt = newAttempt();
    return this.breaker.admit(1, attempt) === null ? attempt : undefined;
  }

  end(attempt: Attempt | undefined, status = 200, latencyMs = 1): void {
    const result = status >= 500 ? upstreamResult.serverError : upstreamResult.ok;
    this.breaker.ended(result, status, latencyMs, attempt!);
  }

  cancel(attempt: Attempt | undefined): void {
    this.breaker.ended(upstreamResult.cancelled, 0, 0, attempt!);
  }

  run(count: number, status: number, latencyMs = 1): void {
    for (let index = 0; index < count; index++) this.end(this.begin(), status, latencyMs);
  }

  get mode(): number {
    return modeOf(this.cells);
  }

  /** Fails until it is open, then waits until trials may pass. */
  openAndWait(): void {
    this.run(this.settings.requestsMin, 500);
    assert.equal(this.mode, OPEN);
    this.clock.tick += this.changes.at(-1)!.openMs / 100;
  }
}

test("breaker: opens at the share of failures, once there are enough tries, and tells why", () => {
  const scene = new Scene();
  scene.run(5, 200);
  scene.run(4, 500);
  assert.equal(scene.mode, CLOSED);
  scene.run(1, 500);
  assert.equal(scene.mode, OPEN);
  const [{ openMs, ...rest }] = scene.changes as [BreakerChange];
  assert.deepEqual(rest, { mode: OPEN, reason: "errors", total: 10, failed: 5, slow: 0 });
  assert.ok(openMs >= 9000 && openMs <= 11_000, `${openMs} ms`);
});

test("breaker: below the share it stays closed, however many fail", () => {
  const scene = new Scene();
  for (let count = 0; count < 100; count++) {
    scene.run(2, 200);
    scene.run(1, 500);
  }
  assert.equal(scene.mode, CLOSED);
});

test("breaker: opens at the share of slow answers, which are no failures", () => {
  const scene = new Scene();
  scene.run(2, 200);
  scene.run(7, 200, 5001);
  assert.equal(scene.mode, CLOSED);
  scene.run(1, 200, 5001);
  assert.equal(scene.changes[0]?.reason, "slow");
});

test("breaker: what is older than the window is forgotten", () => {
  const scene = new Scene();
  scene.run(9, 500);
  scene.clock.tick += 100;
  scene.run(9, 500);
  assert.equal(scene.mode, CLOSED);
  scene.clock.tick += 50;
  scene.run(1, 500);
  assert.equal(scene.mode, OPEN);
});

test("breaker: only what is configured is a failure, and never that a client left", () => {
  const scene = new Scene();
  scene.run(20, 429);
  scene.run(20, 501);
  for (let count = 0; count < 40; count++) {
    const attempt = scene.begin();
    scene.breaker.ended(upstreamResult.cancelled, 0, 60_000, attempt!);
    scene.breaker.ended(upstreamResult.broken, 0, 1, scene.begin()!);
  }
  assert.equal(scene.mode, CLOSED);
  const report = readBreaker(scene.cells, 100, scene.clock);
  assert.deepEqual([report.tries, report.failed], [80, 0]);
  for (let count = 0; count < 80; count++) {
    const attempt = scene.begin();
    if (attempt !== undefined) scene.breaker.ended(upstreamResult.timeout, 0, 1, attempt);
  }
  assert.equal(scene.mode, OPEN);
});

test("breaker: open, it refuses with the time until it may be tried again", () => {
  const scene = new Scene();
  scene.run(10, 500);
  const fault = scene.breaker.admit(1, newAttempt());
  const seconds = scene.changes[0]!.openMs / 1000;
  assert.equal(fault?.name, "breaker-open");
  assert.equal(fault?.headers?.["retry-after"], String(Math.ceil(seconds)));
  assert.equal(scene.refusedCount, 1);
});

test("breaker: after its time it lets so many trials pass, and closes when all are good", () => {
  const scene = new Scene();
  scene.openAndWait();
  const trials = [scene.begin(), scene.begin(), scene.begin()];
  assert.equal(scene.mode, HALF_OPEN);
  assert.equal(scene.begin(), undefined);
  for (const trial of trials) scene.end(trial);
  assert.equal(scene.mode, CLOSED);
  assert.deepEqual(
    scene.changes.map(({ mode }) => mode),
    [OPEN, HALF_OPEN, CLOSED],
  );
  // What had failed before is not counted again.
  scene.run(9, 500);
  assert.equal(scene.mode, CLOSED);
});

test("breaker: opens again as soon as the share of trials is bad, one of three is not enough", () => {
  const scene = new Scene();
  scene.openAndWait();
  const trials = [scene.begin(), scene.begin(), scene.begin()];
  scene.end(trials[0], 500);
  assert.equal(scene.mode, HALF_OPEN);
  scene.end(trials[1], 500);
  assert.equal(scene.mode, OPEN);
  // The third is of a time that is over.
  scene.end(trials[2]);
  assert.equal(scene.mode, OPEN);
  assert.equal(scene.changes.at(-1)?.failed, 2);
});

test("breaker: an answer's head decides a trial, not the end of its body", () => {
  const scene = new Scene({ trials: 1 });
  scene.openAndWait();
  const trial = scene.begin()!;
  scene.breaker.answered(200, 1, trial);
  assert.equal(scene.mode, CLOSED);
  scene.breaker.ended(upstreamResult.broken, 200, 1, trial);
  assert.equal(readBreaker(scene.cells, 100, scene.clock).tries, 0);
});

test("breaker: a trial whose client leaves makes room for another", () => {
  const scene = new Scene({ trials: 1 });
  scene.openAndWait();
  for (let count = 0; count < 5; count++) {
    const trial = scene.begin();
    assert.equal(scene.begin(), undefined);
    scene.cancel(trial);
  }
  scene.end(scene.begin());
  assert.equal(scene.mode, CLOSED);
});

test("breaker: trials that never end make room for others after their time, and are not heard", () => {
  const scene = new Scene();
  scene.openAndWait();
  const stuck = [scene.begin(), scene.begin(), scene.begin()];
  scene.clock.tick += SETTINGS.trialTicks - 1;
  assert.equal(scene.begin(), undefined);
  scene.clock.tick += 1;
  const trials = [scene.begin(), scene.begin(), scene.begin()];
  assert.equal(scene.begin(), undefined, "no more than so many at a time");
  for (const trial of stuck) scene.end(trial, 500);
  assert.equal(scene.mode, HALF_OPEN, "late ones are not heard");
  for (const trial of trials) scene.end(trial);
  assert.deepEqual(
    scene.changes.map(({ mode }) => mode),
    [OPEN, HALF_OPEN, CLOSED],
  );
});

test("breaker: what trials have shown stands where another takes the place of the last", () => {
  for (const status of [200, 500]) {
    const scene = new Scene({ errorShare: 1, slowShare: Infinity });
    scene.openAndWait();
    const trials = [scene.begin(), scene.begin(), scene.begin()];
    scene.end(trials[0], status);
    scene.end(trials[1], status);
    scene.clock.tick += SETTINGS.trialTicks;
    scene.end(scene.begin(), status);
    assert.equal(scene.mode, status === 200 ? CLOSED : OPEN);
  }
});

test("breaker: a trial that takes longer than its time counts while nobody has taken its place", () => {
  const scene = new Scene({ trials: 1 });
  scene.openAndWait();
  const trial = scene.begin();
  scene.clock.tick += SETTINGS.trialTicks * 2;
  scene.end(trial);
  assert.equal(scene.mode, CLOSED);
});

test("breaker: what began before it opened is not heard afterwards", () => {
  const scene = new Scene({ trials: 1 });
  const early = Array.from({ length: 20 }, () => scene.begin());
  scene.openAndWait();
  for (const attempt of early.slice(10)) scene.end(attempt, 500);
  const trial = scene.begin();
  for (const attempt of early.slice(0, 10)) scene.end(attempt);
  assert.equal(scene.mode, HALF_OPEN);
  scene.end(trial);
  assert.equal(scene.mode, CLOSED);
});

test("breaker: repeated openings take longer, up to the limit, until it has been well for as long", () => {
  const scene = new Scene({ trials: 1 });
  scene.openAndWait();
  const times = [scene.changes[0]!.openMs];
  for (let count = 0; count < 6; count++) {
    scene.end(scene.begin(), 500);
    times.push(scene.changes.at(-1)!.openMs);
    scene.clock.tick += times.at(-1)! / 100;
  }
  for (const [index, openMs] of times.entries()) {
    const wanted = Math.min(100_000, 10_000 * 2 ** index);
    assert.ok(openMs >= wanted * 0.9 && openMs <= Math.min(100_000, wanted * 1.1), times.join());
  }
  scene.end(scene.begin());
  scene.run(10, 500);
  assert.equal(scene.changes.at(-1)!.openMs, 100_000, "closed for no time");
  scene.clock.tick += 1000;
  scene.end(scene.begin());
  assert.equal(scene.mode, CLOSED);
  scene.clock.tick += 1000;
  scene.run(10, 500);
  assert.ok(scene.changes.at(-1)!.openMs <= 11_000);
});

test("breaker: the time it is open is jittered, the same for the same seed", () => {
  const times = [1, 2, 3, 1].map((seed) => {
    const scene = new Scene({ openTicks: 1000, openTicksMax: 9000 }, seed);
    scene.run(10, 500);
    return scene.changes[0]!.openMs;
  });
  assert.equal(new Set(times).size, 3);
  assert.equal(times[0], times[3]);
});

test("breaker: whether it would refuse is told without taking a trial", () => {
  const scene = new Scene({ trials: 1 });
  assert.equal(scene.breaker.refuses(), false);
  scene.run(10, 500);
  assert.equal(scene.breaker.refuses(), true);
  scene.clock.tick += scene.changes[0]!.openMs / 100;
  assert.equal(scene.breaker.refuses(), false);
  assert.equal(scene.mode, OPEN);
  scene.begin();
  assert.equal(scene.breaker.refuses(), true);
});

test("breaker: an operator opens it, closes it, and gives it back as new", () => {
  const scene = new Scene();
  const before = scene.begin();
  orderBreaker(scene.cells, "open", scene.clock);
  scene.clock.tick += 100_000;
  assert.equal(scene.begin(), undefined);
  assert.equal(scene.breaker.refuses(), true);
  scene.end(before, 500);
  orderBreaker(scene.cells, "closed", scene.clock);
  scene.run(100, 500);
  assert.deepEqual(readBreaker(scene.cells, 100, scene.clock), {
    state: "closed",
    forced: true,
    openings: 0,
    changedAt: scene.clock.tick,
    openUntil: 0,
    tries: 0,
    failed: 0,
    slow: 0,
  });
  orderBreaker(scene.cells, "auto", scene.clock);
  scene.run(9, 500);
  assert.equal(scene.mode, CLOSED);
  scene.run(1, 500);
  assert.equal(scene.mode, OPEN);
  assert.deepEqual(readBreaker(scene.cells, 100, scene.clock).openings, 1);
});

/** What must hold at every step, whatever happens. */
function runSchedule(seed: number): void {
  const random = new Random(seed);
  const trials = 1 + random.below(5);
  const scene = new Scene({ trials, requestsMin: 1 + random.below(20) }, seed);
  const live: { attempt: Attempt; trial: boolean; atTick: number }[] = [];
  let openUntil = 0;
  let told = 0;
  let health = random.fraction();
  const where = (): string => `seed ${seed}, tick ${scene.clock.tick}, mode ${scene.mode}`;
  for (let step = 0; step < 400; step++) {
    if (random.below(40) === 0) health = random.fraction();
    const turn = random.below(10);
    if (turn < 2) scene.clock.tick += random.below(30);
    else if (turn < 6 || live.length === 0) {
      const before = scene.mode;
      const attempt = scene.begin();
      const { tick } = scene.clock;
      if (before === OPEN) assert.equal(attempt !== undefined, tick >= openUntil, where());
      if (before === CLOSED) assert.notEqual(attempt, undefined, where());
      if (attempt !== undefined)
        live.push({ attempt, trial: scene.mode === HALF_OPEN, atTick: tick });
    } else {
      const [{ attempt }] = live.splice(random.below(live.length), 1) as [(typeof live)[0]];
      if (random.below(8) === 0) scene.cancel(attempt);
      else scene.end(attempt, random.fraction() < health ? 200 : 500, random.below(6000));
    }
    for (; told < scene.changes.length; told++) {
      const change = scene.changes[told]!;
      const previous = told === 0 ? CLOSED : scene.changes[told - 1]!.mode;
      if (previous === CLOSED) assert.equal(change.mode, OPEN, where());
      if (previous === OPEN) assert.equal(change.mode, HALF_OPEN, where());
      if (previous === HALF_OPEN) assert.notEqual(change.mode, HALF_OPEN, where());
      if (change.mode === OPEN) openUntil = scene.clock.tick + change.openMs / 100;
      if (change.mode !== HALF_OPEN) for (const one of live) one.trial = false;
    }
    const since = scene.clock.tick - SETTINGS.trialTicks;
    const out = live.filter(({ trial, atTick }) => trial && atTick > since).length;
    assert.ok(out <= trials, `${out} trials of ${trials}, ${where()}`);
    assert.equal(scene.mode, scene.changes.at(-1)?.mode ?? CLOSED, where());
  }
  // Once all is well again it closes, whatever was left hanging.
  for (let count = 0; scene.mode !== CLOSED; count++) {
    assert.ok(count < 200, `never closes: ${where()}`);
    scene.clock.tick += 100;
    const attempt = scene.begin();
    if (attempt !== undefined) scene.end(attempt);
  }
}

test("breaker: holds its promises over random schedules", () => {
  for (let seed = 1; seed <= 300; seed++) runSchedule(seed);
});
