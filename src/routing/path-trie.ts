/**
 * The trie of path segments, as it is built. One for each host; flat-trie.ts lays them out for
 * matching.
 */
import type { CompiledRule } from "./compiled-rule.ts";
import type { SegmentMatcher } from "./segment-matcher.ts";
import { segmentWeight } from "./specificity.ts";

export interface MatchedEdge {
  readonly matcher: SegmentMatcher;
  /** Edges of the same weight are equally specific. */
  readonly weight: number;
  readonly child: TrieNode;
}

export interface TrieNode {
  readonly literals: Map<string, TrieNode>;
  /** From the most to the least specific once the trie is complete. */
  readonly matched: MatchedEdge[];
  param: TrieNode | undefined;
  /** Rules whose pattern ends here, in order; and those that take any rest from here. */
  readonly leaf: number[];
  readonly rest: number[];
}

export function emptyNode(): TrieNode {
  return { literals: new Map(), matched: [], param: undefined, leaf: [], rest: [] };
}

/** Adds the rule numbered `id`; rules are added in order. */
export function addToTrie<Value>(root: TrieNode, rule: CompiledRule<Value>, id: number): void {
  let node = root;
  for (const segment of rule.pattern.segments) {
    if (segment.kind === "rest") {
      node.rest.push(id);
      return;
    }
    if (segment.kind === "literal") {
      node = getOrAdd(node.literals, segment.text);
    } else if (segment.kind === "param") {
      node = node.param ??= emptyNode();
    } else {
      node = matchedChild(node, segment.matcher, segmentWeight(segment));
    }
  }
  node.leaf.push(id);
}

function getOrAdd(children: Map<string, TrieNode>, text: string): TrieNode {
  let child = children.get(text);
  if (child === undefined) {
    child = emptyNode();
    children.set(text, child);
  }
  return child;
}

function matchedChild(node: TrieNode, matcher: SegmentMatcher, weight: number): TrieNode {
  const known = node.matched.find((edge) => edge.matcher.key === matcher.key);
  if (known !== undefined) return known.child;
  const child = emptyNode();
  node.matched.push({ matcher, weight, child });
  node.matched.sort((left, right) => left.weight - right.weight);
  return child;
}
