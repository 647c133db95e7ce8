// HOT
import type { Log } from "../../base/log/log.ts";
import type { Exchange } from "../../policy/exchange.ts";

/** Callers that are counted by name; further ones are counted together. */
const CALLERS_MAX = 100;

interface CallCount {
  count: number;
}

/**
 * Who still calls, and how often: told with the first call, and from then on with the first one after each interval.
 * Of one worker.
 */
export class CallerLog implements Disposable {
  private readonly intervalMs: number;
  private readonly counts: Map<string, CallCount>;
  private others: number;
  private unknown: number;
  private toldAt: number;

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
    this.counts = new Map();
    this.others = 0;
    this.unknown = 0;
    this.toldAt = 0;
  }

  /** Counts one call. */
  note({ identity }: Exchange): void {
    if (identity === null) {
      this.unknown++;
      return;
    }
    const name = identity.consumer === null ? identity.subject : identity.consumer.name;
    const count = this.counts.get(name);
    if (count !== undefined) count.count++;
    else if (this.counts.size < CALLERS_MAX) this.counts.set(name, { count: 1 });
    else this.others++;
  }

  /** @param now epoch ms */
  isDue(now: number): boolean {
    return now - this.toldAt >= this.intervalMs;
  }

  /** What was counted since it was told last. */
  tell(log: Log, message: string, now: number): void {
    const callers = Object.create(null) as Record<string, number>;
    // cold: once in each interval
    for (const [name, { count }] of this.counts) callers[name] = count;
    // cold: once in each interval
    log.warn(message, { callers, others: this.others, unknown: this.unknown });
    this.counts.clear();
    this.others = 0;
    this.unknown = 0;
    this.toldAt = now;
  }

  [Symbol.dispose](): void {
    this.counts.clear();
  }
}
