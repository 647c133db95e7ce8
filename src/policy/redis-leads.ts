import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { CacheWait } from "./cache-store.ts";
import { renewScript, settleScript } from "./redis-cache-scripts.ts";
import type { RedisStore } from "./redis-store.ts";

/** For so long others hold back for one that has died. */
const LEAD_MS = 3000;
const RENEW_MS = 1000;
/** Who has not settled by then has lost the lead. */
const LEAD_MS_MAX = 60_000;
/** In place of a lead: there will be nothing. */
const UNSTORED = "unstored";
const UNSTORED_MS = 1000;
const POLL_MS_MIN = 10;
const POLL_MS_MAX = 100;

interface Lead {
  readonly token: string;
  readonly untilMs: number;
}

/**
 * Who of all machines fetches what belongs under a key. A lead goes away soon unless its holder renews it, so that
 * nobody waits for long for a gateway that was killed.
 */
export class RedisLeads {
  private readonly redis: RedisStore;
  private readonly own = new Map<string, Lead>();
  private timer: NodeJS.Timeout | undefined;

  constructor(redis: RedisStore) {
    this.redis = redis;
  }

  /** Whether the caller leads from now on; then it has to settle. Rejects while Redis is away. */
  async take(name: string): Promise<boolean> {
    const token = randomUUID();
    const isTaken = await this.redis.setIfAbsent(name, token, LEAD_MS);
    if (isTaken) {
      this.own.set(name, { token, untilMs: performance.now() + LEAD_MS_MAX });
      this.timer ??= setInterval(() => this.renew(), RENEW_MS).unref();
    }
    return isTaken;
  }

  /** Resolves once the one who leads has settled or has lost the lead. */
  async wait(name: string, timeoutMs: number): Promise<CacheWait> {
    const deadlineMs = performance.now() + timeoutMs;
    for (let pauseMs = POLL_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, POLL_MS_MAX)) {
      const found = await this.redis.get(name).catch(() => UNSTORED);
      if (found === null) return "stored";
      if (found === UNSTORED) return "unstored";
      if (performance.now() + pauseMs > deadlineMs) return "timeout";
      await sleep(pauseMs);
    }
  }

  /** @param put others are told once it is over */
  settle(name: string, stored: boolean, put: Promise<unknown>): void {
    const lead = this.own.get(name);
    if (lead === undefined) return;
    this.own.delete(name);
    const args = [lead.token, stored ? "" : UNSTORED, UNSTORED_MS];
    put.then(() => this.redis.run(settleScript, [name], args)).catch(nothing);
  }

  private renew(): void {
    const nowMs = performance.now();
    for (const [name, { token, untilMs }] of this.own) {
      if (nowMs >= untilMs) continue;
      this.redis.run(renewScript, [name], [token, LEAD_MS]).catch(nothing);
    }
    if (this.own.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

function nothing(): undefined {
  return undefined;
}
