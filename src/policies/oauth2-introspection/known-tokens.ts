import { GenerationCache } from "../../base/generation-cache.ts";
import type { JsonObject } from "../../base/strict-json.ts";

/** Of all remembered tokens of one use of the policy in one worker. */
const LENGTH_MAX = 16 * 1024 * 1024;
const INACTIVE_LENGTH_MAX = 4 * 1024 * 1024;

/** What the server has said of a token. */
export interface KnownToken {
  /** null: it is not active. */
  readonly claims: JsonObject | null;
  /** Until then it is not asked again; epoch milliseconds. */
  readonly freshUntilMs: number;
  /** Until then it may serve where the server cannot be asked. */
  readonly usableUntilMs: number;
}

/** Tokens by their text. Those that are not active have room of their own: anyone can make them up. */
export class KnownTokens {
  private readonly active: GenerationCache<KnownToken>;
  private readonly inactive: GenerationCache<KnownToken>;

  constructor(countMax: number) {
    this.active = new GenerationCache(countMax, LENGTH_MAX);
    this.inactive = new GenerationCache(countMax, INACTIVE_LENGTH_MAX);
  }

  get(token: string): KnownToken | undefined {
    return this.active.get(token) ?? this.inactive.get(token);
  }

  set(token: string, known: KnownToken): void {
    const isActive = known.claims !== null;
    if (!isActive) this.active.delete(token);
    // A token is a slice of the request's head, and would keep all of it in memory.
    const copy = Buffer.from(token, "latin1").toString("latin1");
    (isActive ? this.active : this.inactive).set(copy, known, token.length);
  }

  /** Nothing is to be given back; `keep` asks for it. */
  [Symbol.dispose](): void {}
}
