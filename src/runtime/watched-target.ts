import type { Log } from "../base/log/log.ts";
import type { Counter, Gauge } from "../base/metrics/metric-view.ts";
import type { Random } from "../base/random.ts";
import type { SharedClock } from "../base/shared-clock.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import type { CheckTurns } from "../upstream/health/check-turns.ts";
import type { HealthClock } from "../upstream/health/health-clock.ts";
import type { HealthConfig } from "../upstream/health/health-config.ts";
import type { Probe, ProbeOutcome } from "../upstream/health/probe.ts";
import { TargetCheck } from "../upstream/health/target-check.ts";
import { TargetHealth } from "../upstream/health/target-health.ts";
import {
  EJECTED_UNTIL,
  HEALTH,
  HEALTH_DOWN,
  HEALTH_UNKNOWN,
  HEALTH_UP,
  RETURNED_AT,
} from "../upstream/target-record.ts";

/** What all checks of a process share. */
export interface CheckSurroundings {
  log: Log;
  turns: CheckTurns;
  clock: HealthClock;
  /** Of what is written into records. */
  sharedClock: SharedClock;
  random: Random;
  /** A check has passed while the target, which is up, was ejected for its answers. */
  onHealthy(target: TargetSettings): void;
}

/** Where a revision counts what is found of a target. */
export interface TargetMetrics {
  healthy: Gauge;
  checks: Counter;
}

/** Names of the HEALTH_ values. */
const STATES = ["unknown", "up", "down"] as const;

export interface HealthStatus {
  health: (typeof STATES)[number];
  /** When it became so, RFC 3339; null as long as it is as it began. */
  since: string | null;
  /** Of the check that failed last. */
  lastError: { at: string; reason: string } | null;
}

/** One address of a service that is being checked: tells workers, metrics and log what is found. */
export class WatchedTarget {
  /** Of the settings it is checked with. */
  readonly identity: string;
  readonly status: HealthStatus;
  private readonly target: TargetSettings;
  private readonly surroundings: CheckSurroundings;
  private readonly health: TargetHealth;
  private readonly check: TargetCheck;
  private record: Int32Array;
  private metrics: TargetMetrics;

  constructor(
    target: TargetSettings,
    how: { identity: string; config: HealthConfig; probe: Probe },
    where: { record: Int32Array; metrics: TargetMetrics },
    surroundings: CheckSurroundings,
  ) {
    const { config, identity, probe } = how;
    this.identity = identity;
    this.target = target;
    this.surroundings = surroundings;
    this.health = new TargetHealth(config, config.initial);
    const { turns, clock, random } = surroundings;
    const onOutcome = (outcome: ProbeOutcome, hasChanged: boolean): void =>
      this.take(outcome, hasChanged);
    const { health } = this;
    this.check = new TargetCheck({ times: config, health, probe, turns, clock, random, onOutcome });
    this.status = { health: STATES[this.health.state]!, since: null, lastError: null };
    this.record = where.record;
    this.metrics = where.metrics;
  }

  /** Begins; what was known under other settings stays until checks find otherwise. */
  start(before: WatchedTarget | undefined): void {
    if (before !== undefined && before.health.state !== HEALTH_UNKNOWN) {
      this.health.resume(before.health.state);
      Object.assign(this.status, before.status);
    }
    Atomics.store(this.record, HEALTH, this.health.state);
    this.check.start();
  }

  /** Goes on as it is in another revision. */
  move(record: Int32Array, metrics: TargetMetrics): void {
    this.record = record;
    this.metrics = metrics;
    Atomics.store(record, HEALTH, this.health.state);
  }

  stop(): void {
    this.check.stop();
  }

  get isDown(): boolean {
    return this.health.state === HEALTH_DOWN;
  }

  private take({ result, reason }: ProbeOutcome, hasChanged: boolean): void {
    const { status, metrics } = this;
    metrics.checks.addAt(result, 1);
    if (reason !== "") status.lastError = { at: new Date().toISOString(), reason };
    if (hasChanged) this.tell(reason);
    if (reason === "" && this.health.state === HEALTH_UP) this.tellEjected();
  }

  private tellEjected(): void {
    const { record, target, surroundings } = this;
    if (Atomics.load(record, EJECTED_UNTIL) > surroundings.sharedClock.tick) {
      surroundings.onHealthy(target);
    }
  }

  private tell(reason: string): void {
    const { record, status, metrics, target, surroundings } = this;
    const { state } = this.health;
    const from = status.health;
    if (from === "down") {
      metrics.healthy.add(1);
      Atomics.store(record, RETURNED_AT, Math.max(1, surroundings.sharedClock.tick));
    } else if (state === HEALTH_DOWN) metrics.healthy.add(-1);
    Atomics.store(record, HEALTH, state);
    status.health = STATES[state]!;
    status.since = new Date().toISOString();
    const { service, url, address } = target;
    const fields = { service, target: url, address, from, to: status.health };
    const { log } = surroundings;
    if (state === HEALTH_DOWN) log.warn("target is down", { ...fields, reason });
    else if (state === HEALTH_UP && from === "down") {
      log.info("target is up", { ...fields, reason: "checks passed" });
    } else log.debug("target is up", { ...fields, reason: "first check passed" });
  }
}
