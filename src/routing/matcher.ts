// HOT
/**
 * The matcher: finds the most specific rule that a request satisfies.
 *
 * The path is split once, into starts and hashes of its segments. A literal segment is then one
 * look-up in a table that all nodes share, so the number of routes does not matter. Where a node has
 * several ways on, the more specific is tried first, and the others if nothing was found behind it.
 * No node is visited twice in a match. Nothing is allocated unless a rule has conditions that do.
 */
import type { CompiledRule } from "./compiled-rule.ts";
import {
  EDGE_CHILD,
  EDGE_HASH,
  EDGE_NODE,
  EDGE_SIZE,
  EDGE_TEXT_END,
  EDGE_TEXT_START,
  NODE_LEAF,
  NODE_MATCHED_END,
  NODE_MATCHED_START,
  NODE_PARAM,
  NODE_REST,
  NODE_SIZE,
  NODE_WAYS,
  WAY_LITERAL,
  WAY_MATCHED,
  WAY_PARAM,
  WAY_REST,
  edgeSlot,
} from "./flat-trie.ts";
import type { FlatTrie } from "./flat-trie.ts";
import type { HostTable } from "./host-table.ts";
import { MATCHED, METHOD_NOT_ALLOWED, NOT_FOUND } from "./match-result.ts";
import type { MatchResult } from "./match-result.ts";
import { ANY_METHOD, withImplicitHead } from "./method-table.ts";
import type { MethodTable } from "./method-table.ts";
import { readValue } from "./rule-conditions.ts";
import type { RuleConditions } from "./rule-conditions.ts";
import type { RoutingRequest } from "./routing-request.ts";
import type { SegmentMatcher } from "./segment-matcher.ts";
import type { ValueSwitch } from "./value-switch.ts";

const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const NONE = -1;
const NO_RULES = new Int32Array(0);

export class Matcher<Value> {
  /** In order of precedence. */
  readonly rules: readonly CompiledRule<Value>[];
  private readonly methods: MethodTable;
  private readonly methodMasks: Int32Array;
  private readonly conditions: readonly (RuleConditions | null)[];
  private readonly trie: FlatTrie;
  private readonly nodes: Int32Array;
  private readonly edges: Int32Array;
  private readonly edgeMask: number;
  private readonly texts: Uint8Array;
  /** Null when no rule names a host. */
  private readonly hosts: HostTable | null;
  /** Trie of the rules for any host, NONE without. */
  private readonly anyRoot: number;
  private readonly segmentsMax: number;
  // What is being matched. Fields, not arguments: the walk is recursive, and calls stay short.
  private request: RoutingRequest | null;
  private text: string;
  private readonly segmentStarts: Int32Array;
  private readonly segmentHashes: Int32Array;
  private segmentCount: number;
  private methodBit: number;
  private methodMissed: boolean;
  /** In the second pass: which methods would do. */
  private collecting: boolean;
  private allowMask: number;

  constructor(
    rules: readonly CompiledRule<Value>[],
    methods: MethodTable,
    trie: FlatTrie,
    hosts: HostTable | null,
    anyRoot: number,
  ) {
    this.rules = rules;
    this.methods = methods;
    this.methodMasks = new Int32Array(rules.length);
    const conditions: (RuleConditions | null)[] = [];
    for (let id = 0; id < rules.length; id++) {
      const rule = rules[id]!;
      this.methodMasks[id] = withImplicitHead(rule.methodMask);
      conditions.push(rule.conditions);
    }
    this.conditions = conditions;
    this.trie = trie;
    this.nodes = trie.nodes;
    this.edges = trie.edges;
    this.edgeMask = trie.edgeMask;
    this.texts = trie.texts;
    this.hosts = hosts;
    this.anyRoot = anyRoot;
    // One more than any pattern has tells longer paths apart.
    this.segmentsMax = trie.depthMax + 1;
    this.request = null;
    this.text = "";
    this.segmentStarts = new Int32Array(this.segmentsMax + 1);
    this.segmentHashes = new Int32Array(this.segmentsMax);
    this.segmentCount = 0;
    this.methodBit = 0;
    this.methodMissed = false;
    this.collecting = false;
    this.allowMask = 0;
  }

  /**
   * Matches `request.path`. Returns the outcome, which is in `result` too.
   *
   * @param method in place of the request's own: what it asks about, not what it is.
   */
  match(request: RoutingRequest, result: MatchResult<Value>, method = request.method): number {
    const path = request.path;
    return this.matchRange(request, path, 0, path.length, result, method);
  }

