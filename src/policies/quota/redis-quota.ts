import { hash } from "node:crypto";
import type { QuotaPeriod, QuotaRule, QuotaVerdict } from "../../policy/quota-counts.ts";
import type { RedisScript, RedisStore } from "../../policy/redis-store.ts";

/**
 * KEYS: the count. ARGV: cost, limit, milliseconds until the count may be forgotten. A cost below nothing is
 * given back. Returns 1 where it was taken, else 0, and what is used by now.
 */
const script: RedisScript = {
  text: `
local cost, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if cost > 0 and used + cost > limit then return { 0, string.format('%.17g', used) } end
used = math.max(0, used + cost)
redis.call('SET', KEYS[1], string.format('%.17g', used), 'PX', ARGV[3])
return { 1, string.format('%.17g', used) }
`,
};

/** Clocks of machines differ, and what was taken just before the end may be given back after it. */
const KEPT_BEYOND_MS = 60_000;

/** Counts that all machines share. The period is by the clock of the gateway that asks. */
export class RedisQuota {
  private readonly store: RedisStore;
  private readonly rule: QuotaRule;

  constructor(store: RedisStore, rule: QuotaRule) {
    this.store = store;
    this.rule = rule;
  }

  get isAway(): boolean {
    return !this.store.isReady;
  }

  /** Rejects when Redis is away, or does not answer in time. */
  async take(key: string, period: QuotaPeriod, cost: number, nowMs: number): Promise<QuotaVerdict> {
    const [allowed, used] = await this.add(key, period, cost, nowMs);
    return { allowed: allowed === 1, used: Number(used) };
  }

  /** What cannot be given back, because Redis is away, counts. */
  refund(key: string, period: QuotaPeriod, cost: number, nowMs: number): void {
    if (nowMs < period.endMs) this.add(key, period, -cost, nowMs).catch(() => {});
  }

  private async add(
    key: string,
    { startMs, endMs }: QuotaPeriod,
    cost: number,
    nowMs: number,
  ): Promise<[number, string]> {
    const { store, rule } = this;
    const tag = hash("sha256", `${rule.id}\0${key}`, "base64url").slice(0, 22);
    const name = `quota:{${tag}}:${startMs}`;
    const args = [cost, rule.limit, endMs - nowMs + KEPT_BEYOND_MS];
    return (await store.run(script, [name], args)) as [number, string];
  }
}

export { script as quotaScript };
