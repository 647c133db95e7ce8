import { hash, randomUUID } from "node:crypto";
import { decodeRecord, encodeRecordHead } from "./cache-record-codec.ts";
import type { CacheRecord } from "./cache-record.ts";
import type { CacheMark, CacheStore, CacheWait, Later } from "./cache-store.ts";
import { prefixOfTag, urlOfTags } from "./cache-tags.ts";
import { MissedPurges } from "./missed-purges.ts";
import { purgeScript, purgeUnderScript, putScript } from "./redis-cache-scripts.ts";
import { RedisLeads } from "./redis-leads.ts";
import type { RedisStore } from "./redis-store.ts";

/** Larger ones are not kept: Redis does nothing else while it takes one. */
export const REDIS_BODY_BYTES_MAX = 2 ** 20;
/** What is older is gone, and with it the need to know that it was purged. */
const TTL_MS_MAX = 30 * 24 * 3600 * 1000;
/** After a call that failed: who waited for that one is not to wait for the next too. */
const REST_MS = 100;

/** Longer than anything is fetched. */
const CHANGE_MS = 600_000;
/** No token: it is not known whether something has changed. */
const UNREAD = "";

class RedisMark implements CacheMark {
  readonly resource: string;
  readonly sinceMs: number;
  /** The token of the last change, when it was made. */
  readonly change: Promise<string | null>;

  constructor(resource: string, sinceMs: number, change: Promise<string | null>) {
    this.resource = resource;
    this.sinceMs = sinceMs;
    this.change = change;
  }
}

/**
 * The cache in Redis, which all machines share. Each record is one key, so that a Cluster spreads them; each tag
 * that was purged is one too, with the time of the purge, and what is older is not found. A hit asks twice,
 * for the record and for its tags. While Redis is away nothing is found or kept, and everyone leads; what was
 * to be forgotten meanwhile is forgotten before anything is found again.
 *
 *     cache:HASH       since ":" form length ":" head body   since: when it began to be fetched, by Redis's clock
 *     cache:tag:HASH   the time of the last purge            form: "a" as it is, "b" a body in base64
 *                      of that of everything; then lines, each the time and the address of a purge of what is below it
 *     cache:change:HASH  a token of the last change of what is under a key, for ten minutes
 *     cache:lead:HASH  a token, or "unstored"                length: of the head, in characters
 */
export class RedisCacheStore implements CacheStore {
  private readonly redis: RedisStore;
  private readonly leads: RedisLeads;
  /** In a Cluster what is stored and who is told are different servers' business. */
  private lastPut: Promise<unknown> = Promise.resolve();
  private readonly missed: MissedPurges;
  private restsUntilMs = 0;

  constructor(redis: RedisStore) {
    this.redis = redis;
    this.leads = new RedisLeads(redis);
    this.missed = new MissedPurges(() => this.purge(nameOf("tag:", EVERYTHING)));
  }

  get(key: string): Later<CacheRecord | undefined> {
    if (!this.isAsked) return undefined;
    return this.find(key).catch(() => {
      this.restsUntilMs = performance.now() + REST_MS;
      return undefined;
    });
  }

  put(key: string, record: CacheRecord, ttlMs: number, mark?: CacheMark): void {
    if (!this.redis.isReady) return;
    if (record.body.length > REDIS_BODY_BYTES_MAX) {
      this.delete(key);
      return;
    }
    const since = mark instanceof RedisMark ? mark : null;
    const sinceMs = since === null ? 0 : Math.ceil(performance.now() - since.sinceMs);
    const ttl = Math.max(1, Math.ceil(Math.min(ttlMs, TTL_MS_MAX)));
    const args = [written(record), ttl, sinceMs];
    const put = this.redis.run(putScript, [nameOf("", key)], args);
    // Looked at afterwards: of a change and this one sees the other, whichever comes first.
    const kept = since === null ? put : put.then(() => this.takeBackIfChanged(key, since));
    this.lastPut = kept.catch(nothing);
  }

  delete(key: string): void {
    const name = nameOf("", key);
    this.forget(name, () => this.redis.delete(name));
  }

  mark(resource: string): RedisMark {
    const { redis } = this;
    const change = redis.isReady
      ? redis.get(nameOf("change:", resource)).catch(() => UNREAD)
      : Promise.resolve(UNREAD);
    return new RedisMark(resource, performance.now(), change);
  }

  invalidate(resource: string): void {
    this.delete(resource);
    const name = nameOf("change:", resource);
    this.forget(name, async () => {
      await this.redis.set(name, randomUUID(), CHANGE_MS);
      // Once more: what was put before could not see the change.
      await this.redis.delete(nameOf("", resource));
    });
  }

