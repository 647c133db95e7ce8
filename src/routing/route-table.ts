/**
 * The route table: rules, in any order, -> a matcher, and all that is wrong with them.
 */
import { RuleCompiler } from "./compile-rule.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { findConflicts } from "./conflicts.ts";
import { flattenTries } from "./flat-trie.ts";
import type { HostPattern } from "./host-pattern.ts";
import { HostTable } from "./host-table.ts";
import { Matcher } from "./matcher.ts";
import { MethodTable } from "./method-table.ts";
import { addToTrie, emptyNode } from "./path-trie.ts";
import type { TrieNode } from "./path-trie.ts";
import type { RouteProblem, RouteRule } from "./route-rule.ts";
import { compareRules } from "./specificity.ts";

export interface RouteTable<Value> {
  /** Of the rules that could be compiled; not to be used when there are problems. */
  readonly matcher: Matcher<Value>;
  /** Rules that cannot be used, then rules that conflict. */
  readonly problems: readonly RouteProblem[];
}

/** Compiles rules. Their order has no influence on what is matched. */
export function compileRoutes<Value>(rules: readonly RouteRule<Value>[]): RouteTable<Value> {
  const methods = new MethodTable();
  const compiler = new RuleCompiler<Value>(methods);
  const compiled: CompiledRule<Value>[] = [];
  rules.forEach((rule, index) => {
    const one = compiler.compile(rule, index);
    if (one !== undefined) compiled.push(one);
  });
  const problems = [...compiler.problems, ...findConflicts(compiled)];
  const ordered = compiled.sort(compareRules);
  return { matcher: buildMatcher(ordered, methods), problems };
}

function buildMatcher<Value>(
  rules: readonly CompiledRule<Value>[],
  methods: MethodTable,
): Matcher<Value> {
  const tries = new Map<string, { pattern: HostPattern; trie: TrieNode }>();
  for (const [id, rule] of rules.entries()) {
    for (const pattern of rule.hosts) {
      const key = pattern.kind + pattern.text;
      let host = tries.get(key);
      if (host === undefined) {
        host = { pattern, trie: emptyNode() };
        tries.set(key, host);
      }
      addToTrie(host.trie, rule, id);
    }
  }
  const hosts = [...tries.values()].map(({ pattern, trie }, root) => ({ pattern, trie, root }));
  const trie = flattenTries(
    hosts.map((host) => host.trie),
    rules,
  );
  const named = hosts.filter((host) => host.pattern.kind !== "any");
  const table = named.length === 0 ? null : new HostTable(named);
  const anyRoot = hosts.find((host) => host.pattern.kind === "any")?.root ?? -1;
  return new Matcher(rules, methods, trie, table, anyRoot);
}
