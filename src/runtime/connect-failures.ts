import type { Log } from "../base/log/log.ts";
import { RepeatLimiter } from "../base/log/repeat-limiter.ts";

const PERIOD_MS = 10_000;

/**
 * Tells the operator why a target cannot be connected to, which its clients are not told: the system's
 * name for it, or what TLS found wrong with a certificate. Each reason once in a while, however many
 * requests it fails.
 */
export class ConnectFailures {
  private readonly log: Log;
  private readonly limiter: RepeatLimiter;

  constructor(log: Log, limiter: RepeatLimiter = new RepeatLimiter(PERIOD_MS)) {
    this.log = log;
    this.limiter = limiter;
  }

  /** @param reason such as ECONNREFUSED or CERT_HAS_EXPIRED. */
  report(service: string, target: string, reason: string): void {
    const repeated = this.limiter.admit(`${service}\n${target}\n${reason}`);
    if (repeated < 0) return;
    const since = repeated > 0 ? { repeated } : {};
    this.log.warn("cannot connect to a target", { service, target, reason, ...since });
  }
}
