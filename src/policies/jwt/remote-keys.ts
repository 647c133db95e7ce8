import type { Log } from "../../base/log/log.ts";
import type { KeySet, ReadKeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";

export interface RemoteKeysSettings {
  /** How old keys may become where their server does not say. */
  readonly refreshMs: number;
  /** Between two looks for a key that is not known. */
  readonly cooldownMs: number;
  /** How long the last good keys serve while their server cannot be reached. */
  readonly outageMs: number;
}

export interface FetchedKeys extends ReadKeySet {
  /** What the server says of how long they are fresh; undefined when it does not. */
  readonly freshMs: number | undefined;
}

/** Bounds of what a server may say: neither a flood of requests nor keys that cannot be revoked. */
const FRESH_MS_MIN = 60_000;
const FRESH_MS_MAX = 3_600_000;
const RETRY_MS_MIN = 1000;

/**
 * Keys behind a URL. Time decides what a request meets:
 *
 *     fetched      refreshAt          twice as old               outage over
 *        |  serve     |  serve, fetch      |  wait for the fetch        |  none
 *        |            |  meanwhile         |  (failed: serve on)        |
 *
 * There are no timers: keys that nobody needs are not fetched. All requests share one fetch, and failed
 * ones are repeated at growing distances.
 */
export class RemoteKeys implements KeySource {
  checkAtMs = 0;
  private readonly fetchKeys: (previous: KeySet | null) => Promise<FetchedKeys>;
  private readonly settings: RemoteKeysSettings;
  private readonly now: () => number;
  private readonly log: Log;
  private keys: KeySet | null = null;
  private pending: Promise<KeySet | null> | null = null;
  private fetchedAtMs = 0;
  private freshMs = 0;
  private failureCount = 0;
  private triedAtMs = -Infinity;

  /** @param log says in its fields which keys these are */
  constructor(
    fetchKeys: (previous: KeySet | null) => Promise<FetchedKeys>,
    settings: RemoteKeysSettings,
    { now, log }: { now: () => number; log: Log },
  ) {
    this.fetchKeys = fetchKeys;
    this.settings = settings;
    this.now = now;
    this.log = log;
  }

  current(nowMs: number): KeySet | null | Promise<KeySet | null> {
    if (this.keys !== null && nowMs >= this.fetchedAtMs + this.settings.outageMs) this.drop();
    const { keys } = this;
    if (keys !== null && nowMs < this.checkAtMs) return keys;
    if (nowMs >= this.triedAtMs + this.retryMs) void this.load();
    if (keys === null) return this.pending;
    const isOld = nowMs >= this.fetchedAtMs + 2 * this.freshMs && this.failureCount === 0;
    return isOld && this.pending !== null ? this.pending : keys;
  }

  renewed(nowMs: number): Promise<KeySet | null> | "missing" | "unavailable" {
    if (this.pending !== null) return this.pending;
    if (this.failureCount > 0) {
      return nowMs >= this.triedAtMs + this.retryMs ? this.load() : "unavailable";
    }
    return nowMs >= this.triedAtMs + this.settings.cooldownMs ? this.load() : "missing";
  }

  /** After a failure the distances double, up to the cooldown. */
  private get retryMs(): number {
    if (this.failureCount === 0) return 0;
    return Math.min(this.settings.cooldownMs, RETRY_MS_MIN * 2 ** (this.failureCount - 1));
  }

  /** One fetch for all; never rejects. */
  private load(): Promise<KeySet | null> {
    this.pending ??= this.fetchKeys(this.keys).then(
      (fetched) => this.take(fetched),
      (error: unknown) => this.fail(error),
    );
    return this.pending;
  }

  private take({ keys, ignored, freshMs }: FetchedKeys): KeySet {
    const nowMs = this.now();
    const previous = this.keys;
    if (this.failureCount > 0) this.log.info("keys can be fetched again");
    if (ignored.length > 0) this.log.debug("keys of no use here", { reasons: ignored });
    this.keys = keys;
    this.pending = null;
    this.failureCount = 0;
    this.triedAtMs = nowMs;
    this.fetchedAtMs = nowMs;
    this.freshMs =
      freshMs === undefined
        ? this.settings.refreshMs
        : Math.min(FRESH_MS_MAX, Math.max(FRESH_MS_MIN, freshMs));
    this.checkAtMs = nowMs + Math.min(this.freshMs, this.settings.outageMs);
    for (const key of previous?.keys ?? []) if (!keys.keys.includes(key)) key.isRevoked = true;
    return keys;
  }

  private fail(error: unknown): KeySet | null {
    const nowMs = this.now();
    this.pending = null;
    this.failureCount++;
    this.triedAtMs = nowMs;
    const { keys, fetchedAtMs } = this;
    this.checkAtMs = Math.min(nowMs + this.retryMs, fetchedAtMs + this.settings.outageMs);
    const age = keys === null ? "none" : `${Math.round((nowMs - fetchedAtMs) / 1000)}s`;
    this.log.warn("keys cannot be fetched", { error, ageOfLast: age });
    return keys;
  }

  private drop(): void {
    for (const key of this.keys!.keys) key.isRevoked = true;
    this.keys = null;
    // Keys that nobody has needed for so long are fetched again and missed by nobody.
    if (this.failureCount > 0) this.log.error("the last keys are too old to be used");
  }
}
