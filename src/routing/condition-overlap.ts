import { areDisjoint, exactValues } from "./match-value.ts";
import type { MediaTypePattern } from "./media-type.ts";
import type { RuleConditions } from "./rule-conditions.ts";

export interface ExactCondition {
  /** See `readValue`. */
  readonly source: number;
  readonly name: string;
  /** The value has to be one of these. */
  readonly values: readonly string[];
}

/** The conditions on values that can be listed. */
export function exactConditions(conditions: RuleConditions | null): ExactCondition[] {
  if (conditions === null) return [];
  return conditions.values.flatMap((value, index) => {
    const values = exactValues(value);
    if (values === undefined) return [];
    return [{ source: conditions.sources[index]!, name: conditions.names[index]!, values }];
  });
}

/** Whether certainly no request satisfies both. False when that is not known. */
export function conditionsAreDisjoint(
  left: RuleConditions | null,
  right: RuleConditions | null,
): boolean {
  if (left === null || right === null) return false;
  if (left.clients !== null && right.clients !== null && left.clients.isDisjoint(right.clients)) {
    return true;
  }
  return valuesAreDisjoint(left, right) || typesAreDisjoint(left.contentTypes, right.contentTypes);
}

function valuesAreDisjoint(left: RuleConditions, right: RuleConditions): boolean {
  return left.values.some((value, index) =>
    right.values.some(
      (other, at) =>
        left.sources[index] === right.sources[at] &&
        left.names[index] === right.names[at] &&
        areDisjoint(value, other),
    ),
  );
}

function typesAreDisjoint(
  left: readonly MediaTypePattern[],
  right: readonly MediaTypePattern[],
): boolean {
  if (left.length === 0 || right.length === 0) return false;
  return left.every((pattern) => right.every((other) => !typesOverlap(pattern, other)));
}

function typesOverlap(left: MediaTypePattern, right: MediaTypePattern): boolean {
  if (left.exact) return right.test(left.source);
  if (right.exact) return left.test(right.source);
  const prefixes = left.prefix.startsWith(right.prefix) || right.prefix.startsWith(left.prefix);
  const suffixes = left.suffix.endsWith(right.suffix) || right.suffix.endsWith(left.suffix);
  return prefixes && suffixes;
}
