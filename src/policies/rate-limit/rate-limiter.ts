import { Fault, type FaultType } from "../../base/faults.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Clock, PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { LimitTable, LimitVerdict } from "../../policy/limit-tables.ts";
import type { RequestCost } from "../../policy/request-cost.ts";
import { RetryFaults } from "../../base/retry-faults.ts";
import type { LimitHeaders } from "./limit-headers.ts";
import type { LimitSet } from "./limit-set.ts";
import type { RateLimitOptions } from "./rate-limit-options.ts";
import type { RedisTaking } from "./redis-taking.ts";

interface RateLimiterSettings {
  set: LimitSet;
  /** null where clients are told nothing. */
  headers: LimitHeaders | null;
  /** Nothing is refused. */
  isDry: boolean;
  costOf: RequestCost;
  environment: PolicyEnvironment;
  faults: { limited: FaultType; unavailable: FaultType };
}

/** Decides on requests by what one set of limits says. */
export class RateLimiter {
  private readonly set: LimitSet;
  private readonly headers: LimitHeaders | null;
  private readonly isDry: boolean;
  private readonly costOf: RequestCost;
  private readonly table: LimitTable;
  private readonly clock: Clock;
  private readonly refusals: RetryFaults;
  private readonly unavailable: Fault;
  private readonly allowed: Counter;
  private readonly limited: Counter;
  private readonly storeAway: Counter;

  constructor({ set, headers, isDry, costOf, environment, faults }: RateLimiterSettings) {
    this.set = set;
    this.headers = headers;
    this.isDry = isDry;
    this.costOf = costOf;
    this.table = environment.limits;
    this.clock = environment.clock;
    this.refusals = new RetryFaults(faults.limited);
    this.unavailable = new Fault(faults.unavailable);
    this.allowed = environment.counter("allowed");
    this.limited = environment.counter(isDry ? "would-limit" : "limited");
    this.storeAway = environment.counter("store-away");
  }

  /** By the counts of this process. */
  onRequest(exchange: Exchange): Fault | undefined {
    this.set.readKeys(exchange);
    return this.takeHere(exchange, this.costOf(exchange));
  }

  /** By counts that all machines share. */
  onSharedRequest(
    exchange: Exchange,
    taking: RedisTaking,
    whenAway: RateLimitOptions["whenStoreIsAway"],
  ): Fault | undefined | Promise<Fault | undefined> {
    const { set } = this;
    const cost = this.costOf(exchange);
    set.readKeys(exchange);
    if (taking.isAway) return this.withoutStore(exchange, cost, whenAway, set.values);
    // Other requests come while this one waits.
    const keys = [...set.values];
    return taking.take(keys, cost).then(
      (verdicts) => this.obey(exchange, verdicts),
      () => this.withoutStore(exchange, cost, whenAway, keys),
    );
  }

  private obey(exchange: Exchange, verdicts: readonly LimitVerdict[]): Fault | undefined {
    const { set } = this;
    set.begin();
    for (const [at, verdict] of verdicts.entries()) set.note(at, verdict);
    return this.conclude(
      exchange,
      verdicts.every(({ allowed }) => allowed),
    );
  }

  private withoutStore(
    exchange: Exchange,
    cost: number,
    whenAway: RateLimitOptions["whenStoreIsAway"],
    keys: readonly string[],
  ): Fault | undefined {
    this.storeAway.add(1);
    if (whenAway === "local") {
      this.set.useKeys(keys);
      return this.takeHere(exchange, cost);
    }
    return whenAway === "deny" && !this.isDry ? this.unavailable : undefined;
  }

  private takeHere(exchange: Exchange, cost: number): Fault | undefined {
    return this.conclude(exchange, this.set.take(this.table, cost, this.clock.now()));
  }

  private conclude(exchange: Exchange, isAllowed: boolean): Fault | undefined {
    this.headers?.note(exchange, this.set);
    if (isAllowed) {
      this.allowed.add(1);
      return undefined;
    }
    this.limited.add(1);
    return this.isDry ? undefined : this.refusals.after(this.set.retryMs);
  }
}
