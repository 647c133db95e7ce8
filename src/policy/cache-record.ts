/** What makes a record; plain data, so that stores can write it down. */
export interface CacheRecordFacts {
  /** 0: no response, only `vary` and `variant` that lead to those under keys of their own. */
  readonly status: number;
  /** Names in lower case and values, by turns. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Epoch milliseconds at which its age was 0 (RFC 9111 section 4.2.3). */
  readonly bornAtMs: number;
  /** Epoch milliseconds until which it is fresh; 0: it has to be validated each time. */
  readonly freshUntilMs: number;
  /** Request headers that select among variants, in lower case. */
  readonly vary: readonly string[];
  /** Whose it is among records of one key; any text. */
  readonly variant: string;
  /** By which it can be purged. */
  readonly tags: readonly string[];
}

/** A stored response. Never changed once made. */
export class CacheRecord implements CacheRecordFacts {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly bornAtMs: number;
  readonly freshUntilMs: number;
  readonly vary: readonly string[];
  readonly variant: string;
  readonly tags: readonly string[];
  /** What the policy has worked out of it; never stored, null at first. */
  prepared: object | null;

  constructor(facts: CacheRecordFacts) {
    this.status = facts.status;
    this.headers = facts.headers;
    this.body = facts.body;
    this.bornAtMs = facts.bornAtMs;
    this.freshUntilMs = facts.freshUntilMs;
    this.vary = facts.vary;
    this.variant = facts.variant;
    this.tags = facts.tags;
    this.prepared = null;
  }
}
