import { Fault, faultTypes } from "../../base/faults.ts";
import { challengeOf } from "../values/realm.ts";

/**
 * What can be wrong with a bearer token, and the sentence its sender is told: enough to see what to do,
 * nothing that the sender could not know. Characters are those of RFC 6750 section 3.
 */
const FLAWS = {
  "token-malformed": "The token is not well formed.",
  "token-too-long": "The token is too long.",
  "several-tokens": "The request brings more than one token.",
  "token-type": "The token is of a type that is not accepted here.",
  algorithm: "The token is signed by an algorithm that is not accepted here.",
  "critical-header": "The token demands an extension that is not supported.",
  "unknown-key": "No key that is known here has signed the token.",
  signature: "The signature of the token does not hold.",
  inactive: "The token is not active.",
  issuer: "The issuer of the token is not accepted here.",
  audience: "The token is not meant for this service.",
  expired: "The token has expired.",
  "expiry-missing": "The token does not say when it expires.",
  "not-yet-valid": "The token is not valid yet.",
  "issued-in-future": "The token was issued in the future.",
  "too-old": "The token was issued too long ago.",
  "claim-malformed": "A claim of the token is not of its kind.",
  "claim-missing": "The token lacks a claim that is required here, or has another value.",
  "subject-missing": "The token does not say whom it is about.",
  "consumer-unknown": "The token belongs to nobody who is known here.",
} as const;

/** One of the reasons for which a token is refused; the `code` of the answer. */
export type TokenFlaw = keyof typeof FLAWS;

export const tokenFlaws = Object.keys(FLAWS) as readonly TokenFlaw[];

/** The answer for each flaw, made once, with the challenge of RFC 6750 section 3. */
export type TokenFaults = Readonly<Record<TokenFlaw, Fault>>;

export function compileTokenFaults(realm: string): TokenFaults {
  const made = {} as Record<TokenFlaw, Fault>;
  for (const flaw of tokenFlaws) {
    const error = flaw === "several-tokens" ? "invalid_request" : "invalid_token";
    const challenge = `${bearerChallenge(realm)}, error="${error}", error_description="${FLAWS[flaw]}"`;
    made[flaw] = new Fault(faultTypes["invalid-credentials"], FLAWS[flaw], flaw, {
      "www-authenticate": challenge,
    });
  }
  return made;
}

/** What a request without a token is told. */
export function bearerChallenge(realm: string): string {
  return challengeOf("Bearer", realm);
}
