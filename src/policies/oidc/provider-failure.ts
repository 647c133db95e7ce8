/**
 * Why the identity provider did not give what it was asked for:
 *
 * - `away`: it cannot be reached, or is in trouble: later it may work.
 * - `refused`: it said no, with a `code` of OAuth (RFC 6749 section 5.2).
 * - `invalid`: what it said does not hold: a wrong nonce, issuer or signature.
 */
export class ProviderFailure extends Error {
  readonly kind: "away" | "refused" | "invalid";
  /** For the log, and of `refused` to tell by. */
  readonly code: string;

  /** @param message without tokens, codes or secrets */
  constructor(kind: ProviderFailure["kind"], code: string, message: string) {
    super(message);
    this.name = "ProviderFailure";
    this.kind = kind;
    this.code = code;
  }
}
