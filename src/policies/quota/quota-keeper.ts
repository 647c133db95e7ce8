import { Fault, faultTypes, type FaultType } from "../../base/faults.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Clock, PolicyEnvironment } from "../../policy/environment.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { compileLimitKey, type LimitKey } from "../../policy/limit-key.ts";
import type {
  QuotaCounts,
  QuotaPeriod,
  QuotaRule,
  QuotaVerdict,
} from "../../policy/quota-counts.ts";
import { requestCost, type RequestCost } from "../../policy/request-cost.ts";
import { RetryFaults } from "../../base/retry-faults.ts";
import { compileStatusSet, type StatusSet } from "../../policy/values/status-set.ts";
import { PeriodFinder } from "./period-finder.ts";
import { quotaHeaders, type QuotaHeaders } from "./quota-headers.ts";
import type { QuotaOptions } from "./quota-options.ts";
import { RedisQuota } from "./redis-quota.ts";

/** What one request has used. */
export interface Usage {
  key: string;
  period: QuotaPeriod;
  cost: number;
  /** Of the period, by now. */
  used: number;
  /** Where it was taken, until it is known that it counts; null: nothing is to be given back. */
  takenFrom: "here" | "redis" | null;
}

/** Decides on requests by what their callers have used. */
export class QuotaKeeper {
  /** null where nothing is to be done with a response. */
  readonly onResponse: ((exchange: Exchange) => void) | null;
  readonly onEnd: ((exchange: Exchange) => void) | null;
  private readonly rule: QuotaRule;
  private readonly options: QuotaOptions;
  private readonly keyOf: LimitKey;
  private readonly costOf: RequestCost;
  private readonly periods: PeriodFinder;
  private readonly counts: QuotaCounts;
  private readonly redis: RedisQuota | null;
  private readonly clock: Clock;
  private readonly headers: QuotaHeaders | null;
  private readonly statuses: StatusSet | null;
  private readonly usages: ExchangeMemory<Usage>;
  private readonly verdict: QuotaVerdict;
  private readonly refusals: RetryFaults;
  private readonly unavailable: Fault;
  private readonly allowed: Counter;
  private readonly limited: Counter;
  private readonly storeAway: Counter;

  constructor(options: QuotaOptions, environment: PolicyEnvironment, exceeded: FaultType) {
    const { by: parts, ipv6Prefix, dryRun, store } = options;
    this.options = options;
    this.rule = { id: environment.id, limit: options.limit };
    this.keyOf = compileLimitKey({ parts, ipv6Prefix }, environment);
    this.costOf = requestCost(options.cost, environment);
    this.periods = new PeriodFinder(options);
    this.counts = environment.quotas;
    this.redis = store === "redis" ? new RedisQuota(environment.redis(), this.rule) : null;
    this.clock = environment.clock;
    this.headers = quotaHeaders(options);
    this.statuses = options.count === undefined ? null : compileStatusSet(options.count);
    this.usages = new ExchangeMemory();
    this.verdict = { allowed: false, used: 0 };
    this.refusals = new RetryFaults(exceeded);
    this.unavailable = new Fault(faultTypes["limits-unavailable"]);
    this.allowed = environment.counter("allowed");
    this.limited = environment.counter(dryRun ? "would-limit" : "limited");
    this.storeAway = environment.counter("store-away");
    const { headers, statuses } = this;
    const answers = headers !== null || statuses !== null;
    this.onResponse = answers ? (exchange) => this.tell(exchange) : null;
    this.onEnd = statuses === null ? null : (exchange) => this.giveBack(exchange);
  }

  onRequest(exchange: Exchange): Fault | undefined | Promise<Fault | undefined> {
    const key = this.keyOf(exchange);
    const cost = this.costOf(exchange);
    const nowMs = this.clock.now();
    const period = this.periods.at(exchange, nowMs);
    const { redis } = this;
    if (redis === null) return this.takeHere(exchange, key, period, cost);
    if (redis.isAway) return this.withoutStore(exchange, key, period, cost);
    return redis.take(key, period, cost, nowMs).then(
      (verdict) => this.conclude(exchange, { key, period, cost, verdict, from: "redis" }),
      () => this.withoutStore(exchange, key, period, cost),
    );
  }

  private takeHere(
    exchange: Exchange,
    key: string,
    period: QuotaPeriod,
    cost: number,
  ): Fault | undefined {
    const { verdict } = this;
    this.counts.take(this.rule, key, period, cost, this.clock.now(), verdict);
    return this.conclude(exchange, { key, period, cost, verdict, from: "here" });
  }

  private withoutStore(
    exchange: Exchange,
    key: string,
    period: QuotaPeriod,
    cost: number,
  ): Fault | undefined {
    const { whenStoreIsAway, dryRun } = this.options;
    this.storeAway.add(1);
    if (whenStoreIsAway === "local") return this.takeHere(exchange, key, period, cost);
    return whenStoreIsAway === "deny" && !dryRun ? this.unavailable : undefined;
  }

  private conclude(
    exchange: Exchange,
    taken: {
      key: string;
      period: QuotaPeriod;
      cost: number;
      verdict: QuotaVerdict;
      from: "here" | "redis";
    },
  ): Fault | undefined {
    const { key, period, cost, verdict, from } = taken;
    const { allowed, used } = verdict;
    if (this.onResponse !== null) {
      const takenFrom = allowed && this.statuses !== null ? from : null;
      this.usages.set(exchange, { key, period, cost, used, takenFrom });
    }
    if (allowed) {
      this.allowed.add(1);
      return undefined;
    }
    this.limited.add(1);
    if (this.options.dryRun) return undefined;
    const isPossible = cost <= this.rule.limit;
    return this.refusals.after(isPossible ? period.endMs - this.clock.now() : Infinity);
  }

  private tell(exchange: Exchange): void {
    const usage = this.usages.get(exchange);
    if (usage === undefined) return;
    if (usage.takenFrom !== null) {
      if (this.statuses!.has(exchange.response.status)) usage.takenFrom = null;
      else this.refund(usage);
    }
    this.headers?.(exchange, usage, this.clock.now());
  }

  /** Of a request that had no answer. */
  private giveBack(exchange: Exchange): void {
    const usage = this.usages.get(exchange);
    if (usage !== undefined && usage.takenFrom !== null) this.refund(usage);
  }

  private refund(usage: Usage): void {
    const { key, period, cost, takenFrom } = usage;
    const nowMs = this.clock.now();
    usage.takenFrom = null;
    usage.used = Math.max(0, usage.used - cost);
    if (takenFrom === "redis") this.redis!.refund(key, period, cost, nowMs);
    else this.counts.refund(this.rule, key, period, cost, nowMs);
  }
}
