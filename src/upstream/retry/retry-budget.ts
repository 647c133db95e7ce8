// HOT
/**
 * Bounds retries to a share of the requests, so that a service in trouble is not stormed by them.
 * Each request earns a fraction of a token, each retry costs one; a small stock keeps a quiet service
 * retryable and bounds what a burst can spend.
 */

/** Retries a service can always afford after a pause: the floor that Envoy and Finagle use too is 3 to 10. */
const TOKENS_MAX = 10;

export class RetryBudget {
  /** Tokens earned by a request: 0.2 is one retry for five requests. */
  private readonly share: number;
  private tokens: number;

  constructor(share: number) {
    this.share = share;
    this.tokens = TOKENS_MAX;
  }

  onRequest(): void {
    const tokens = this.tokens + this.share;
    this.tokens = tokens > TOKENS_MAX ? TOKENS_MAX : tokens;
  }

  /** Takes a retry out of the budget; false when there is none left. */
  take(): boolean {
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
