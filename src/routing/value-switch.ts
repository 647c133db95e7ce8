/**
 * Rules that share host and path and differ in one exact value, such as a tenant header: found by
 * that value instead of being tried one after another.
 */
import type { CompiledRule } from "./compiled-rule.ts";
import { exactConditions } from "./condition-overlap.ts";

// Below this many rules trying them in turn is as fast.
const RULES_MIN = 8;

export interface ValueSwitch {
  /** Where the value comes from, see `readValue`. */
  readonly source: number;
  readonly name: string;
  /** Rules that ask for that value, in order. */
  readonly byValue: ReadonlyMap<string, Int32Array>;
  /** Rules that ask for nothing exact of it, in order. */
  readonly others: Int32Array;
}

const NO_RULES = new Int32Array(0);

/** The switch for rules at one place, by their position in the order of precedence. */
export function compileValueSwitch<Value>(
  rules: readonly CompiledRule<Value>[],
  ids: readonly number[],
): ValueSwitch | null {
  if (ids.length < RULES_MIN) return null;
  const usage = new Map<string, { source: number; name: string; count: number }>();
  for (const id of ids) {
    for (const { source, name } of exactConditions(rules[id]!.conditions)) {
      const key = `${source} ${name}`;
      const use = usage.get(key) ?? { source, name, count: 0 };
      use.count++;
      usage.set(key, use);
    }
  }
  const most = [...usage.values()].reduce(
    (left, right) => (right.count > left.count ? right : left),
    {
      source: 0,
      name: "",
      count: 0,
    },
  );
  return most.count * 2 < ids.length ? null : divide(rules, ids, most.source, most.name);
}

function divide<Value>(
  rules: readonly CompiledRule<Value>[],
  ids: readonly number[],
  source: number,
  name: string,
): ValueSwitch {
  const lists = new Map<string, number[]>();
  const others: number[] = [];
  for (const id of ids) {
    const found = exactConditions(rules[id]!.conditions).find(
      (each) => each.source === source && each.name === name,
    );
    if (found === undefined) others.push(id);
    for (const value of new Set(found?.values)) {
      const list = lists.get(value) ?? [];
      list.push(id);
      lists.set(value, list);
    }
  }
  const byValue = new Map([...lists].map(([value, list]) => [value, Int32Array.from(list)]));
  return {
    source,
    name,
    byValue,
    others: others.length === 0 ? NO_RULES : Int32Array.from(others),
  };
}
