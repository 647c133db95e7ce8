/**
 * The route table: rules, in any order, -> a matcher, and all that is wrong with them.
 */
import { finishSteps, type Steps } from "../base/steps.ts";
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
  const builder = builderOf(rules);
  return { problems: builder.findProblems(), matcher: finishSteps(builder.build()) };
}

/** All that is wrong with rules: those that cannot be used, then those that conflict. */
export function findRouteProblems(rules: readonly RouteRule<unknown>[]): readonly RouteProblem[] {
  return builderOf(rules).findProblems();
}

function builderOf<Value>(rules: readonly RouteRule<Value>[]): RouteTableBuilder<Value> {
  const builder = new RouteTableBuilder<Value>();
  for (const rule of rules) builder.add(rule);
  return builder;
}

/** Steps that are some hundred microseconds long. */
const RULES_PER_STEP = 200;

/** A route table that comes into being rule by rule, so that whoever builds it can do other things meanwhile. */
export class RouteTableBuilder<Value> {
  private readonly methods: MethodTable;
  private readonly compiler: RuleCompiler<Value>;
  private readonly rules: CompiledRule<Value>[];
  private ruleCount: number;

  constructor() {
    this.methods = new MethodTable();
    this.compiler = new RuleCompiler<Value>(this.methods);
    this.rules = [];
    this.ruleCount = 0;
  }

  /** Rules that cannot be used are left out, and are problems. */
  add(rule: RouteRule<Value>): void {
    const compiled = this.compiler.compile(rule, this.ruleCount++);
    if (compiled !== undefined) this.rules.push(compiled);
  }

  /** Rules that could not be used. */
  get unusable(): readonly RouteProblem[] {
    return this.compiler.problems;
  }

  /** Rules that cannot be used, then rules that conflict. To be called before `build`. */
  findProblems(): RouteProblem[] {
    return [...this.compiler.problems, ...findConflicts(this.rules)];
  }

  /** The matcher of all rules; the builder is used up. */
  *build(): Steps<Matcher<Value>> {
    const ordered = this.rules.sort(compareRules);
    yield;
    const hosts = yield* growTries(ordered);
    const tries = hosts.map(({ trie }) => trie);
    const trie = yield* flattenTries(tries, ordered);
    const named = hosts.filter(({ pattern }) => pattern.kind !== "any");
    const table = named.length === 0 ? null : new HostTable(named);
    const anyRoot = hosts.find(({ pattern }) => pattern.kind === "any")?.root ?? -1;
    return new Matcher(ordered, this.methods, trie, table, anyRoot);
  }
}

interface HostTrie {
  readonly pattern: HostPattern;
  readonly trie: TrieNode;
  /** Its number among the tries. */
  readonly root: number;
}

/** A trie for each host that rules name. */
function* growTries<Value>(rules: readonly CompiledRule<Value>[]): Steps<HostTrie[]> {
  const tries = new Map<string, HostTrie>();
  for (const [id, rule] of rules.entries()) {
    for (const pattern of rule.hosts) {
      const key = pattern.kind + pattern.text;
      let host = tries.get(key);
      if (host === undefined) {
        host = { pattern, trie: emptyNode(), root: tries.size };
        tries.set(key, host);
      }
      addToTrie(host.trie, rule, id);
    }
    if (id % RULES_PER_STEP === 0) yield;
  }
  return [...tries.values()];
}
