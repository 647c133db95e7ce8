// HOT
/**
 * Finds the tries of a host: exact, then wildcards from the longest to the shortest. One pass over
 * the host from its end, because that is where wildcards are anchored.
 */
import type { HostPattern } from "./host-pattern.ts";

const DOT = 0x2e;
// A host name has at most 253 characters (RFC 1035), hence at most 127 labels.
const HOST_LENGTH_MAX = 253;
const ROOTS_MAX = 130;
// One slot: hash, root + 1 (0 is an empty slot), index of the text.
const SLOT_SIZE = 3;

export class HostTable {
  /** Roots found by the last `resolve`, the best last. */
  readonly roots: Int32Array;
  private readonly slots: Int32Array;
  private readonly slotMask: number;
  /** Exact hosts, and wildcards from their dot on. */
  private readonly texts: string[];

  constructor(hosts: readonly { pattern: HostPattern; root: number }[]) {
    this.roots = new Int32Array(ROOTS_MAX);
    let slotCount = 4;
    while (slotCount < 2 * hosts.length) slotCount *= 2;
    this.slotMask = slotCount - 1;
    this.slots = new Int32Array(slotCount * SLOT_SIZE);
    this.texts = [];
    for (let index = 0; index < hosts.length; index++) {
      const host = hosts[index] as { pattern: HostPattern; root: number };
      this.add(host.pattern.text, host.root);
    }
  }

  /** Fills `roots` for a host in lower case without port; returns how many there are. */
  resolve(host: string): number {
    // The root label may be written, and means the same: `example.com.`.
    const end = host.charCodeAt(host.length - 1) === DOT ? host.length - 1 : host.length;
    if (end > HOST_LENGTH_MAX) return 0;
    let count = 0;
    let hash = 0;
    for (let index = end - 1; index >= 0; index--) {
      const code = host.charCodeAt(index);
      hash = (Math.imul(hash, 31) + code) | 0;
      if (code !== DOT || index === 0) continue;
      const root = this.lookUp(hash, host, index, end);
      if (root >= 0) this.roots[count++] = root;
    }
    // What begins with a dot is no host, but the text of a wildcard.
    if (host.charCodeAt(0) === DOT) return count;
    const root = this.lookUp(hash, host, 0, end);
    if (root >= 0) this.roots[count++] = root;
    return count;
  }

  private lookUp(hash: number, host: string, start: number, end: number): number {
    const { slots, slotMask } = this;
    for (let slot = spread(hash) & slotMask; ; slot = (slot + 1) & slotMask) {
      const at = slot * SLOT_SIZE;
      const root = slots[at + 1]!;
      if (root === 0) return -1;
      if (slots[at] !== hash) continue;
      const text = this.texts[slots[at + 2]!]!;
      if (text.length === end - start && host.startsWith(text, start)) return root - 1;
    }
  }

  private add(text: string, root: number): void {
    let hash = 0;
    for (let index = text.length - 1; index >= 0; index--) {
      hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
    }
    let slot = spread(hash) & this.slotMask;
    while (this.slots[slot * SLOT_SIZE + 1] !== 0) slot = (slot + 1) & this.slotMask;
    const at = slot * SLOT_SIZE;
    this.slots[at] = hash;
    this.slots[at + 1] = root + 1;
    this.slots[at + 2] = this.texts.push(text) - 1;
  }
}

/** Moves the upper bits, which vary most, to where the mask takes them from. */
function spread(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 12;
}