  /**
   * Matches the path `text[start, end)` instead of `request.path`: faster where the path is a part
   * of a longer text, because no string is made of it.
   */
  matchRange(
    request: RoutingRequest,
    text: string,
    start: number,
    end: number,
    result: MatchResult<Value>,
    method = request.method,
  ): number {
    result.text = text;
    result.start = start;
    result.end = end;
    result.paramCount = 0;
    result.rule = null;
    // `OPTIONS *` has no path.
    if (text.charCodeAt(start) !== SLASH) return (result.outcome = NOT_FOUND);
    this.request = request;
    this.text = text;
    this.split(start, end);
    this.methodBit = this.methods.bitOf(method);
    this.methodMissed = false;
    // A condition that threw may have left it set.
    this.collecting = false;
    const id = this.walkHosts(request.host);
    if (id !== NONE) result.outcome = this.fill(id, end, result);
    else result.outcome = this.methodMissed ? this.collect(request.host, result) : NOT_FOUND;
    this.request = null;
    return result.outcome;
  }

  /** Finds the segments of the path, up to one more than any pattern has. */
  private split(start: number, end: number): void {
    const { text, segmentStarts, segmentHashes, segmentsMax } = this;
    let count = 0;
    let hash = 0;
    segmentStarts[0] = start + 1;
    for (let index = start + 1; index < end; index++) {
      const code = text.charCodeAt(index);
      if (code !== SLASH) {
        hash = (Math.imul(hash, 31) + code) | 0;
        continue;
      }
      segmentHashes[count++] = hash;
      segmentStarts[count] = index + 1;
      hash = 0;
      if (count === segmentsMax) {
        this.segmentCount = count;
        return;
      }
    }
    segmentHashes[count++] = hash;
    segmentStarts[count] = end + 1;
    this.segmentCount = count;
  }

  private walkHosts(host: string): number {
    const { hosts, anyRoot } = this;
    if (hosts !== null) {
      for (let index = hosts.resolve(host) - 1; index >= 0; index--) {
        const id = this.walk(hosts.roots[index]!, 0);
        if (id !== NONE) return id;
      }
    }
    return anyRoot === NONE ? NONE : this.walk(anyRoot, 0);
  }

  /** The best rule at or below `node`, for the segments from `depth` on; a lower number is better. */
  private walk(node: number, depth: number): number {
    const { nodes } = this;
    for (;;) {
      const at = node * NODE_SIZE;
      if (depth === this.segmentCount) {
        const leaf = nodes[at + NODE_LEAF]!;
        return leaf === NONE ? NONE : this.choose(leaf);
      }
      // A node with one way on, the common case, needs no recursion.
      const ways = nodes[at + NODE_WAYS]!;
      if (ways === WAY_LITERAL) {
        node = this.literalChild(node, depth);
        if (node === NONE) return NONE;
      } else if (ways === WAY_PARAM) {
        if (this.isEmpty(depth)) return NONE;
        node = nodes[at + NODE_PARAM]!;
      } else {
        return this.walkWays(node, depth, ways);
      }
      depth++;
    }
  }

  /** Tries the ways that lead on from `node`, the more specific first. */
  private walkWays(node: number, depth: number, ways: number): number {
    const { nodes } = this;
    const at = node * NODE_SIZE;
    if ((ways & WAY_LITERAL) !== 0) {
      const child = this.literalChild(node, depth);
      const id = child === NONE ? NONE : this.walk(child, depth + 1);
      if (id !== NONE) return id;
    }
    if ((ways & WAY_MATCHED) !== 0 && !this.isEmpty(depth)) {
      const id = this.walkMatched(
        nodes[at + NODE_MATCHED_START]!,
        nodes[at + NODE_MATCHED_END]!,
        depth,
      );
      if (id !== NONE) return id;
    }
    if ((ways & WAY_PARAM) !== 0 && !this.isEmpty(depth)) {
      const id = this.walk(nodes[at + NODE_PARAM]!, depth + 1);
      if (id !== NONE) return id;
    }
    return (ways & WAY_REST) === 0 ? NONE : this.choose(nodes[at + NODE_REST]!);
  }

  private walkMatched(start: number, end: number, depth: number): number {
    const { matchers, matchedWeights, matchedChildren } = this.trie;
    const segmentStart = this.segmentStarts[depth]!;
    const segmentEnd = this.segmentStarts[depth + 1]! - 1;
    let best = NONE;
    for (let edge = start; edge < end; edge++) {
      // Among edges of one weight what comes after decides, so all of them are tried.
      if (best !== NONE && matchedWeights[edge] !== matchedWeights[edge - 1]) break;
      const matcher = matchers[edge]!;
      if (!matcher.match(this.text, segmentStart, segmentEnd, null, 0)) continue;
      const id = this.walk(matchedChildren[edge]!, depth + 1);
      if (id !== NONE && (best === NONE || id < best)) best = id;
    }
    return best;
  }

