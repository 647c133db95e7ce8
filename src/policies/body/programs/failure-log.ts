import type { Clock } from "../../../policy/environment.ts";
import type { Log } from "../../../base/log/log.ts";

const EVERY_MS = 10_000;

/** Tells why bodies could not be mapped by a program, every ten seconds at most: of one, and how many there were. */
export class FailureLog {
  private readonly log: Log;
  private readonly clock: Clock;
  private toldAtMs = -Infinity;
  private count = 0;

  constructor({ log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.log = log;
    this.clock = clock;
  }

  /** @param reason without anything of the body */
  note(code: string, reason: string): void {
    this.count++;
    const now = this.clock.now();
    if (now - this.toldAtMs < EVERY_MS) return;
    this.toldAtMs = now;
    this.log.warn("a JSONata program failed", { code, reason, count: this.count });
    this.count = 0;
  }
}
