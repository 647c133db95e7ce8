import { Refusal } from "../../policy/values/refusal.ts";
import type { TokenFlaw } from "../../policy/token/token-flaw.ts";
import type { ParsedToken } from "./parse-token.ts";
import { keyFromJwk, type VerificationKey } from "./verification-key.ts";

/** Of one set. */
const KEYS_MAX = 100;
/** A token that names no key costs at most that many verifications. */
const TRIES_MAX = 4;

/** The keys of one issuer at one time. */
export class KeySet {
  readonly keys: readonly VerificationKey[];

  constructor(keys: readonly VerificationKey[]) {
    this.keys = keys;
  }

  /**
   * The key that has signed the token; `unknown-key` where other keys might; `algorithm` where the key
   * that the token names is not for the token's algorithm.
   */
  verify({ algorithm, keyId, signed, signature }: ParsedToken): VerificationKey | TokenFlaw {
    let flaw: TokenFlaw = "unknown-key";
    let tries = 0;
    for (const key of this.keys) {
      const isNamed = keyId !== "" && key.id === keyId;
      if (keyId !== "" && !isNamed && key.id !== "") continue;
      if (!key.algorithms.has(algorithm)) {
        if (isNamed && flaw === "unknown-key") flaw = "algorithm";
        continue;
      }
      if (tries++ === TRIES_MAX) break;
      if (key.verifies(algorithm, signed, signature)) return key;
      if (isNamed) flaw = "signature";
    }
    return flaw;
  }
}

/** Why some members of a set were passed over. */
export interface ReadKeySet {
  readonly keys: KeySet;
  readonly ignored: readonly string[];
}

/**
 * A JSON Web Key Set (RFC 7517 section 5). Members that are of no use, such as keys for encryption or of
 * a type that is not known, are passed over, as section 5 demands. A key that `previous` has is the same
 * object again; those that are gone, or changed under their id, are revoked by the caller.
 *
 * @throws Refusal when it is no key set, or has no usable key
 */
export function readKeySet(value: unknown, previous: KeySet | null): ReadKeySet {
  const members = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(members)) throw new Refusal("no key set: there is no list `keys`");
  if (members.length > KEYS_MAX) throw new Refusal(`more than ${KEYS_MAX} keys`);
  const known = new Map(previous?.keys.map((key) => [key.fingerprint, key]));
  const ignored: string[] = [];
  const keys: VerificationKey[] = [];
  for (const member of members) {
    try {
      const key = keyFromJwk(typeof member === "object" && member !== null ? member : {});
      keys.push(known.get(key.fingerprint) ?? key);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      ignored.push(error.message);
    }
  }
  if (keys.length === 0) throw new Refusal(`no usable key${listed(ignored)}`);
  return { keys: new KeySet(keys), ignored };
}

function listed(reasons: readonly string[]): string {
  return reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
}
