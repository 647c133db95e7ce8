/**
 * Keeps a message that would come with every request from filling the log: it is let through once in a
 * period, with the number of times it was held back in between.
 */
export class RepeatLimiter {
  private readonly periodMs: number;
  private readonly keysMax: number;
  private readonly now: () => number;
  private readonly seen = new Map<string, { untilMs: number; held: number }>();

  /**
   * @param keysMax how many different messages are told apart; the one first seen is forgotten beyond it.
   * @param now monotonic milliseconds.
   */
  constructor(periodMs: number, keysMax = 1000, now: () => number = () => performance.now()) {
    this.periodMs = periodMs;
    this.keysMax = keysMax;
    this.now = now;
  }

  /** How often `key` was held back since it was last let through, or -1 when it is to be held back now. */
  admit(key: string): number {
    const nowMs = this.now();
    const entry = this.seen.get(key);
    if (entry !== undefined && nowMs < entry.untilMs) {
      entry.held += 1;
      return -1;
    }
    this.seen.delete(key);
    if (this.seen.size >= this.keysMax) this.seen.delete(this.seen.keys().next().value!);
    this.seen.set(key, { untilMs: nowMs + this.periodMs, held: 0 });
    return entry?.held ?? 0;
  }
}
