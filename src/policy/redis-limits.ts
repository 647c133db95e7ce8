import type { LimitRule, LimitVerdict } from "./limit-tables.ts";
import type { RedisStore } from "./redis-store.ts";

/** One limit that a request has to keep to. Read when a call begins, so that it may be used again. */
export interface LimitRequest {
  rule: LimitRule;
  /** Of any length and content: only its hash goes to Redis. */
  key: string;
  cost: number;
}

/**
 * The counts of `LimitTable`, kept in Redis and so shared by all machines: the same rules give the same
 * verdicts. The time is that of the Redis server, because the clocks of machines differ.
 *
 * All calls reject as `RedisStore.run` does: at once while Redis is away, else after its timeout.
 */
export class RedisLimits {
  private readonly store: RedisStore;
  private readonly group: string;

  /**
   * @param group names the policy's use (`environment.id`); all its keys hang together by it
   */
  constructor(store: RedisStore, group: string) {
    this.store = store;
    this.group = group;
  }

  /**
   * Takes all costs in one step, or none where any limit refuses, and fills `verdicts`, which belong to this
   * call until it is over: one for each request, in their order.
   *
   * @returns whether all limits allowed it
   */
  take(requests: readonly LimitRequest[], verdicts: readonly LimitVerdict[]): Promise<boolean> {
    throw new Error(
      `not yet: ${this.group} ${this.store.prefix} ${requests.length} ${verdicts.length}`,
    );
  }

  /** The same without taking. */
  peek(requests: readonly LimitRequest[], verdicts: readonly LimitVerdict[]): Promise<boolean> {
    return this.take(requests, verdicts);
  }

  /** Takes all costs, also beyond the limits: for costs that are known afterwards. */
  charge(requests: readonly LimitRequest[]): Promise<void> {
    throw new Error(`not yet: ${requests.length}`);
  }

  /** Gives back what `take` took, where the request turned out not to count. */
  refund(requests: readonly LimitRequest[]): Promise<void> {
    throw new Error(`not yet: ${requests.length}`);
  }
}
