import {
  ALL_SLOT,
  BLOCK_BYTES,
  type CacheLayout,
  ENTRY_WORDS,
  FIRST_BLOCK,
  FRESH_ENTRY,
  SEQUENCE,
  UNTIL,
  VERSION,
} from "./cache-layout.ts";
import { CACHE_TAGS_MAX } from "./shared-cache.ts";

const BLOCK_WORDS = BLOCK_BYTES / 4;
/** Where slots of tags begin in the first block of an entry, which holds all of them. */
const SLOTS_AT = 2;

/**
 * How many values can be found at `nowMs` that have any of these slots; ALL_SLOT is all. Looks at every entry,
 * some milliseconds for 100,000, without the lock: what changes meanwhile may be counted or not.
 */
export function countEntries(layout: CacheLayout, slots: readonly number[], nowMs: number): number {
  const { header, entries, times, tags, bytes } = layout;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, layout.blockCount * BLOCK_WORDS);
  const used = header[FRESH_ENTRY]!;
  let count = 0;
  for (let entry = 1; entry <= used; entry++) {
    const at = entry * ENTRY_WORDS;
    if ((entries[at + VERSION]! & 1) === 0 || times[at / 2 + UNTIL]! <= nowMs) continue;
    const first = (entries[at + FIRST_BLOCK]! - 1) * BLOCK_WORDS;
    const sequence = entries[at + SEQUENCE]!;
    // What is being written just now may be any number.
    const end = first + SLOTS_AT + Math.min(words[first]!, CACHE_TAGS_MAX);
    let isWanted = slots.includes(ALL_SLOT);
    let isPurged = ((tags[ALL_SLOT]! - sequence) | 0) > 0;
    for (let place = first + SLOTS_AT; place < end && !isPurged; place++) {
      const slot = words[place]!;
      isPurged = ((tags[slot]! - sequence) | 0) > 0;
      isWanted ||= slots.includes(slot);
    }
    if (isWanted && !isPurged) count++;
  }
  return count;
}
