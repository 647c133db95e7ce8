// HOT
import {
  createVerdict,
  FIXED_WINDOW,
  SLIDING_WINDOW,
  TOKEN_BUCKET,
} from "../../policy/limit-tables.ts";
import type { LimitRule, LimitTable, LimitVerdict } from "../../policy/limit-tables.ts";
import type { LimitKey } from "../../policy/limit-key.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Limit } from "./rate-limit-options.ts";

const ALGORITHMS = {
  "fixed-window": FIXED_WINDOW,
  "sliding-window": SLIDING_WINDOW,
  "token-bucket": TOKEN_BUCKET,
};

/** @param group under which the counts are kept: `environment.id` */
export function limitRule(limit: Limit, group: string): LimitRule {
  return {
    id: `${group}/${limit.name}`,
    algorithm: ALGORITHMS[limit.algorithm],
    limit: limit.burst,
    windowMs: limit.windowMs,
    refill: limit.limit,
  };
}

/**
 * The limits of one use of the policy: all must allow a request, and one that is refused takes from none.
 * What it says stands until the next request.
 */
export class LimitSet {
  readonly rules: readonly LimitRule[];
  /** Keys of the request at hand, one for each rule. */
  readonly values: string[];
  /** The limit that is nearest to its end, or that refused; an index. */
  index: number;
  remaining: number;
  resetMs: number;
  /** 0 where the request is allowed. */
  retryMs: number;
  private readonly keys: readonly LimitKey[];
  private readonly verdict: LimitVerdict;
  private leastShare: number;

  /** @param keys one for each rule; the same function where rules count by the same */
  constructor(rules: readonly LimitRule[], keys: readonly LimitKey[]) {
    this.rules = rules;
    this.keys = keys;
    // cold: once per place
    this.values = rules.map(() => "");
    this.index = 0;
    this.remaining = 0;
    this.resetMs = 0;
    this.retryMs = 0;
    this.verdict = createVerdict();
    this.leastShare = 0;
  }

  readKeys(exchange: Exchange): void {
    const { keys, values } = this;
    for (let at = 0; at < keys.length; at++) {
      const isSame = at > 0 && keys[at] === keys[at - 1];
      values[at] = isSame ? values[at - 1]! : keys[at]!(exchange);
    }
  }

  /** Keys that were read before. */
  useKeys(keys: readonly string[]): void {
    for (let at = 0; at < keys.length; at++) this.values[at] = keys[at]!;
  }

  /** Takes `cost` from all limits of the keys at hand, or from none. */
  take(table: LimitTable, cost: number, nowMs: number): boolean {
    const { rules, values, verdict } = this;
    this.begin();
    for (let at = 0; at < rules.length; at++) {
      table.take(rules[at]!, values[at]!, cost, nowMs, verdict);
      this.note(at, verdict);
      if (!verdict.allowed) {
        this.giveBack(table, at, cost, nowMs);
        return false;
      }
    }
    return true;
  }

  /** What the ones before took is given back; the ones after may make the client wait longer. */
  private giveBack(table: LimitTable, refused: number, cost: number, nowMs: number): void {
    const { rules, values, verdict } = this;
    for (let at = 0; at < refused; at++) table.refund(rules[at]!, values[at]!, cost, nowMs);
    for (let at = refused + 1; at < rules.length; at++) {
      table.peek(rules[at]!, values[at]!, cost, nowMs, verdict);
      this.note(at, verdict);
    }
  }

  begin(): void {
    this.retryMs = 0;
    this.leastShare = Infinity;
  }

  /** Takes a verdict into account: of those that refuse the longest counts, of the others the least share. */
  note(at: number, verdict: LimitVerdict): void {
    const { remaining, resetMs, retryMs } = verdict;
    const share = remaining / this.rules[at]!.limit;
    const isNearer = verdict.allowed
      ? this.retryMs === 0 && share < this.leastShare
      : retryMs > this.retryMs;
    if (!isNearer) return;
    this.index = at;
    this.leastShare = share;
    this.remaining = Math.floor(remaining);
    this.resetMs = resetMs;
    this.retryMs = retryMs;
  }
}
