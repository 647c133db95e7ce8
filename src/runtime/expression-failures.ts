import type { Log } from "../base/log/log.ts";
import { RepeatLimiter } from "../base/log/repeat-limiter.ts";

const PERIOD_MS = 60_000;

/**
 * Tells the operator of expressions that fail on requests, since clients are not told and a condition that
 * fails does not hold. Each expression once in a while, however many requests it fails on.
 */
export class ExpressionFailures {
  private readonly log: Log;
  private readonly limiter: RepeatLimiter;

  constructor(log: Log, limiter: RepeatLimiter = new RepeatLimiter(PERIOD_MS)) {
    this.log = log;
    this.limiter = limiter;
  }

  report(expression: string, reason: string): void {
    const repeated = this.limiter.admit(expression);
    if (repeated < 0) return;
    this.log.warn("an expression failed and counts as false", { expression, reason, repeated });
  }
}
