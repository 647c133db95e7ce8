// HOT
/**
 * Which entry has to go: S3-FIFO (Yang and others, SOSP 2023). What is new waits in a small queue, a tenth of the
 * room; what was found there at least twice moves on to the main one, the rest goes, and only a ghost of
 * its fingerprint stays behind: who comes back soon enters the main queue at once. So what is asked for once,
 * however much of it, displaces only its like. In the main queue what was found since its last turn
 * gets another. All of it under the lock.
 */
import {
  BLOCKS,
  type CacheLayout,
  ENTRY_WORDS,
  HITS,
  INSERTIONS,
  NEWER,
  OLDER,
  QUEUE,
  QUEUES,
  UNTIL,
  USED_ENTRIES,
} from "./cache-layout.ts";

export const SMALL = 1;
export const MAIN = 2;
const QUEUE_WORDS = 4;
const NEWEST = 0;
const OLDEST = 1;
const ENTRIES = 2;
const IN_BLOCKS = 3;
/** Finds in the small queue that make an entry worth keeping. */
const PROMOTED_AT = 2;
/** Where all are found all the time, one of them goes nevertheless. */
const TURNS_MAX = 1000;

export class CacheQueues {
  private readonly header: Int32Array;
  private readonly entries: Int32Array;
  private readonly times: Float64Array;
  private readonly ghosts: Int32Array;
  private readonly ghostMask: number;
  /** Blocks beyond which the small queue gives first. */
  readonly smallMax: number;

  constructor({ header, entries, times, ghosts, blockCount }: CacheLayout) {
    this.header = header;
    this.entries = entries;
    this.times = times;
    this.ghosts = ghosts;
    this.ghostMask = ghosts.length / 2 - 1;
    this.smallMax = Math.floor(blockCount / 10);
  }

  /** Puts in an entry that is in no queue; its blocks are counted from now on. */
  insert(entry: number, low: number, high: number): void {
    const number = (this.header[INSERTIONS]! + 1) | 0;
    this.header[INSERTIONS] = number;
    this.push(this.isGhost(low, high, number) ? MAIN : SMALL, entry);
  }

  remove(entry: number): void {
    const { header, entries } = this;
    const at = entry * ENTRY_WORDS;
    const queue = QUEUES + QUEUE_WORDS * entries[at + QUEUE]!;
    const newer = entries[at + NEWER]!;
    const older = entries[at + OLDER]!;
    if (newer === 0) header[queue + NEWEST] = older;
    else entries[newer * ENTRY_WORDS + OLDER] = older;
    if (older === 0) header[queue + OLDEST] = newer;
    else entries[older * ENTRY_WORDS + NEWER] = newer;
    header[queue + ENTRIES]! -= 1;
    header[queue + IN_BLOCKS]! -= entries[at + BLOCKS]!;
    entries[at + QUEUE] = 0;
  }

  /** An entry holds other blocks than it did. */
  resize(entry: number, blocks: number): void {
    const at = entry * ENTRY_WORDS;
    const queue = QUEUES + QUEUE_WORDS * this.entries[at + QUEUE]!;
    this.header[queue + IN_BLOCKS]! += blocks - this.entries[at + BLOCKS]!;
    this.entries[at + BLOCKS] = blocks;
  }

  /**
   * The entry to be given up next, which has been taken out of its queue, or 0 when there is none.
   *
   * @param coming blocks for which room is sought
   */
  next(coming: number, nowMs: number): number {
    const { header } = this;
    const small = QUEUES + QUEUE_WORDS * SMALL;
    const main = QUEUES + QUEUE_WORDS * MAIN;
    for (let turns = 0; ; turns++) {
      const isSmall =
        header[small + OLDEST] !== 0 &&
        (header[small + IN_BLOCKS]! + coming > this.smallMax || header[main + OLDEST] === 0);
      const entry = header[(isSmall ? small : main) + OLDEST]!;
      if (entry === 0) return 0;
      const hits = this.hitsOf(entry, nowMs);
      this.remove(entry);
      if (isSmall && hits < PROMOTED_AT) {
        this.leaveGhost(entry);
        return entry;
      }
      if (!isSmall && (hits === 0 || turns >= TURNS_MAX)) return entry;
      this.entries[entry * ENTRY_WORDS + HITS] = isSmall ? 0 : hits - 1;
      this.push(MAIN, entry);
    }
  }

  private hitsOf(entry: number, nowMs: number): number {
    if (this.times[(entry * ENTRY_WORDS) / 2 + UNTIL]! <= nowMs) return 0;
    return this.entries[entry * ENTRY_WORDS + HITS]!;
  }

  private push(which: number, entry: number): void {
    const { header, entries } = this;
    const at = entry * ENTRY_WORDS;
    const queue = QUEUES + QUEUE_WORDS * which;
    const newest = header[queue + NEWEST]!;
    entries[at + QUEUE] = which;
    entries[at + NEWER] = 0;
    entries[at + OLDER] = newest;
    if (newest === 0) header[queue + OLDEST] = entry;
    else entries[newest * ENTRY_WORDS + NEWER] = entry;
    header[queue + NEWEST] = entry;
    header[queue + ENTRIES]! += 1;
    header[queue + IN_BLOCKS]! += entries[at + BLOCKS]!;
  }

  private leaveGhost(entry: number): void {
    const at = entry * ENTRY_WORDS;
    const ghost = 2 * (this.entries[at + 2]! & this.ghostMask);
    this.ghosts[ghost] = this.entries[at + 1]!;
    this.ghosts[ghost + 1] = this.header[INSERTIONS]!;
  }

  /** A ghost is remembered for as many insertions as there are entries. */
  private isGhost(low: number, high: number, number: number): boolean {
    const ghost = 2 * (high & this.ghostMask);
    if (this.ghosts[ghost] !== low) return false;
    const ageMax = Math.max(64, this.header[USED_ENTRIES]!);
    return ((number - this.ghosts[ghost + 1]!) | 0) <= ageMax;
  }
}