  purgeTags(tags: readonly string[]): void {
    for (const tag of tags) {
      const prefix = prefixOfTag(tag);
      if (prefix !== undefined) this.purgeUnder(tag, prefix);
      else {
        const name = nameOf("tag:", tag);
        this.forget(name, () => this.purge(name));
      }
    }
  }

  purgeAll(): void {
    this.purgeTags([EVERYTHING]);
  }

  lead(key: string): Later<boolean> {
    return this.isAsked ? this.leads.take(nameOf("lead:", key)).catch(() => true) : true;
  }

  wait(key: string, timeoutMs: number): Promise<CacheWait> {
    return this.leads.wait(nameOf("lead:", key), timeoutMs);
  }

  settle(key: string, stored: boolean): void {
    this.leads.settle(nameOf("lead:", key), stored, this.lastPut);
  }

  private get isAsked(): boolean {
    return this.redis.isReady && performance.now() >= this.restsUntilMs;
  }

  private forget(name: string, order: () => Promise<unknown>): void {
    if (this.redis.isReady) order().catch(() => this.missed.add(name, order));
    else this.missed.add(name, order);
  }

  private purge(name: string): Promise<unknown> {
    return this.redis.run(purgeScript, [name], [TTL_MS_MAX]);
  }

  private purgeUnder(tag: string, prefix: string): void {
    const keys = [nameOf("tag:", EVERYTHING)];
    this.forget(tag, () => this.redis.run(purgeUnderScript, keys, [TTL_MS_MAX, prefix]));
  }

  private async takeBackIfChanged(key: string, { resource, change }: RedisMark): Promise<void> {
    const [before, now] = await Promise.all([
      change,
      this.redis.get(nameOf("change:", resource)).catch(() => UNREAD),
    ]);
    if (before !== now || now === UNREAD) await this.redis.delete(nameOf("", key));
  }

  private async find(key: string): Promise<CacheRecord | undefined> {
    if (!this.missed.isEmpty && !(await this.missed.makeUp())) return undefined;
    const [text, purged] = await Promise.all([
      this.redis.get(nameOf("", key)),
      this.redis.get(nameOf("tag:", EVERYTHING)),
    ]);
    if (text === null) return undefined;
    const { sinceMs, record } = read(text);
    if (record === null || isWidelyPurged(sinceMs, purged, record.tags)) return undefined;
    const purges = await Promise.all(record.tags.map((tag) => this.redis.get(nameOf("tag:", tag))));
    return purges.some((each) => isPurged(sinceMs, each)) ? undefined : record;
  }
}

/** No tag of a record: those begin with a word. */
const EVERYTHING = "";
const HASH_CHARACTERS = 22;

/** 132 bits of a hash, as long as no one aims at a collision: that would take 2^66 tries. */
function nameOf(kind: string, key: string): string {
  return `cache:${kind}${hash("sha256", key, "base64url").slice(0, HASH_CHARACTERS)}`;
}

/** Redis is told text, so what is not is written in base64. */
function written(record: CacheRecord): string {
  const head = encodeRecordHead(record).toString();
  const body = record.body.toString("latin1");
  const isText = /^[\0-\x7f]*$/.test(body);
  return `${isText ? "a" : "b"}${head.length}:${head}${isText ? body : record.body.toString("base64")}`;
}

function read(text: string): { sinceMs: number; record: CacheRecord | null } {
  const formAt = text.indexOf(":") + 1;
  const headAt = text.indexOf(":", formAt) + 1;
  const bodyAt = headAt + Number(text.slice(formAt + 1, headAt - 1));
  const head = Buffer.from(text.slice(headAt, bodyAt));
  const body = Buffer.from(text.slice(bodyAt), text[formAt] === "a" ? "latin1" : "base64");
  return { sinceMs: Number(text.slice(0, formAt - 1)), record: decodeRecord(head, body) };
}

function isPurged(sinceMs: number, purge: string | null): boolean {
  return purge !== null && Number(purge) >= sinceMs;
}

/** `purges`: see `cache:tag:HASH` of everything. */
function isWidelyPurged(sinceMs: number, purges: string | null, tags: readonly string[]): boolean {
  if (purges === null) return false;
  const [all, ...under] = purges.split("\n");
  if (isPurged(sinceMs, all!)) return true;
  const url = under.length === 0 ? undefined : urlOfTags(tags);
  if (url === undefined) return false;
  return under.some((line) => {
    const prefixAt = line.indexOf(" ") + 1;
    return url.startsWith(line.slice(prefixAt)) && isPurged(sinceMs, line.slice(0, prefixAt - 1));
  });
}

function nothing(): undefined {
  return undefined;
}
