// HOT
/**
 * One thread's view of the cache that all workers share: values by key, as bytes in memory of fixed size, and
 * those found often as they are, in this thread.
 *
 * Finding takes no lock. Each entry has a version, odd while it holds something; who reads copies the bytes out
 * and then looks whether the version is still the same, so nothing torn is ever seen: it is read again, or not
 * found. What this thread holds decoded is good as long as its entry's version stands and none of its
 * tags has been purged: less than half a microsecond, whatever the size (Node 26, on a busy machine). From shared
 * memory a response of 2 kB takes 9 us: hashing the key, the copy, and most of all decoding.
 *
 * Storing takes the one lock while the bytes are copied in (10 us for 100 kB), or is left undone. What a
 * thread has fetched since before a purge is purged with it: see `SEQUENCE`.
 */
import { KeyHash } from "../limits/key-hash.ts";
import { type KeySpace, KeySpaces } from "../limits/key-spaces.ts";
import { CacheBlocks } from "./cache-blocks.ts";
import {
  ALL_SLOT,
  BLOCK_BYTES,
  BLOCKS,
  type CacheHandle,
  CacheLayout,
  CHAIN,
  CHANGE_SLOTS,
  ENTRY_WORDS,
  EVICTIONS,
  FINGERPRINT,
  FIRST_BLOCK,
  FREE_ENTRY,
  FRESH_ENTRY,
  HITS,
  HITS_MAX,
  PURGES,
  QUEUE,
  REFUSALS,
  SEQUENCE,
  SIZE,
  TAG_SLOTS,
  UNTIL,
  USED_ENTRIES,
  VERSION,
} from "./cache-layout.ts";
import { CacheLock } from "./cache-lock.ts";
import { CacheQueues } from "./cache-queues.ts";
import { FOLDERS_MAX } from "./cache-tags.ts";
import { type HotValue, HotValues } from "./hot-values.ts";

/** Makes a value of its bytes; they are the value's own. Null where they make none. */
export type DecodeValue<Value> = (head: Buffer, body: Buffer) => Value | null;

/** What is to be stored. */
export interface StoredBytes {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  /** At most CACHE_TAGS_MAX; purged with any of them. */
  readonly tags: readonly string[];
  /** Epoch milliseconds. */
  readonly untilMs: number;
  /** `purges` when it began to be fetched. */
  readonly sequence: number;
  /** Of what it is an answer to, from when it began to be fetched: it is not stored if that has changed since. */
  readonly change?: ChangeMark;
}

/** How often what shares a slot had changed. */
export interface ChangeMark {
  readonly slot: number;
  readonly count: number;
}

/** 64 that a record names, and those of the folders that it is in; all of them fit into its first block. */
export const CACHE_TAGS_MAX = 64 + 1 + FOLDERS_MAX;

/** Before the tags: their count, the size of the head. */
const PREFIX_WORDS = 2;
/** A chain is as long at most, if it is one. */
const STEPS_MAX = 1000;
const TRIES = 3;

export class SharedCache<Value> {
  /** Bytes of one value, tags included: what a scan of large ones displaces stays its like. */
  readonly valueBytesMax: number;
  private readonly layout: CacheLayout;
  private readonly header: Int32Array;
  private readonly entries: Int32Array;
  private readonly blocks: CacheBlocks;
  private readonly queues: CacheQueues;
  private readonly lock: CacheLock;
  private readonly hot: HotValues<Value>;
  private readonly decode: DecodeValue<Value>;
  private readonly low: KeyHash;
  private readonly high: KeyHash;
  private readonly lowSpace: KeySpace;
  private readonly highSpace: KeySpace;
  private readonly tagSpace: KeySpace;
  private readonly changeSpace: KeySpace;

  /**
   * @param holder the thread's own number, from 1
   * @param hotBytesMax of what this thread holds decoded, about
   */
  constructor(
    { buffer, secret }: CacheHandle,
    holder: number,
    decode: DecodeValue<Value>,
    hotBytesMax: number,
  ) {
    this.layout = new CacheLayout(buffer);
    this.header = this.layout.header;
    this.entries = this.layout.entries;
    this.blocks = new CacheBlocks(this.layout);
    this.queues = new CacheQueues(this.layout);
    this.lock = new CacheLock(this.header, holder);
    this.hot = new HotValues(hotBytesMax);
    this.decode = decode;
    this.low = new KeyHash();
    this.high = new KeyHash();
    const spaces = new KeySpaces(secret);
    this.lowSpace = spaces.ofScope("cache low");
    this.highSpace = spaces.ofScope("cache high");
    this.tagSpace = spaces.ofScope("cache tag");
    this.changeSpace = spaces.ofScope("cache change");
    this.valueBytesMax = this.queues.smallMax * BLOCK_BYTES;
  }

