import type { PolicyEnvironment } from "../../policy/environment.ts";
import { createVerdict } from "../../policy/limit-tables.ts";
import { RedisLimits, type LimitRequest } from "../../policy/redis-limits.ts";
import type { RedisStore } from "../../policy/redis-store.ts";
import type { LimitVerdict } from "../../policy/limit-tables.ts";
import type { LimitSet } from "./limit-set.ts";

/** Takes from counts that all machines share. */
export class RedisTaking {
  private readonly store: RedisStore;
  private readonly limits: RedisLimits;
  /** Read by each call before it waits, so one list serves all. */
  private readonly requests: readonly LimitRequest[];

  constructor(set: LimitSet, environment: PolicyEnvironment) {
    this.store = environment.redis();
    this.limits = new RedisLimits(this.store, environment.id);
    this.requests = set.rules.map((rule) => ({ rule, key: "", cost: 1 }));
  }

  get isAway(): boolean {
    return !this.store.isReady;
  }

  /** Rejects when Redis is away, or does not answer in time. The verdicts are one for each rule. */
  async take(keys: readonly string[], cost: number): Promise<LimitVerdict[]> {
    const { requests } = this;
    for (const [at, request] of requests.entries()) {
      request.key = keys[at]!;
      request.cost = cost;
    }
    const verdicts = requests.map(createVerdict);
    await this.limits.take(requests, verdicts);
    return verdicts;
  }
}
