import { GenerationCache } from "../../base/generation-cache.ts";
import type { CacheRecord } from "../../policy/cache-record.ts";
import type { CacheStore } from "../../policy/cache-store.ts";
import type { Clock } from "../../policy/environment.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Reply } from "../../policy/reply.ts";
import { CacheKey } from "./cache-key.ts";
import type { CacheOptions } from "./cache-options.ts";
import { PreparedRecord } from "./prepared-record.ts";
import { currentHeaders, storedAnswer, type Conditions } from "./stored-answer.ts";
import type { Visit } from "./visit.ts";
import { WholeAnswer } from "./whole-answer.ts";

/** How long what could not be kept is not waited for, and what failed is not asked again. */
const PASS_MS = 10_000;
const FAILING_MS = 1_000;
const REMEMBERED_MAX = 4096;

export const cacheResults = [
  "hit",
  "stale",
  "miss",
  "revalidated",
  "refresh",
  "bypass",
  "stored",
  "invalidated",
] as const;

export type CacheCounts = Readonly<
  Record<(typeof cacheResults)[number], { add(count: number): void }>
>;

interface CacheSettings {
  readonly options: CacheOptions;
  readonly clock: Clock;
  readonly store: CacheStore;
  readonly counts: CacheCounts;
}

/** What both sides of one use of the cache have to know. */
export class CacheState {
  readonly options: CacheOptions;
  readonly clock: Clock;
  readonly store: CacheStore;
  readonly counts: CacheCounts;
  readonly key: CacheKey;
  readonly visits = new ExchangeMemory<Visit>();
  /** The resource that an unsafe request may change. */
  readonly changes = new ExchangeMemory<string>();
  /** Until when, by key. Of this worker alone, since it is only about waiting. */
  private readonly passing = new GenerationCache<number>(REMEMBERED_MAX, REMEMBERED_MAX);
  private readonly failing = new GenerationCache<number>(REMEMBERED_MAX, REMEMBERED_MAX);

  constructor({ options, clock, store, counts }: CacheSettings) {
    this.options = options;
    this.clock = clock;
    this.store = store;
    this.counts = counts;
    this.key = new CacheKey(options.key);
  }

  prepare(record: CacheRecord): PreparedRecord {
    const { prepared } = record;
    if (prepared instanceof PreparedRecord && prepared.owner === this) return prepared;
    const made = new PreparedRecord(record, this, this.options);
    record.prepared = made;
    return made;
  }

  /** What a known caller is sent may be kept: for all, or under its own name. */
  allowsCaller({ identity }: Exchange): boolean {
    const { authorized, key } = this.options;
    return authorized || (key.identity && identity !== null);
  }

  /** The client's answer out of a record. */
  answer(record: CacheRecord, conditions: Conditions | null, nowMs: number, how: string): Reply {
    const headers = currentHeaders(record, nowMs, this.options.cacheStatus ? how : null);
    return storedAnswer(record, this.prepare(record), conditions, headers);
  }

  /** The same of a record that does, to a request that makes nothing depend on what it is. */
  hit(record: CacheRecord, nowMs: number): Reply {
    const prepared = this.prepare(record);
    prepared.whole ??= new WholeAnswer(record, prepared.block, this.options.cacheStatus);
    return prepared.whole.at(nowMs);
  }

  /** What came for this key could not be kept: others need not wait for it. */
  pass(key: string): void {
    this.passing.set(key, this.clock.now() + PASS_MS, 1);
  }

  isPassing(key: string): boolean {
    return this.clock.now() < (this.passing.get(key) ?? 0);
  }

  /** The service has just failed: a stale answer is given at once, and it is not asked for a new one. */
  fail(key: string): void {
    this.failing.set(key, this.clock.now() + FAILING_MS, 1);
  }

  isFailing(key: string): boolean {
    return this.clock.now() < (this.failing.get(key) ?? 0);
  }

  /** Lets those go who wait for what this request brings; further calls do nothing. */
  settle(visit: Visit, stored: boolean): void {
    const { leadKey } = visit;
    if (leadKey === null) return;
    visit.leadKey = null;
    if (!stored) {
      if (visit.isRefresh) this.fail(leadKey);
      else this.pass(leadKey);
    }
    this.store.settle(leadKey, stored);
  }
}
