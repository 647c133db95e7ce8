import assert from "node:assert/strict";
import { test } from "node:test";
import { MovedClock } from "../../test/support/moved-clock.ts";
import { healthChecksTotal, targetHealthy } from "../base/metrics/families.ts";
import type { MetricFamily } from "../base/metrics/metric-family.ts";
import { logTo, silentLog } from "../base/log/log.ts";
import { Random } from "../base/random.ts";
import { ProcessClock } from "../base/shared-clock.ts";
import { SharedRecords } from "../base/shared-records.ts";
import { validate } from "../config/validate.ts";
import type { Config } from "../config/config.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import { failed, PASSED, type ProbeOutcome } from "../upstream/health/probe.ts";
import {
  HEALTH,
  HEALTH_DOWN,
  HEALTH_UNKNOWN,
  HEALTH_UP,
  RETURNED_AT,
} from "../upstream/target-record.ts";
import { inFlightIdentity } from "./data-plane-needs.ts";
import { HealthMonitor } from "./health-monitor.ts";
import type { RevisionLease } from "./revision-lease.ts";
import { serviceStatuses } from "./service-status.ts";
import { SharedState } from "./shared-state.ts";

const bad = failed("unexpected", "status 503");
const base = "http://10.0.0.1:3000";

function configOf(service: unknown): Config {
  const routes = [{ match: "/*", service: "users" }];
  const { config, findings } = validate({ listen: 8080, services: { users: service }, routes }, {});
  assert.ok(config, JSON.stringify(findings));
  return config;
}

interface Entry {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** A gateway's main thread as far as checks go; `answers` says what each address answers, good by default. */
class Scene {
  readonly clock = new MovedClock();
  readonly shared = new SharedState(1, silentLog);
  readonly answers = new Map<string, ProbeOutcome>();
  readonly checked: string[] = [];
  readonly entries: Entry[] = [];
  readonly monitor: HealthMonitor;
  lease: RevisionLease | undefined;

  constructor() {
    const { shared, clock, answers, checked, entries } = this;
    this.monitor = new HealthMonitor({
      records: shared.memory.records,
      registry: shared.registry,
      log: logTo((level, message, fields) => entries.push({ level, message, fields })),
      clock,
      random: new Random(3),
      probeOf: (_, { address }) => {
        return (done) => {
          checked.push(address);
          return clock.after(1, () => done(answers.get(address) ?? PASSED));
        };
      },
    });
  }

  /** As the gateway does with a new configuration. */
  apply(service: unknown, endpoints: Record<string, string[]> = {}): void {
    const before = this.lease;
    this.lease = this.shared.lease(configOf(service), endpoints);
    this.monitor.follow(this.lease, {});
    before?.release();
  }

  /** As the gateway does when names have other addresses. */
  move(endpoints: Record<string, string[]>): void {
    const settle = this.lease!.move(endpoints);
    this.monitor.follow(this.lease!);
    settle();
  }

  record(address = "10.0.0.1", url = base): Int32Array {
    const target = { service: "users", url, address } as TargetSettings;
    const slot = this.lease!.counters[inFlightIdentity(target)]!;
    return new SharedRecords(this.shared.memory.records).of(slot);
  }

