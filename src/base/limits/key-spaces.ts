import { createHash, randomBytes } from "node:crypto";
import type { LimitRule } from "./limit-rule.ts";

/** Key of the hash by which one rule's, or one scope's, keys are told apart from all others'. */
export interface KeySpace {
  readonly key0: number;
  readonly key1: number;
}

/** Scopes are as many as there are places in a configuration; old ones are forgotten beyond this. */
const SCOPES_MAX = 4096;

/** A new secret, to be shared by all threads that are to find the same entries. */
export function createSecret(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

/** Derives key spaces from a secret: nobody outside can tell where in a table a key is kept. */
export class KeySpaces {
  private readonly secret: Uint8Array;
  private readonly rules: WeakMap<LimitRule, KeySpace>;
  private readonly scopes: Map<string, KeySpace>;

  constructor(secret: Uint8Array) {
    this.secret = secret;
    this.rules = new WeakMap();
    this.scopes = new Map();
  }

  ofRule(rule: LimitRule): KeySpace {
    let space = this.rules.get(rule);
    if (space === undefined) {
      // Counts of another window mean nothing to this one.
      space = this.derive(`rule ${rule.algorithm} ${rule.windowMs} ${rule.id}`);
      this.rules.set(rule, space);
    }
    return space;
  }

  ofScope(scope: string): KeySpace {
    let space = this.scopes.get(scope);
    if (space === undefined) {
      space = this.derive(`scope ${scope}`);
      if (this.scopes.size >= SCOPES_MAX) this.scopes.clear();
      this.scopes.set(scope, space);
    }
    return space;
  }

  private derive(name: string): KeySpace {
    const digest = createHash("sha256").update(this.secret).update(name).digest();
    return { key0: digest.readInt32LE(0), key1: digest.readInt32LE(4) };
  }
}
