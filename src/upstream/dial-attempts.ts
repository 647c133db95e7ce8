// HOT
/** A connection that is being made. */
export interface DialAttempt {
  /** How many the pool had begun with it. */
  readonly number: number;
}

/** The connections that a pool is making, the oldest first. */
export class DialAttempts<A extends DialAttempt> {
  /** How many have been begun. */
  begun: number;
  private readonly attempts: Set<A>;

  constructor() {
    this.begun = 0;
    this.attempts = new Set();
  }

  get size(): number {
    return this.attempts.size;
  }

  add(attempt: A): void {
    this.attempts.add(attempt);
  }

  delete(attempt: A): void {
    this.attempts.delete(attempt);
  }

  // cold: once for a client that has waited in vain
  /** Whether one is under way still that had been begun by then. */
  hasOf(begun: number): boolean {
    for (const { number } of this.attempts) return number <= begun;
    return false;
  }
}
