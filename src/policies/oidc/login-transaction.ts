import { createHash, randomBytes } from "node:crypto";
import type { CookieSealer } from "./sealed-cookie.ts";

/** From the redirect to the provider until the browser is back: people look for their passwords. */
export const LOGIN_MS = 15 * 60_000;
const STATE = /^[\w-]{43}$/;

/** One sign-in under way, as its cookie keeps it: whoever comes back without the cookie has not begun it. */
export interface LoginTransaction {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Scheme and host under which it began. */
  readonly origin: string;
  readonly returnTo: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
}

/** 256 random bits each (RFC 7636 section 4.1, RFC 9700 section 2.1.1). */
export function newTransaction(origin: string, returnTo: string, nowMs: number): LoginTransaction {
  const random = (): string => randomBytes(32).toString("base64url");
  return {
    state: random(),
    nonce: random(),
    codeVerifier: random(),
    origin,
    returnTo,
    startedAtMs: nowMs,
  };
}

/** S256, RFC 7636 section 4.2. */
export function codeChallengeOf({ codeVerifier }: LoginTransaction): string {
  return createHash("sha256").update(codeVerifier).digest("base64url");
}

export function isState(text: string | undefined): text is string {
  return text !== undefined && STATE.test(text);
}

/** @param name of the cookie */
export function sealTransaction(
  sealer: CookieSealer,
  name: string,
  transaction: LoginTransaction,
): string {
  const text = JSON.stringify(transaction);
  return sealer.seal(text, name, transaction.startedAtMs + LOGIN_MS);
}

/** null for what is none, or has taken too long. */
export function openTransaction(
  sealer: CookieSealer,
  name: string,
  sealed: string,
  nowMs: number,
): LoginTransaction | null {
  const text = sealer.open(sealed, name, nowMs);
  return text === null ? null : (JSON.parse(text) as LoginTransaction);
}