  /**
   * Whether there is nothing for a parameter to take. A segment of path parameters only, `;x`, has an
   * empty name; taken along by a rewrite it could hide that a segment is empty.
   */
  private isEmpty(depth: number): boolean {
    const start = this.segmentStarts[depth]!;
    return (
      this.segmentStarts[depth + 1]! - start === 1 || this.text.charCodeAt(start) === SEMICOLON
    );
  }

  private literalChild(node: number, depth: number): number {
    const { edges, edgeMask, texts, text } = this;
    const hash = this.segmentHashes[depth]!;
    const start = this.segmentStarts[depth]!;
    const length = this.segmentStarts[depth + 1]! - 1 - start;
    for (let slot = edgeSlot(node, hash) & edgeMask; ; slot = (slot + 1) & edgeMask) {
      const at = slot * EDGE_SIZE;
      const child = edges[at + EDGE_CHILD]!;
      if (child === 0) return NONE;
      if (edges[at + EDGE_HASH] !== hash || edges[at + EDGE_NODE] !== node) continue;
      const textStart = edges[at + EDGE_TEXT_START]!;
      if (edges[at + EDGE_TEXT_END]! - textStart !== length) continue;
      let same = 0;
      while (same < length && texts[textStart + same] === text.charCodeAt(start + same)) same++;
      if (same === length) return child;
    }
  }

  /** The first rule of a leaf that the request satisfies. */
  private choose(leaf: number): number {
    const { leafStarts, leafRules, leafSwitches } = this.trie;
    const valueSwitch = leafSwitches[leaf] as ValueSwitch | null;
    if (valueSwitch !== null) return this.chooseByValue(valueSwitch);
    const end = leafStarts[leaf + 1]!;
    for (let index = leafStarts[leaf]!; index < end; index++) {
      const id = leafRules[index]!;
      if (this.accepts(id)) return id;
    }
    return NONE;
  }

  /** Merges two ordered lists: rules for the request's value, and rules that do not ask for it. */
  private chooseByValue(valueSwitch: ValueSwitch): number {
    const request = this.request as RoutingRequest;
    const value = readValue(request, valueSwitch.source, valueSwitch.name);
    const found = value === undefined ? undefined : valueSwitch.byValue.get(value);
    const wanted = found === undefined ? NO_RULES : found;
    const others = valueSwitch.others;
    let wantedIndex = 0;
    let otherIndex = 0;
    while (wantedIndex < wanted.length || otherIndex < others.length) {
      const takeWanted =
        otherIndex === others.length ||
        (wantedIndex < wanted.length && wanted[wantedIndex]! < others[otherIndex]!);
      const id = (takeWanted ? wanted[wantedIndex++] : others[otherIndex++]) as number;
      if (this.accepts(id)) return id;
    }
    return NONE;
  }

  private accepts(id: number): boolean {
    const mask = this.methodMasks[id]!;
    const conditions = this.conditions[id] as RuleConditions | null;
    if (this.collecting) {
      if (conditions === null || conditions.test(this.request as RoutingRequest)) {
        this.allowMask |= mask;
      }
      return false;
    }
    if ((mask & this.methodBit) === 0) {
      this.methodMissed = true;
      return false;
    }
    return conditions === null || conditions.test(this.request as RoutingRequest);
  }

  /** The second pass, over all rules of host and path, after the first missed some by method only. */
  private collect(host: string, result: MatchResult<Value>): number {
    this.collecting = true;
    this.allowMask = 0;
    this.walkHosts(host);
    this.collecting = false;
    // A rule for any method cannot be among them: its conditions failed in the first pass too.
    if (this.allowMask === 0 || this.allowMask === ANY_METHOD) return NOT_FOUND;
    result.allowMask = this.allowMask;
    result.methods = this.methods;
    return METHOD_NOT_ALLOWED;
  }

  private fill(id: number, end: number, result: MatchResult<Value>): number {
    const rule = this.rules[id]!;
    result.rule = rule;
    const { paramDepths, paramMatchers } = rule;
    const segmentCount = rule.pattern.segments.length;
    if (paramDepths.length === 0) return MATCHED;
    result.reserve(rule.pattern.paramNames.length);
    const { offsets } = result;
    let count = 0;
    for (let index = 0; index < paramDepths.length; index++) {
      const depth = paramDepths[index]!;
      const isRest = rule.pattern.hasRest && depth === segmentCount - 1;
      const start = this.segmentStarts[depth]!;
      const stop = isRest ? end : this.segmentStarts[depth + 1]! - 1;
      const matcher = paramMatchers[index] as SegmentMatcher | null;
      if (matcher === null) {
        offsets[2 * count] = start;
        offsets[2 * count + 1] = stop;
        count++;
      } else {
        matcher.match(this.text, start, stop, offsets, 2 * count);
        count += matcher.constraints.length;
      }
    }
    result.paramCount = count;
    return MATCHED;
  }
}
