import type { KeySet } from "./key-set.ts";

/** Where the keys of an issuer are. */
export interface KeySource extends Partial<Disposable> {
  /** Until then what these keys have proved holds without asking; epoch milliseconds. */
  readonly checkAtMs: number;
  /** Which is a promise only where nothing usable is there. null: no keys can be had now. */
  current(nowMs: number): KeySet | null | Promise<KeySet | null>;
  /**
   * Looks for keys that came after those that are known, because a token names none of them.
   *
   * @returns what there is afterwards; `missing` when it would be asked too often; `unavailable` when it
   *   cannot be told whether the key exists
   */
  renewed(nowMs: number): Promise<KeySet | null> | "missing" | "unavailable";
}

/** Keys that stand in the configuration. */
export class StaticKeys implements KeySource {
  readonly checkAtMs = Infinity;
  private readonly keys: KeySet;

  constructor(keys: KeySet) {
    this.keys = keys;
  }

  current(): KeySet {
    return this.keys;
  }

  renewed(): "missing" {
    return "missing";
  }
}
