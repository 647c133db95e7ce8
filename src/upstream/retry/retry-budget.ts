// HOT
/**
 * Bounds what is sent again to a share of the requests, so that a service in trouble is not stormed.
 * Each request earns a fraction of a token, each that is sent again costs one; a small stock keeps a quiet service
 * retryable and bounds what a burst can spend. Whatever happens, a worker sends no more than
 * `requests * (1 + share) + TOKENS_MAX + DEBT_MAX`.
 */

/** Retries a service can always afford after a pause: the floor that Envoy and Finagle use too is 3 to 10. */
export const TOKENS_MAX = 10;
/** What one connection of HTTP/2 usually carries: all of it is refused at once when its service restarts. */
export const DEBT_MAX = 100;

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

  /**
   * The same for a request that its service has not begun with, as far as can be told. That is no sign of trouble:
   * it is affordable on credit, which is to be earned before there is anything else.
   */
  takeOnCredit(): boolean {
    if (this.tokens < 1 - DEBT_MAX) return false;
    this.tokens -= 1;
    return true;
  }
}