  /** The value under `key`, if there is one that may be used at `nowMs`. */
  find(key: string, nowMs: number): Value | undefined {
    const hot = this.hot.get(key);
    if (hot === undefined) return this.findShared(key, nowMs);
    const at = hot.entry * ENTRY_WORDS;
    const isSame = Atomics.load(this.entries, at + VERSION) === hot.version;
    if (isSame && nowMs < hot.untilMs && !this.isPurged(hot)) {
      this.touch(at);
      return hot.value;
    }
    this.hot.drop(key, hot);
    return isSame ? undefined : this.findShared(key, nowMs);
  }

  /**
   * Stores in place of what was there. False when it is too large, and then there is nothing; when its `change` is
   * not of now; or when the lock cannot be had.
   */
  put(key: string, stored: StoredBytes, nowMs: number): boolean {
    const prefix = this.prefixOf(stored);
    const size = prefix.length + stored.body.length;
    if (size > this.valueBytesMax || stored.untilMs <= nowMs) {
      Atomics.add(this.header, REFUSALS, 1);
      this.delete(key);
      return false;
    }
    this.hash(key);
    if (!this.lock.take()) {
      Atomics.add(this.header, REFUSALS, 1);
      return false;
    }
    // Under the lock: who notes a change deletes after that, so that nothing can come in between.
    if (stored.change !== undefined && this.hasChanged(stored.change)) {
      this.lock.release();
      return false;
    }
    const needed = Math.ceil(size / BLOCK_BYTES);
    this.makeRoom(needed, nowMs);
    const first = this.blocks.take(needed);
    this.blocks.write(first, prefix, stored.body);
    const found = this.locate();
    if (found === 0) this.insert(first, needed, size, stored);
    else this.replace(found, first, needed, size, stored);
    this.lock.release();
    return true;
  }

  /** False when the lock cannot be had. */
  delete(key: string): boolean {
    this.hash(key);
    if (!this.lock.take()) return false;
    const entry = this.locate();
    if (entry !== 0) {
      this.queues.remove(entry);
      this.release(entry);
    }
    this.lock.release();
    return true;
  }

  /** For `StoredBytes.change`. */
  changeOf(key: string): ChangeMark {
    const slot = this.changeSlotOf(key);
    return { slot, count: Atomics.load(this.layout.changes, slot) };
  }

  /** What is under way with a mark of before is not stored any more; nor what shares its place among CHANGE_SLOTS. */
  noteChange(key: string): void {
    Atomics.add(this.layout.changes, this.changeSlotOf(key), 1);
  }

  /** Rises with each purge; for `StoredBytes.sequence`. */
  get purges(): number {
    return Atomics.load(this.header, PURGES);
  }

  /** Forgets, in all threads at once, what has the tag; what shares its place among TAG_SLOTS goes too. */
  purgeTag(tag: string): void {
    this.purgeSlot(this.slotOf(tag));
  }

  purgeAll(): void {
    this.purgeSlot(ALL_SLOT);
  }

  private findShared(key: string, nowMs: number): Value | undefined {
    this.hash(key);
    for (let tries = 0; tries < TRIES; tries++) {
      const entry = this.locate();
      if (entry === 0) return undefined;
      const at = entry * ENTRY_WORDS;
      const version = Atomics.load(this.entries, at + VERSION);
      if ((version & 1) === 0 || !this.isAt(at)) continue;
      const untilMs = this.layout.times[at / 2 + UNTIL]!;
      const sequence = this.entries[at + SEQUENCE]!;
      const size = this.entries[at + SIZE]!;
      if (!(size > 0 && size <= this.valueBytesMax)) continue;
      const bytes = Buffer.allocUnsafeSlow(size);
      const isRead = this.blocks.read(this.entries[at + FIRST_BLOCK]!, bytes);
      // Read and written, so that no load of before can be ordered behind it.
      if (Atomics.add(this.entries, at + VERSION, 0) !== version || !isRead) continue;
      return untilMs > nowMs ? this.take(key, entry, version, sequence, untilMs, bytes) : undefined;
    }
    return undefined;
  }

