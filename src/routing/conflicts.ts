/**
 * Conflicts: pairs of rules of which a request may match both while neither is more specific.
 *
 * Rules are compared only within a group of equal host, path shape and specificity, and a large
 * group is divided further by methods and by exact values before its members are compared one by
 * one. So tables of thousands of routes, or of thousands of tenants on one path, are checked in
 * near-linear time.
 */
import type { CompiledRule } from "./compiled-rule.ts";
import { conditionsAreDisjoint, exactConditions } from "./condition-overlap.ts";
import { describeHost } from "./host-pattern.ts";
import type { HostPattern } from "./host-pattern.ts";
import type { PathPattern } from "./path-pattern.ts";
import type { RouteProblem } from "./route-rule.ts";
import { overlappingPath } from "./segment-overlap.ts";
import { segmentWeight } from "./specificity.ts";

// Up to this many rules are compared pair by pair.
const PAIRWISE_MAX = 12;

/** A problem for each rule that conflicts with one before it in the list. */
export function findConflicts<Value>(rules: readonly CompiledRule<Value>[]): RouteProblem[] {
  const search = new ConflictSearch<Value>();
  for (const { host, members } of groupsOf(rules)) search.compareAll(members, host, new Set());
  return [...search.found.values()].sort((left, right) => left.ruleIndex - right.ruleIndex);
}

interface Group<Value> {
  readonly host: HostPattern;
  readonly members: CompiledRule<Value>[];
}

function groupsOf<Value>(rules: readonly CompiledRule<Value>[]): Iterable<Group<Value>> {
  const groups = new Map<string, Group<Value>>();
  for (const rule of rules) {
    const { namesMethods, conditionCount, conditionRanks, clientBits } = rule.specificity;
    const rank = `${namesMethods} ${conditionCount} ${conditionRanks} ${clientBits}`;
    const tail = ` ${rank} ${shapeOf(rule.pattern)}`;
    for (const host of rule.hosts) {
      const key = host.kind + host.text + tail;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { host, members: [rule] });
      else group.members.push(rule);
    }
  }
  return groups.values();
}

/** Equal for patterns that agree in their literals and in the weights of their other segments. */
function shapeOf(pattern: PathPattern): string {
  let shape = "";
  for (const segment of pattern.segments) {
    shape += segment.kind === "literal" ? `/${segment.text}` : `/\0${segmentWeight(segment)}`;
  }
  return shape;
}

class ConflictSearch<Value> {
  /** By the index of the later rule. */
  readonly found: Map<number, RouteProblem>;

  constructor() {
    this.found = new Map();
  }

  /** Compares the rules with each other; `used` are the keys they have been divided by. */
  compareAll(
    rules: readonly CompiledRule<Value>[],
    host: HostPattern,
    used: ReadonlySet<string>,
  ): void {
    const key = rules.length <= PAIRWISE_MAX ? undefined : bestDivision(rules, used);
    if (key === undefined) {
      for (const [index, rule] of rules.entries()) this.compareOne(rule, rules, index, host);
      return;
    }
    const { lists, others } = divide(rules, key);
    const usedNow = new Set(used).add(key);
    for (const list of lists) this.compareAll(list, host, usedNow);
    this.compareAll(others, host, usedNow);
    for (const rule of others) {
      for (const list of lists) this.compareOne(rule, list, list.length, host);
    }
  }

  /** Compares a rule with the first `count` of others. */
  private compareOne(
    rule: CompiledRule<Value>,
    others: readonly CompiledRule<Value>[],
    count: number,
    host: HostPattern,
  ): void {
    for (let index = 0; index < count; index++) {
      const other = others[index]!;
      const [earlier, later] = rule.index < other.index ? [rule, other] : [other, rule];
      // One conflict for each rule is enough, and keeps a table full of them from taking long.
      if (earlier === later || this.found.has(later.index)) continue;
      const example = overlap(earlier, later);
      if (example !== undefined)
        this.found.set(later.index, problemOf(earlier, later, host, example));
    }
  }
}

/** `method path` of a request that fits both, undefined when there is none. */
function overlap<Value>(left: CompiledRule<Value>, right: CompiledRule<Value>): string | undefined {
  if ((left.methodMask & right.methodMask) === 0) return undefined;
  const method = left.methods.find((name) => right.methods.includes(name)) ?? "any method,";
  if (conditionsAreDisjoint(left.conditions, right.conditions)) return undefined;
  const path = overlappingPath(left.pattern, right.pattern);
  return path === undefined ? undefined : `${method} ${path}`;
}

function problemOf<Value>(
  earlier: CompiledRule<Value>,
  later: CompiledRule<Value>,
  host: HostPattern,
  example: string,
): RouteProblem {
  const name = earlier.name === undefined ? "" : ` (${JSON.stringify(earlier.name)})`;
  const where = host.kind === "any" ? "" : ` on ${describeHost(host)}`;
  const all = later.conditions === null ? "" : " when the conditions of both hold";
  return {
    ruleIndex: later.index,
    otherIndex: earlier.index,
    at: [],
    message: `matches the same requests as routes[${earlier.index}]${name}, such as ${example}${where}${all}, and neither is more specific`,
    hint: "drop one, or tell them apart by host, path, methods or a condition that only one has",
    position: undefined,
  };
}

/** What most rules can be divided by: their methods, or a value that they want to be exact. */
function bestDivision<Value>(
  rules: readonly CompiledRule<Value>[],
  used: ReadonlySet<string>,
): string | undefined {
  const counts = new Map<string, number>();
  for (const rule of rules) {
    for (const key of divisionsOf(rule).keys()) {
      if (!used.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  let best: string | undefined;
  for (const [key, count] of counts) {
    if (count > 1 && (best === undefined || count > counts.get(best)!)) best = key;
  }
  return best;
}

/** By key, the values under which the rule is to be found. */
function divisionsOf<Value>(rule: CompiledRule<Value>): Map<string, readonly string[]> {
  const divisions = new Map<string, readonly string[]>();
  for (const { source, name, values } of exactConditions(rule.conditions)) {
    divisions.set(`${source} ${name}`, values);
  }
  if (rule.methods.length > 0) divisions.set("methods", rule.methods);
  return divisions;
}

function divide<Value>(rules: readonly CompiledRule<Value>[], key: string) {
  const byValue = new Map<string, CompiledRule<Value>[]>();
  const others: CompiledRule<Value>[] = [];
  for (const rule of rules) {
    const values = divisionsOf(rule).get(key);
    if (values === undefined) others.push(rule);
    for (const value of new Set(values)) {
      const list = byValue.get(value);
      if (list === undefined) byValue.set(value, [rule]);
      else list.push(rule);
    }
  }
  return { lists: [...byValue.values()], others };
}
