/**
 * Lays tries out in typed arrays, in which a match is a walk over a few neighbouring numbers.
 *
 *     nodes    NODE_SIZE numbers each: what a segment can lead to
 *     edges    open-addressed table of literals: (node, segment) -> child
 *     leaves   lists of rules
 */
import type { Steps } from "../base/steps.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import type { TrieNode } from "./path-trie.ts";
import type { SegmentMatcher } from "./segment-matcher.ts";
import { compileValueSwitch } from "./value-switch.ts";
import type { ValueSwitch } from "./value-switch.ts";

export const NODE_SIZE = 8;
/** Which ways lead on, of the WAY_ bits. */
export const NODE_WAYS = 0;
export const WAY_LITERAL = 1;
export const WAY_PARAM = 2;
export const WAY_MATCHED = 4;
export const WAY_REST = 8;
/** Child for a plain parameter, -1 without. */
export const NODE_PARAM = 1;
/** Leaf of the rules that end here, -1 without; and of those that take the rest. */
export const NODE_LEAF = 2;
export const NODE_REST = 3;
/** Range of matched edges. */
export const NODE_MATCHED_START = 4;
export const NODE_MATCHED_END = 5;

export const EDGE_SIZE = 5;
export const EDGE_NODE = 0;
export const EDGE_HASH = 1;
export const EDGE_TEXT_START = 2;
export const EDGE_TEXT_END = 3;
/** 0 is an empty slot: the first root is never a child. */
export const EDGE_CHILD = 4;

export interface FlatTrie {
  readonly nodes: Int32Array;
  readonly edges: Int32Array;
  readonly edgeMask: number;
  /** The texts of all literals, one after another; ASCII, as normalised paths are. */
  readonly texts: Uint8Array;
  readonly matchers: readonly SegmentMatcher[];
  readonly matchedWeights: Int32Array;
  readonly matchedChildren: Int32Array;
  /** Leaf i holds `leafRules[leafStarts[i], leafStarts[i + 1])`. */
  readonly leafStarts: Int32Array;
  readonly leafRules: Int32Array;
  readonly leafSwitches: readonly (ValueSwitch | null)[];
  /** Most segments that a pattern has before its rest. */
  readonly depthMax: number;
}

export function segmentHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  }
  return hash;
}

/** First slot to look at for an edge. */
export function edgeSlot(node: number, hash: number): number {
  return Math.imul(hash ^ Math.imul(node, 0x85ebca6b), 0x9e3779b1) >>> 10;
}

/** Steps that are some hundred microseconds long. */
const NODES_PER_STEP = 500;

/** The root of trie i is node i. */
export function* flattenTries<Value>(
  roots: readonly TrieNode[],
  rules: readonly CompiledRule<Value>[],
): Steps<FlatTrie> {
  const queue: { node: TrieNode; depth: number }[] = roots.map((node) => ({ node, depth: 0 }));
  const numbers: number[] = [];
  const edges: Edge[] = [];
  const matchers: SegmentMatcher[] = [];
  const weights: number[] = [];
  const matchedChildren: number[] = [];
  const leaves = new LeafList(rules);
  let depthMax = 0;
  // In breadth-first order the upper levels, which every request walks, lie together.
  for (let id = 0; id < queue.length; id++) {
    const { node, depth } = queue[id]!;
    depthMax = Math.max(depthMax, depth);
    const enqueue = (child: TrieNode) => queue.push({ node: child, depth: depth + 1 }) - 1;
    for (const [text, child] of node.literals)
      edges.push({ node: id, text, child: enqueue(child) });
    const matchedStart = matchers.length;
    for (const { matcher, weight, child } of node.matched) {
      matchers.push(matcher);
      weights.push(weight);
      matchedChildren.push(enqueue(child));
    }
    const param = node.param === undefined ? -1 : enqueue(node.param);
    const ends = [leaves.add(node.leaf), leaves.add(node.rest)] as const;
    numbers.push(waysOf(node), param, ...ends, matchedStart, matchers.length, 0, 0);
    if (id % NODES_PER_STEP === 0) yield;
  }
  const { table, edgeMask, texts } = yield* layOutEdges(edges);
  return {
    nodes: Int32Array.from(numbers),
    edges: table,
    edgeMask,
    texts,
    matchers,
    matchedWeights: Int32Array.from(weights),
    matchedChildren: Int32Array.from(matchedChildren),
    leafStarts: Int32Array.from(leaves.starts),
    leafRules: Int32Array.from(leaves.rules),
    leafSwitches: leaves.switches,
    depthMax,
  };
}

function waysOf(node: TrieNode): number {
  return (
    (node.literals.size > 0 ? WAY_LITERAL : 0) |
    (node.param !== undefined ? WAY_PARAM : 0) |
    (node.matched.length > 0 ? WAY_MATCHED : 0) |
    (node.rest.length > 0 ? WAY_REST : 0)
  );
}

class LeafList<Value> {
  readonly starts: number[];
  readonly rules: number[];
  readonly switches: (ValueSwitch | null)[];
  private readonly compiled: readonly CompiledRule<Value>[];

  constructor(compiled: readonly CompiledRule<Value>[]) {
    this.starts = [0];
    this.rules = [];
    this.switches = [];
    this.compiled = compiled;
  }

  /** The number of the leaf with these rules, -1 for none. */
  add(ids: readonly number[]): number {
    if (ids.length === 0) return -1;
    for (const id of ids) this.rules.push(id);
    this.starts.push(this.rules.length);
    return this.switches.push(compileValueSwitch(this.compiled, ids)) - 1;
  }
}

interface Edge {
  readonly node: number;
  readonly text: string;
  readonly child: number;
}

/** The open-addressed table of edges, and the texts that it points into. */
function* layOutEdges(
  edges: readonly Edge[],
): Steps<{ table: Int32Array; edgeMask: number; texts: Uint8Array }> {
  let slotCount = 8;
  while (slotCount < 2 * edges.length) slotCount *= 2;
  const edgeMask = slotCount - 1;
  const table = new Int32Array(slotCount * EDGE_SIZE);
  const textStarts = new Map<string, number>();
  let allTexts = "";
  for (const [index, { node, text, child }] of edges.entries()) {
    let textStart = textStarts.get(text);
    if (textStart === undefined) {
      textStart = allTexts.length;
      textStarts.set(text, textStart);
      allTexts += text;
    }
    const hash = segmentHash(text);
    let slot = edgeSlot(node, hash) & edgeMask;
    while (table[slot * EDGE_SIZE + EDGE_CHILD] !== 0) slot = (slot + 1) & edgeMask;
    table.set([node, hash, textStart, textStart + text.length, child], slot * EDGE_SIZE);
    if (index % NODES_PER_STEP === 0) yield;
  }
  return { table, edgeMask, texts: Uint8Array.from(Buffer.from(allTexts, "latin1")) };
}
