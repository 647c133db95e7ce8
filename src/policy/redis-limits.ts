import { hash } from "node:crypto";
import type { Clock } from "./environment.ts";
import type { LimitRule, LimitVerdict } from "./limit-tables.ts";
import { limitsScript } from "./redis-limits-script.ts";
import type { RedisStore } from "./redis-store.ts";

/** One limit that a request has to keep to. Read when a call begins, so that it may be used again. */
export interface LimitRequest {
  rule: LimitRule;
  /** Of any length and content: only its hash goes to Redis. */
  key: string;
  cost: number;
}

type Operation = "take" | "peek" | "charge" | "refund";

/** 128 bits in base64url. */
const TAG_CHARACTERS = 22;

/**
 * The counts of `LimitTable`, kept in Redis and so shared by all machines: the same rules give the same
 * verdicts. The time is that of the Redis server, because the clocks of machines differ.
 *
 * All calls reject as `RedisStore.run` does: at once while Redis is away, else after its timeout. One that
 * timed out may have been counted all the same.
 *
 * In a Cluster, keys that differ may be on different servers. Then it takes a step for each key, in order,
 * and what was taken is given back where a later one refuses; for that moment others find less.
 */
export class RedisLimits {
  private readonly store: RedisStore;
  private readonly group: string;
  private readonly clock: Clock | null;
  private readonly ruleNames: WeakMap<LimitRule, string>;

  /**
   * @param group names the policy's use (`environment.id`); all its keys hang together by it
   * @param clock in place of the server's; for tests
   */
  constructor(store: RedisStore, group: string, clock: Clock | null = null) {
    this.store = store;
    this.group = group;
    this.clock = clock;
    this.ruleNames = new WeakMap();
  }

  /**
   * Takes all costs in one step, or none where any limit refuses, and fills `verdicts`, which belong to this
   * call until it is over: one for each request, in their order.
   *
   * @returns whether all limits allowed it
   */
  async take(
    requests: readonly LimitRequest[],
    verdicts: readonly LimitVerdict[],
  ): Promise<boolean> {
    if (!this.store.isCluster || haveOneKey(requests))
      return await this.run("take", requests, verdicts);
    return await this.takeInSteps(requests.map(copyOf), verdicts);
  }

  /** The same without taking. */
  async peek(
    requests: readonly LimitRequest[],
    verdicts: readonly LimitVerdict[],
  ): Promise<boolean> {
    return await this.runParted("peek", requests, verdicts);
  }

  /** Takes all costs, also beyond the limits: for costs that are known afterwards. */
  async charge(requests: readonly LimitRequest[]): Promise<void> {
    await this.runParted("charge", requests, null);
  }

  /** Gives back what `take` took, where the request turned out not to count. */
  async refund(requests: readonly LimitRequest[]): Promise<void> {
    await this.runParted("refund", requests, null);
  }

  private async takeInSteps(
    requests: readonly LimitRequest[],
    verdicts: readonly LimitVerdict[],
  ): Promise<boolean> {
    for (const [index, request] of requests.entries()) {
      if (await this.run("take", [request], [verdicts[index]!])) continue;
      const taken = requests.slice(0, index);
      const later = requests.slice(index + 1);
      await Promise.all([this.refund(taken), this.peek(later, verdicts.slice(index + 1))]);
      for (const [at, { cost }] of taken.entries()) verdicts[at]!.remaining += cost;
      return false;
    }
    return true;
  }

  /** At once for all, or for each key where they may be on different servers. */
  private async runParted(
    operation: Operation,
    requests: readonly LimitRequest[],
    verdicts: readonly LimitVerdict[] | null,
  ): Promise<boolean> {
    if (!this.store.isCluster || haveOneKey(requests)) {
      return await this.run(operation, requests, verdicts);
    }
    const answers = await Promise.all(
      requests.map((request, index) => {
        return this.run(operation, [request], verdicts === null ? null : [verdicts[index]!]);
      }),
    );
    return answers.every(Boolean);
  }

  private async run(
    operation: Operation,
    requests: readonly LimitRequest[],
    verdicts: readonly LimitVerdict[] | null,
  ): Promise<boolean> {
    if (requests.length === 0) return true;
    const keys: string[] = [];
    const args: (string | number)[] = [operation, this.clock === null ? "" : this.clock.now()];
    let lastKey: string | null = null;
    let tag = "";
    for (const { rule, key, cost } of requests) {
      if (key !== lastKey) tag = tagOf(`${this.group}\0${key}`);
      lastKey = key;
      keys.push(`limit:{${tag}}:${this.nameOf(rule)}`);
      args.push(rule.algorithm, rule.limit, rule.windowMs, rule.refill, cost);
    }
    const answer = (await this.store.run(limitsScript, keys, args)) as [number, ...string[]];
    if (verdicts !== null) fill(verdicts, answer);
    return answer[0] === 1;
  }

  /** Counts of another window mean nothing to this one. */
  private nameOf(rule: LimitRule): string {
    let name = this.ruleNames.get(rule);
    if (name === undefined) {
      name = tagOf(`${rule.algorithm}\0${rule.windowMs}\0${rule.id}`);
      this.ruleNames.set(rule, name);
    }
    return name;
  }
}

function tagOf(text: string): string {
  return hash("sha256", text, "base64url").slice(0, TAG_CHARACTERS);
}

function haveOneKey(requests: readonly LimitRequest[]): boolean {
  return requests.every(({ key }) => key === requests[0]!.key);
}

function copyOf({ rule, key, cost }: LimitRequest): LimitRequest {
  return { rule, key, cost };
}

function fill(verdicts: readonly LimitVerdict[], answer: readonly (number | string)[]): void {
  for (const [index, verdict] of verdicts.entries()) {
    const at = 1 + 4 * index;
    const retryMs = Number(answer[at + 3]);
    verdict.allowed = answer[at] === "1";
    verdict.remaining = Number(answer[at + 1]);
    verdict.resetMs = Number(answer[at + 2]);
    verdict.retryMs = retryMs < 0 ? Infinity : retryMs;
  }
}
