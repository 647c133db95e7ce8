import type { Finding } from "../../base/findings/finding.ts";
import type { Clock } from "../../policy/environment.ts";
import type { Log } from "../../base/log/log.ts";

const EVERY_MS = 10_000;
const FIELDS_MAX = 50;

/** Tells of what does not fit, at most every ten seconds: which fields, and how often each. */
export class FindingLog {
  private readonly log: Log;
  private readonly clock: Clock;
  private readonly counts = new Map<string, number>();
  private more = 0;
  private toldAtMs = -Infinity;

  constructor(log: Log, clock: Clock) {
    this.log = log;
    this.clock = clock;
  }

  note(message: string, operation: string, findings: readonly Finding[]): void {
    for (const finding of findings) {
      const field = `${operation} ${finding.field} ${finding.message}`;
      const count = this.counts.get(field);
      if (count === undefined && this.counts.size === FIELDS_MAX) this.more++;
      else this.counts.set(field, (count ?? 0) + 1);
    }
    const now = this.clock.now();
    if (now - this.toldAtMs < EVERY_MS) return;
    this.toldAtMs = now;
    this.log.warn(message, { fields: Object.fromEntries(this.counts), more: this.more });
    this.counts.clear();
    this.more = 0;
  }
}