  /** What was read whole, unless it has been purged. */
  private take(
    key: string,
    entry: number,
    version: number,
    sequence: number,
    untilMs: number,
    bytes: Buffer,
  ): Value | undefined {
    const tagCount = bytes.readInt32LE(0);
    const slots = new Int32Array(tagCount);
    for (let tag = 0; tag < tagCount; tag++) {
      slots[tag] = bytes.readInt32LE((PREFIX_WORDS + tag) * 4);
    }
    const headAt = (PREFIX_WORDS + tagCount) * 4;
    const bodyAt = headAt + bytes.readInt32LE(4);
    const purges = this.purges;
    if (this.isAnyPurged(slots, sequence)) return undefined;
    const value = this.decode(bytes.subarray(headAt, bodyAt), bytes.subarray(bodyAt));
    if (value === null) return undefined;
    const at = entry * ENTRY_WORDS;
    // What is found once only would push out what is found often.
    if (this.entries[at + HITS]! > 0) {
      const heldBytes = bytes.length + key.length;
      this.hot.set(key, {
        value,
        entry,
        version,
        untilMs,
        slots,
        sequence,
        purges,
        size: heldBytes,
        isFound: false,
      });
    }
    this.touch(at);
    return value;
  }

  private touch(at: number): void {
    const hits = this.entries[at + HITS]!;
    if (hits < HITS_MAX) this.entries[at + HITS] = hits + 1;
  }

  private isPurged(hot: HotValue<Value>): boolean {
    const { purges } = this;
    if (purges === hot.purges) return false;
    if (this.isAnyPurged(hot.slots, hot.sequence)) return true;
    hot.purges = purges;
    return false;
  }

  private isAnyPurged(slots: Int32Array, sequence: number): boolean {
    if (this.isSlotPurged(ALL_SLOT, sequence)) return true;
    for (let tag = 0; tag < slots.length; tag++) {
      if (this.isSlotPurged(slots[tag]!, sequence)) return true;
    }
    return false;
  }

  private isSlotPurged(slot: number, sequence: number): boolean {
    return ((Atomics.load(this.layout.tags, slot) - sequence) | 0) > 0;
  }

  /**
   * Counted before and after: before, so that what is fetched from now on is told from what was; after, so
   * that who has looked in between looks again.
   */
  private purgeSlot(slot: number): void {
    const { tags } = this.layout;
    const purge = Atomics.add(this.header, PURGES, 1) + 1;
    for (;;) {
      const last = Atomics.load(tags, slot);
      if (((purge - last) | 0) <= 0) break;
      if (Atomics.compareExchange(tags, slot, last, purge) === last) break;
    }
    Atomics.add(this.header, PURGES, 1);
  }

  /** Where purges of a tag are noted; some tags share it. */
  slotOf(tag: string): number {
    this.low.compute(tag, this.tagSpace.key0, this.tagSpace.key1);
    return 1 + ((this.low.low >>> 0) % (TAG_SLOTS - 1));
  }

  private changeSlotOf(key: string): number {
    this.low.compute(key, this.changeSpace.key0, this.changeSpace.key1);
    return (this.low.low >>> 0) % CHANGE_SLOTS;
  }

  private hasChanged({ slot, count }: ChangeMark): boolean {
    return Atomics.load(this.layout.changes, slot) !== count;
  }

  private prefixOf({ tags, head }: StoredBytes): Buffer {
    const count = Math.min(tags.length, CACHE_TAGS_MAX);
    const headAt = (PREFIX_WORDS + count) * 4;
    const prefix = Buffer.allocUnsafe(headAt + head.length);
    prefix.writeInt32LE(count, 0);
    prefix.writeInt32LE(head.length, 4);
    for (let tag = 0; tag < count; tag++) {
      prefix.writeInt32LE(this.slotOf(tags[tag]!), (PREFIX_WORDS + tag) * 4);
    }
    prefix.set(head, headAt);
    return prefix;
  }

  private hash(key: string): void {
    this.low.compute(key, this.lowSpace.key0, this.lowSpace.key1);
    this.high.compute(key, this.highSpace.key0, this.highSpace.key1);
  }

  private get bucket(): number {
    return this.low.high & (this.layout.buckets.length - 1);
  }

