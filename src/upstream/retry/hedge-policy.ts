// HOT
import type { HedgeConfig } from "./retry-config.ts";

/** Answers before a share of them is believed. */
const SAMPLES_MIN = 100;
/** Each answer moves the estimate by at most this share of it. */
const STEP = 0.1;
/** Waits are no finer. */
const AFTER_MS_MIN = 5;

/** When a request is sent to a second target as well: after a time, or after that in which most are answered. */
export class HedgePolicy {
  private readonly quantile: number;
  private estimateMs: number;
  private samples: number;

  constructor(config: HedgeConfig) {
    const isFixed = "afterMs" in config;
    this.quantile = isFixed ? 0 : config.quantile;
    this.estimateMs = isFixed ? config.afterMs : 0;
    this.samples = isFixed ? SAMPLES_MIN : 0;
  }

  /** Milliseconds without the head of an answer; 0 for never, as long as too few answers are known. */
  get afterMs(): number {
    if (this.samples < SAMPLES_MIN) return 0;
    return this.estimateMs < AFTER_MS_MIN ? AFTER_MS_MIN : Math.round(this.estimateMs);
  }

  /**
   * A first try's head has come, or a second try has come first. The estimate goes up a large step where it was
   * exceeded and down a small one where not: both balance where the share of slower answers is the wanted one.
   */
  observe(latencyMs: number): void {
    const { quantile } = this;
    if (quantile === 0) return;
    if (this.samples === 0) this.estimateMs = latencyMs;
    if (this.samples < SAMPLES_MIN) this.samples++;
    const step = this.estimateMs * STEP;
    if (latencyMs > this.estimateMs) this.estimateMs += step * quantile + 0.001;
    else this.estimateMs -= step * (1 - quantile);
  }
}
