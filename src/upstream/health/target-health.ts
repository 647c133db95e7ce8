import { HEALTH_DOWN, HEALTH_UNKNOWN, HEALTH_UP } from "../target-record.ts";

export interface HealthThresholds {
  /** Checks in a row that bring a target back. */
  readonly healthy: number;
  /** Checks in a row that take a target out. */
  readonly unhealthy: number;
}

/**
 * What checks have found of one target. It begins as unknown, or as down where the configuration wants proof; the
 * first check that passes is proof enough. Later it takes `unhealthy` failures in a row to be down, and `healthy`
 * passes in a row to be up again.
 */
export class TargetHealth {
  /** One of the HEALTH_ values. */
  state: number;
  private readonly thresholds: HealthThresholds;
  /** Nothing has been decided by checks. */
  private isNew = true;
  private passes = 0;
  private failures = 0;

  constructor(thresholds: HealthThresholds, initial: "up" | "down") {
    this.thresholds = thresholds;
    this.state = initial === "up" ? HEALTH_UNKNOWN : HEALTH_DOWN;
  }

  /** Goes on from what another has decided, with rows of its own. */
  resume(state: number): void {
    this.state = state;
    this.isNew = false;
  }

  /** @returns whether the state is another now */
  report(passed: boolean): boolean {
    const before = this.state;
    this.passes = passed ? this.passes + 1 : 0;
    this.failures = passed ? 0 : this.failures + 1;
    const { healthy, unhealthy } = this.thresholds;
    if (passed && (this.isNew || this.passes >= healthy)) this.state = HEALTH_UP;
    if (this.failures >= unhealthy) this.state = HEALTH_DOWN;
    this.isNew &&= this.state === before;
    return this.state !== before;
  }
}