  /** Entry of the key that was hashed last, or 0. Without the lock it may be missed while the chain changes. */
  private locate(): number {
    let entry = Atomics.load(this.layout.buckets, this.bucket);
    for (let steps = 0; entry > 0 && steps < STEPS_MAX; steps++) {
      const at = entry * ENTRY_WORDS;
      if (this.isAt(at)) return entry;
      entry = this.entries[at + CHAIN]!;
    }
    return 0;
  }

  private isAt(at: number): boolean {
    const { entries, low, high } = this;
    return (
      entries[at + FINGERPRINT] === low.low &&
      entries[at + FINGERPRINT + 1] === low.high &&
      entries[at + FINGERPRINT + 2] === high.low &&
      entries[at + FINGERPRINT + 3] === high.high
    );
  }

  // What follows is done under the lock.

  private makeRoom(blocks: number, nowMs: number): void {
    const { header, layout } = this;
    while (this.blocks.free < blocks || header[USED_ENTRIES]! >= layout.entryCount) {
      const entry = this.queues.next(blocks, nowMs);
      if (entry === 0) return;
      header[EVICTIONS]! += 1;
      this.release(entry);
    }
  }

  private insert(first: number, blocks: number, size: number, stored: StoredBytes): void {
    const { header, entries, low, high } = this;
    const { buckets } = this.layout;
    let entry = header[FREE_ENTRY]!;
    if (entry === 0) entry = ++header[FRESH_ENTRY]!;
    else header[FREE_ENTRY] = entries[entry * ENTRY_WORDS + CHAIN]!;
    header[USED_ENTRIES]! += 1;
    const at = entry * ENTRY_WORDS;
    entries[at + FINGERPRINT] = low.low;
    entries[at + FINGERPRINT + 1] = low.high;
    entries[at + FINGERPRINT + 2] = high.low;
    entries[at + FINGERPRINT + 3] = high.high;
    entries[at + HITS] = 0;
    this.fill(at, first, size, stored);
    entries[at + BLOCKS] = blocks;
    this.queues.insert(entry, low.low, low.high);
    entries[at + CHAIN] = buckets[this.bucket]!;
    Atomics.add(entries, at + VERSION, 1);
    Atomics.store(buckets, this.bucket, entry);
  }

  private replace(
    entry: number,
    first: number,
    blocks: number,
    size: number,
    stored: StoredBytes,
  ): void {
    const { entries } = this;
    const at = entry * ENTRY_WORDS;
    const before = entries[at + FIRST_BLOCK]!;
    const blocksBefore = entries[at + BLOCKS]!;
    Atomics.add(entries, at + VERSION, 1);
    this.fill(at, first, size, stored);
    this.queues.resize(entry, blocks);
    Atomics.add(entries, at + VERSION, 1);
    this.blocks.give(before, blocksBefore);
  }

  private fill(at: number, first: number, size: number, stored: StoredBytes): void {
    const { entries, layout } = this;
    entries[at + FIRST_BLOCK] = first;
    entries[at + SIZE] = size;
    entries[at + SEQUENCE] = stored.sequence;
    layout.times[at / 2 + UNTIL] = stored.untilMs;
  }

  /** Frees an entry that is in no queue. */
  private release(entry: number): void {
    const { header, entries } = this;
    const at = entry * ENTRY_WORDS;
    Atomics.add(entries, at + VERSION, 1);
    this.unchain(entry);
    for (let word = 0; word < 4; word++) entries[at + FINGERPRINT + word] = 0;
    this.blocks.give(entries[at + FIRST_BLOCK]!, entries[at + BLOCKS]!);
    entries[at + QUEUE] = 0;
    entries[at + CHAIN] = header[FREE_ENTRY]!;
    header[FREE_ENTRY] = entry;
    header[USED_ENTRIES]! -= 1;
  }

  private unchain(entry: number): void {
    const { entries } = this;
    const { buckets } = this.layout;
    const at = entry * ENTRY_WORDS;
    const bucket = entries[at + FINGERPRINT + 1]! & (buckets.length - 1);
    if (buckets[bucket] === entry) {
      Atomics.store(buckets, bucket, entries[at + CHAIN]!);
      return;
    }
    let before = buckets[bucket]!;
    while (entries[before * ENTRY_WORDS + CHAIN] !== entry) {
      before = entries[before * ENTRY_WORDS + CHAIN]!;
    }
    entries[before * ENTRY_WORDS + CHAIN] = entries[at + CHAIN]!;
  }
}
