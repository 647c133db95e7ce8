/** Lists rules in the order in which they are tried, for people. */
import type { CompiledRule } from "./compiled-rule.ts";
import { describeHost } from "./host-pattern.ts";
import type { HostPattern } from "./host-pattern.ts";
import { describeValue } from "./match-value.ts";
import type { Matcher } from "./matcher.ts";
import { compareHosts } from "./specificity.ts";

/** A rule, for hosts at one place in the order: one with an exact and a wildcard host has two rows. */
export interface RouteRow<Value> {
  /** 1 for the first that is tried. */
  readonly order: number;
  /** Position of the rule in the list as given. */
  readonly ruleIndex: number;
  readonly name: string | undefined;
  readonly value: Value;
  /** Empty for every method. */
  readonly methods: readonly string[];
  /** `*` for every host. */
  readonly hosts: readonly string[];
  readonly path: string;
  /** Such as `header x-channel=mobile` or `client 10.0.0.0/8`. */
  readonly conditions: readonly string[];
}

interface HostRules<Value> {
  readonly patterns: HostPattern[];
  readonly rules: CompiledRule<Value>[];
}

export function describeRoutes<Value>(matcher: Matcher<Value>): RouteRow<Value>[] {
  const rows: RouteRow<Value>[] = [];
  for (const { patterns, rules } of joinAlike(byHost(matcher.rules))) {
    const hosts = patterns.map(describeHost);
    for (const rule of rules) {
      rows.push({
        order: rows.length + 1,
        ruleIndex: rule.index,
        name: rule.name,
        value: rule.value,
        methods: rule.methods,
        hosts,
        path: rule.pattern.source,
        conditions: describeConditions(rule),
      });
    }
  }
  return rows;
}

function byHost<Value>(rules: readonly CompiledRule<Value>[]): HostRules<Value>[] {
  const hosts = new Map<string, HostRules<Value>>();
  for (const rule of rules) {
    for (const pattern of rule.hosts) {
      const key = describeHost(pattern);
      const host = hosts.get(key);
      if (host === undefined) hosts.set(key, { patterns: [pattern], rules: [rule] });
      else host.rules.push(rule);
    }
  }
  return [...hosts.values()].sort(({ patterns: [left] }, { patterns: [right] }) => {
    return compareHosts(left!, right!) || (left!.text < right!.text ? -1 : 1);
  });
}

/** Exact hosts cannot get in each other's way: those with the same rules are shown together. */
function joinAlike<Value>(hosts: readonly HostRules<Value>[]): HostRules<Value>[] {
  const joined = new Map<string, HostRules<Value>>();
  for (const host of hosts) {
    const { kind, text } = host.patterns[0]!;
    const indices = host.rules.map((rule) => rule.index).join();
    const key = kind === "exact" ? indices : kind + text;
    const same = joined.get(key);
    if (same === undefined) joined.set(key, host);
    else same.patterns.push(...host.patterns);
  }
  return [...joined.values()];
}

const SOURCES = ["header", "query", "cookie"];

function describeConditions<Value>({ conditions }: CompiledRule<Value>): string[] {
  if (conditions === null) return [];
  const lines = conditions.values.map((value, index) => {
    return `${SOURCES[conditions.sources[index]!]} ${conditions.names[index]}${describeValue(value)}`;
  });
  const types = conditions.contentTypes.map((type) => type.source);
  if (types.length > 0) lines.push(`content type ${types.join(" or ")}`);
  if (conditions.clients !== null) lines.push(`client ${conditions.clients.sources.join(" or ")}`);
  return lines;
}
