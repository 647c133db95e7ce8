import assert from "node:assert/strict";
import {
  BLOCKS,
  type CacheHandle,
  CacheLayout,
  CHAIN,
  ENTRY_WORDS,
  FIRST_BLOCK,
  FREE_BLOCK,
  FREE_ENTRY,
  FRESH_BLOCK,
  FRESH_ENTRY,
  OLDER,
  QUEUES,
  USED_BLOCKS,
  USED_ENTRIES,
  VERSION,
} from "../../src/base/cache/cache-layout.ts";

/** Fails unless each block and each entry is in one place, once, and all counts are right. */
export function auditCache({ buffer }: CacheHandle): void {
  const { header, entries, links, buckets, blockCount, entryCount } = new CacheLayout(buffer);
  const blocksSeen = new Set<number>();
  const chain = (first: number, where: string): number => {
    let length = 0;
    for (let block = first; block !== 0; block = links[block]!, length++) {
      assert.ok(!blocksSeen.has(block), `block ${block} twice, now in ${where}`);
      assert.ok(block >= 1 && block <= blockCount);
      blocksSeen.add(block);
    }
    return length;
  };
  let live = 0;
  let blocks = 0;
  for (const queue of [1, 2]) {
    let count = 0;
    let inBlocks = 0;
    const at = QUEUES + 4 * queue;
    for (let entry = header[at]!; entry !== 0; entry = entries[entry * ENTRY_WORDS + OLDER]!) {
      assert.equal(entries[entry * ENTRY_WORDS + VERSION]! & 1, 1, `entry ${entry} is free`);
      const length = chain(entries[entry * ENTRY_WORDS + FIRST_BLOCK]!, `entry ${entry}`);
      assert.equal(length, entries[entry * ENTRY_WORDS + BLOCKS]!);
      count++;
      inBlocks += length;
    }
    assert.deepEqual([header[at + 2], header[at + 3]], [count, inBlocks], `queue ${queue}`);
    live += count;
    blocks += inBlocks;
  }
  assert.deepEqual([header[USED_ENTRIES], header[USED_BLOCKS]], [live, blocks]);
  const free = chain(header[FREE_BLOCK]!, "the free list");
  assert.equal(free + blocks, header[FRESH_BLOCK], "blocks are lost");
  assert.ok(header[FRESH_BLOCK]! <= blockCount && header[FRESH_ENTRY]! <= entryCount);
  let freeEntries = 0;
  for (let entry = header[FREE_ENTRY]!; entry !== 0; freeEntries++) {
    entry = entries[entry * ENTRY_WORDS + CHAIN]!;
  }
  assert.equal(freeEntries + live, header[FRESH_ENTRY], "entries are lost");
  let hashed = 0;
  for (let entry of buckets) {
    for (; entry !== 0; entry = entries[entry * ENTRY_WORDS + CHAIN]!) hashed++;
  }
  assert.equal(hashed, live, "in the hash table");
}
