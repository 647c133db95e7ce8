import {
  breakerRefusalsTotal,
  breakerState,
  breakerTransitionsTotal,
  inFlightRefusalsTotal,
  upstreamResult,
} from "../base/metrics/families.ts";
import type { Log } from "../base/log/log.ts";
import type { Gauge, MetricView } from "../base/metrics/metric-view.ts";
import type { Random } from "../base/random.ts";
import { type SharedClock, ticksOf } from "../base/shared-clock.ts";
import type { SharedCounters } from "../base/shared-counters.ts";
import type { ServiceConfig } from "../config/config.ts";
import type { BreakerConfig } from "../config/schema/breaker.ts";
import { compileStatusSet } from "../policy/values/status-set.ts";
import type { Target } from "../upstream/balance/target.ts";
import { BREAKER_CELLS, HALF_OPEN, OPEN } from "../upstream/breaker/breaker-cells.ts";
import { type BreakerSettings, FailureKinds } from "../upstream/breaker/breaker-settings.ts";
import { modeOf } from "../upstream/breaker/breaker-view.ts";
import { type BreakerChange, CircuitBreaker } from "../upstream/breaker/circuit-breaker.ts";
import type { Guard } from "../upstream/guard.ts";
import { InFlightLimit } from "../upstream/in-flight-limit.ts";
import { BREAKER } from "../upstream/target-record.ts";
import { NO_TARGET, serviceLimitIdentity, targetLimitIdentity } from "./guard-needs.ts";

/** Of trials to services that may think as long as they like. */
const TRIAL_MS = 30_000;
/** Beyond the deadline of the answer, so that the deadline's own verdict comes first. */
const TRIAL_GRACE_MS = 1000;

/** What the guards of a service are made of. */
export interface GuardParts {
  /** Of the service, see `target-record.ts`. */
  record: Int32Array;
  counters: SharedCounters;
  /** Of the shared counters, by identity. */
  slotOf(identity: string): number;
  clock: SharedClock;
  random: Random;
  log: Log;
  metrics: MetricView;
}

/** The guards of one service in one revision: its own, and those of its targets as they come. */
export class ServiceGuards {
  private readonly name: string;
  private readonly config: ServiceConfig;
  private readonly parts: GuardParts;
  /** Of breakers, by target. */
  private readonly gauges: Map<string, Gauge>;

  constructor(name: string, config: ServiceConfig, parts: GuardParts) {
    this.name = name;
    this.config = config;
    this.parts = parts;
    this.gauges = new Map();
  }

  ofService(): Guard[] {
    const { name, config, parts } = this;
    const { inFlight } = config.connections;
    const guards: Guard[] = [];
    if (inFlight > 0) guards.push(this.limit(inFlight, serviceLimitIdentity(name), NO_TARGET));
    if (config.breaker?.per === "service") {
      guards.push(this.breaker(config.breaker, parts.record, NO_TARGET));
    }
    return guards;
  }

  ofTarget({ url, state }: Target): Guard[] {
    const { config } = this;
    const { inFlightPerTarget: max } = config.connections;
    const guards: Guard[] = [];
    if (max > 0) guards.push(this.limit(max, targetLimitIdentity(state.identity), url));
    if (config.breaker?.per === "target") {
      guards.push(this.breaker(config.breaker, state.record, url));
    }
    return guards;
  }

  /** Shows what another worker has changed; of several addresses of a target the worst. */
  sample(targets: readonly Target[]): void {
    for (const [url, gauge] of this.gauges) {
      let mode = url === NO_TARGET ? modeOf(cellsOf(this.parts.record)) : 0;
      for (const target of targets) {
        if (target.url === url) mode = Math.max(mode, modeOf(cellsOf(target.state.record)));
      }
      gauge.set(mode);
    }
  }

  private limit(max: number, identity: string, target: string): InFlightLimit {
    const { metrics, counters, slotOf } = this.parts;
    const refusals = metrics.counter(inFlightRefusalsTotal, [this.name, target]);
    return new InFlightLimit(max, counters, slotOf(identity), refusals);
  }

  private breaker(config: BreakerConfig, record: Int32Array, target: string): CircuitBreaker {
    const { name } = this;
    const { clock, random, log, metrics } = this.parts;
    const gauge = metrics.gauge(breakerState, [name, target]);
    this.gauges.set(target, gauge);
    const transitions = metrics.counter(breakerTransitionsTotal, [name, target]);
    const refusals = metrics.counter(breakerRefusalsTotal, [name, target]);
    return new CircuitBreaker({
      cells: cellsOf(record),
      settings: breakerSettings(config, this.config),
      clock,
      random,
      listener: {
        changed: (change) => {
          gauge.set(change.mode);
          transitions.addAt(change.mode, 1);
          tell(log, { service: name, ...(target === NO_TARGET ? {} : { target }) }, change);
        },
        refused: () => refusals.add(1),
      },
    });
  }
}

/** The cells of a breaker in a shared record. */
export function cellsOf(record: Int32Array): Int32Array {
  return record.subarray(BREAKER, BREAKER + BREAKER_CELLS);
}

/** How workers and the main thread read the options. */
export function breakerSettings(
  config: BreakerConfig,
  { timeout }: Pick<ServiceConfig, "timeout">,
): BreakerSettings {
  const { errors, slow, failures } = config;
  const statuses = compileStatusSet(failures.filter((each) => /^\d/.test(each)));
  const { connectMs, requestMs, responseMs } = timeout;
  const trialMs = responseMs === 0 ? TRIAL_MS : connectMs + requestMs + responseMs + TRIAL_GRACE_MS;
  return {
    errorShare: errors > 0 ? errors : Infinity,
    slowMs: slow === null ? Infinity : slow.afterMs,
    slowShare: slow !== null && slow.share > 0 ? slow.share : Infinity,
    windowTicks: ticksOf(config.windowMs),
    requestsMin: config.requests,
    openTicks: ticksOf(config.openMs),
    openTicksMax: ticksOf(config.openMaxMs),
    trials: config.trials,
    trialTicks: ticksOf(trialMs),
    failures: new FailureKinds(
      Array.from({ length: 600 }, (_, status) => status).filter((status) => statuses.has(status)),
      failures.flatMap((each) => RESULTS[each] ?? []),
    ),
  };
}

const RESULTS: Readonly<Record<string, number[]>> = {
  connect: [upstreamResult.connect],
  timeout: [upstreamResult.timeout],
  reset: [upstreamResult.broken],
};

function tell(log: Log, whose: Record<string, string>, change: BreakerChange): void {
  const { mode, reason, total, failed, slow, openMs } = change;
  if (mode === HALF_OPEN) {
    log.info("breaker is half open: a few trials may pass", whose);
  } else if (mode === OPEN) {
    log.warn("breaker opened", { ...whose, reason, tries: total, failed, slow, openMs });
  } else {
    log.info("breaker closed", { ...whose, trials: total, failed });
  }
}
