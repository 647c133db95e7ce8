// HOT
/**
 * Chains of blocks, which hold the bytes of entries. All but `read` is done under the lock. Blocks that follow
 * one another in a chain often do in memory too: those are copied at once.
 */
import {
  BLOCK_BYTES,
  type CacheLayout,
  FREE_BLOCK,
  FRESH_BLOCK,
  USED_BLOCKS,
} from "./cache-layout.ts";

export class CacheBlocks {
  private readonly header: Int32Array;
  private readonly links: Int32Array;
  private readonly bytes: Uint8Array;
  readonly count: number;

  constructor({ header, links, bytes, blockCount }: CacheLayout) {
    this.header = header;
    this.links = links;
    this.bytes = bytes;
    this.count = blockCount;
  }

  get free(): number {
    return this.count - this.header[USED_BLOCKS]!;
  }

  /** A chain of so many blocks, of which as many are free. */
  take(count: number): number {
    const { header, links } = this;
    let first = 0;
    let last = 0;
    for (let taken = 0; taken < count; taken++) {
      let block = header[FREE_BLOCK]!;
      if (block === 0) block = ++header[FRESH_BLOCK]!;
      else header[FREE_BLOCK] = links[block]!;
      if (first === 0) first = block;
      else links[last] = block;
      last = block;
    }
    links[last] = 0;
    header[USED_BLOCKS]! += count;
    return first;
  }

  /** Gives back a chain of `count`. */
  give(first: number, count: number): void {
    const { header, links } = this;
    let last = first;
    while (links[last] !== 0) last = links[last]!;
    links[last] = header[FREE_BLOCK]!;
    header[FREE_BLOCK] = first;
    header[USED_BLOCKS]! -= count;
  }

  /** Writes `head` and `body` one after the other. */
  write(first: number, head: Uint8Array, body: Uint8Array): void {
    const size = head.length + body.length;
    let block = first;
    let done = 0;
    while (done < size) {
      const run = this.runFrom(block, size - done);
      const at = (block - 1) * BLOCK_BYTES;
      const end = Math.min(done + run * BLOCK_BYTES, size);
      const split = Math.min(Math.max(head.length, done), end);
      if (done < split) this.bytes.set(head.subarray(done, split), at);
      if (split < end) {
        const piece = body.subarray(split - head.length, end - head.length);
        this.bytes.set(piece, at + split - done);
      }
      block = this.links[block + run - 1]!;
      done = end;
    }
  }

  /**
   * Fills `target` from a chain. Another thread may change it meanwhile, so what is read is worth nothing until the
   * entry's version is found unchanged; false where it cannot be a chain any more.
   */
  read(first: number, target: Uint8Array): boolean {
    const size = target.length;
    let block = first;
    let done = 0;
    while (done < size) {
      if (!(block > 0 && block <= this.count)) return false;
      const run = this.runFrom(block, size - done);
      const at = (block - 1) * BLOCK_BYTES;
      const end = Math.min(done + run * BLOCK_BYTES, size);
      target.set(this.bytes.subarray(at, at + end - done), done);
      block = this.links[block + run - 1]!;
      done = end;
    }
    return true;
  }

  /** How many blocks of the chain lie one after the other, of those that so many bytes need. */
  private runFrom(first: number, size: number): number {
    const needed = Math.ceil(size / BLOCK_BYTES);
    let run = 1;
    while (run < needed && this.links[first + run - 1] === first + run) run++;
    return run;
  }
}