  values(family: MetricFamily): (readonly number[])[] {
    for (const each of this.shared.registry.collect()) {
      if (each.family === family) return each.samples.map(({ values }) => values);
    }
    return [];
  }
}

const checked = { targets: [base], health: { path: "/healthz", interval: "1s", jitter: "0%" } };

test("health monitor: workers, log, metrics and admin are told when a target goes down and comes back", () => {
  const scene = new Scene();
  scene.apply(checked);
  const record = scene.record();
  assert.equal(record[HEALTH], HEALTH_UNKNOWN);
  scene.clock.move(2000);
  assert.equal(record[HEALTH], HEALTH_UP);
  assert.equal(record[RETURNED_AT], 0, "it has not been away");
  assert.deepEqual(scene.values(targetHealthy), [[1]]);
  scene.answers.set("10.0.0.1", bad);
  scene.clock.move(3000);
  assert.equal(record[HEALTH], HEALTH_DOWN);
  assert.deepEqual(scene.values(targetHealthy), [[0]]);
  const { lease, shared, monitor: health } = scene;
  const { records } = shared.memory;
  const [service] = serviceStatuses({
    lease: lease!,
    shared,
    health,
    records: new SharedRecords(records),
    clock: new ProcessClock(records.epochMs),
  });
  const [target] = service!.targets;
  assert.deepEqual([target!.health, target!.lastError!.reason], ["down", "status 503"]);
  assert.match(target!.since!, /^\d{4}-/);
  scene.answers.clear();
  scene.clock.move(3000);
  assert.equal(record[HEALTH], HEALTH_UP);
  assert.ok(record[RETURNED_AT] > 0);
  const told = scene.entries.filter(({ level }) => level !== "debug");
  assert.deepEqual(
    told.map(({ level, message, fields }) => [level, message, fields]),
    [
      [
        "warn",
        "target is down",
        {
          service: "users",
          target: base,
          address: "10.0.0.1",
          from: "up",
          to: "down",
          reason: "status 503",
        },
      ],
      [
        "info",
        "target is up",
        {
          service: "users",
          target: base,
          address: "10.0.0.1",
          from: "down",
          to: "up",
          reason: "checks passed",
        },
      ],
    ],
  );
  const [[passed, , , , unexpected]] = scene.values(healthChecksTotal) as [number[]];
  assert.ok(passed! >= 4 && unexpected! >= 3);
});

test("health monitor: a target goes within interval times unhealthy, wherever in the interval it breaks", () => {
  for (let afterMs = 5000; afterMs < 6000; afterMs += 90) {
    const scene = new Scene();
    scene.apply(checked);
    scene.clock.move(afterMs);
    scene.answers.set("10.0.0.1", bad);
    scene.clock.move(3001);
    assert.equal(scene.record()[HEALTH], HEALTH_DOWN, `broken at ${afterMs}`);
  }
});

test("health monitor: who has to prove itself gets nothing until its first check has passed", () => {
  const scene = new Scene();
  scene.apply({ ...checked, health: { ...checked.health, initial: "down" } });
  assert.equal(scene.record()[HEALTH], HEALTH_DOWN);
  assert.deepEqual(scene.values(targetHealthy), [[0]]);
  scene.clock.move(1);
  assert.equal(scene.record()[HEALTH], HEALTH_UP);
  assert.deepEqual(scene.values(targetHealthy), [[1]]);
});

test("health monitor: a reload that changes no check goes on within the row of failures", () => {
  const scene = new Scene();
  scene.apply(checked);
  scene.clock.move(5000);
  scene.answers.set("10.0.0.1", bad);
  scene.clock.move(2000);
  assert.equal(scene.record()[HEALTH], HEALTH_UP, "two failures of three");
  const before = scene.checked.length;
  scene.apply({ ...checked, targets: [{ url: base, weight: 3 }] });
  assert.equal(scene.checked.length, before, "no check because of the reload");
  scene.clock.move(1000);
  assert.equal(scene.record()[HEALTH], HEALTH_DOWN);
  scene.apply(checked);
  assert.equal(scene.record()[HEALTH], HEALTH_DOWN);
  assert.deepEqual(scene.values(targetHealthy), [[0]]);
});

test("health monitor: other settings begin new rows, but what is known of the target stays", () => {
  const scene = new Scene();
  scene.answers.set("10.0.0.1", bad);
  scene.apply(checked);
  scene.clock.move(5000);
  assert.equal(scene.record()[HEALTH], HEALTH_DOWN);
  scene.answers.clear();
  scene.apply({ ...checked, health: { ...checked.health, path: "/ready" } });
  assert.equal(scene.record()[HEALTH], HEALTH_DOWN);
  scene.clock.move(1);
  assert.equal(scene.record()[HEALTH], HEALTH_DOWN, "one pass is not enough to come back");
  scene.clock.move(1000);
  assert.equal(scene.record()[HEALTH], HEALTH_UP);
});

test("health monitor: without checks no target stays down", () => {
  const scene = new Scene();
  scene.answers.set("10.0.0.1", bad);
  scene.apply(checked);
  scene.clock.move(5000);
  scene.apply({ targets: [base] });
  assert.equal(scene.record()[HEALTH], HEALTH_UNKNOWN);
  assert.equal(scene.clock.pending, 0);
  assert.deepEqual(scene.values(targetHealthy), []);
});

test("health monitor: new addresses of a name are checked, gone ones are not, those that stay keep their state", () => {
  const url = "http://users.test:3000";
  const scene = new Scene();
  scene.answers.set("10.0.0.1", bad);
  scene.apply({ ...checked, targets: [url] }, { "users.test": ["10.0.0.1", "10.0.0.2"] });
  scene.clock.move(5000);
  assert.deepEqual(scene.values(targetHealthy), [[1]]);
  scene.move({ "users.test": ["10.0.0.1", "10.0.0.3"] });
  assert.equal(scene.record("10.0.0.1", url)[HEALTH], HEALTH_DOWN);
  scene.checked.length = 0;
  scene.clock.move(5000);
  assert.deepEqual(new Set(scene.checked), new Set(["10.0.0.1", "10.0.0.3"]));
  assert.equal(scene.record("10.0.0.3", url)[HEALTH], HEALTH_UP);
  // Its slot was given up in between, and may have been another's.
  scene.move({ "users.test": ["10.0.0.3"] });
  scene.move({ "users.test": ["10.0.0.1", "10.0.0.3"] });
  assert.equal(scene.record("10.0.0.1", url)[HEALTH], HEALTH_UNKNOWN);
});

test("health monitor: thousands of targets are checked in turns, and closing ends all of it", () => {
  const scene = new Scene();
  const targets = Array.from({ length: 3000 }, (_, index) => {
    return `http://10.1.${index >> 8}.${index & 255}:3000`;
  });
  const begun = performance.now();
  scene.apply({ targets, health: "/healthz" });
  assert.ok(performance.now() - begun < 5000);
  assert.equal(scene.checked.length, 256, "those that may be under way at once");
  scene.clock.move(5000);
  assert.ok(new Set(scene.checked).size === 3000);
  scene.monitor.close();
  assert.equal(scene.clock.pending, 0);
  scene.monitor.follow(scene.lease!);
  assert.equal(scene.clock.pending, 0, "nothing begins again");
});
