/**
 * Conditions on the value of a header, query parameter or cookie, as they are written in a route.
 */
import { ANYTHING } from "./regex/char-set.ts";
import { compileRegex, compileRegexNode } from "./regex/compile-dfa.ts";
import type { Dfa } from "./regex/dfa.ts";
import { commonText } from "./regex/intersect.ts";
import { literalNode } from "./regex/parse-regex.ts";
import { RoutingError } from "./routing-error.ts";
import {
  VALUE_ABSENT,
  VALUE_ANY_OF,
  VALUE_EXACT,
  VALUE_NOT,
  VALUE_PREFIX,
  VALUE_PRESENT,
  VALUE_REGEX,
  ValueCondition,
} from "./value-condition.ts";

/**
 * A text has to be equal (case-sensitive), `regex` has to match the whole value, a list means any
 * of its members. An absent value satisfies `{ present: false }` and `{ not: ... }`.
 */
export type MatchValue =
  | string
  | { readonly present: boolean }
  | { readonly prefix: string }
  | { readonly regex: string }
  | { readonly not: MatchValue }
  | readonly MatchValue[];

/** @throws RoutingError for an expression that cannot be used or an empty list. */
export function compileMatchValue(value: MatchValue): ValueCondition {
  if (typeof value === "string") return condition(VALUE_EXACT, value);
  if (isList(value)) {
    if (value.length === 0) throw new RoutingError("an empty list matches nothing", "name a value");
    const parts = value.map(compileMatchValue);
    return parts.length === 1 ? parts[0]! : new ValueCondition(VALUE_ANY_OF, "", null, parts);
  }
  if ("present" in value) return condition(value.present ? VALUE_PRESENT : VALUE_ABSENT, "");
  if ("prefix" in value) return condition(VALUE_PREFIX, value.prefix);
  if ("not" in value) {
    return new ValueCondition(VALUE_NOT, "", null, [compileMatchValue(value.not)]);
  }
  return new ValueCondition(VALUE_REGEX, value.regex, compileRegex(value.regex), []);
}

function isList(value: MatchValue): value is readonly MatchValue[] {
  return Array.isArray(value);
}

function condition(kind: number, text: string): ValueCondition {
  return new ValueCondition(kind, text, null, []);
}

/**
 * How specific a condition is, 1 to 5: exact > one of several exact values > prefix or expression >
 * negation > presence.
 */
export function valueRank(value: ValueCondition): number {
  switch (value.kind) {
    case VALUE_EXACT:
      return 5;
    case VALUE_ANY_OF:
      return value.parts.reduce((rank, part) => Math.min(rank, valueRank(part)), 4);
    case VALUE_PREFIX:
    case VALUE_REGEX:
      return 3;
    case VALUE_NOT:
      return 2;
    default:
      return 1;
  }
}

/** The values that satisfy the condition when they can be listed, else undefined. */
export function exactValues(value: ValueCondition): readonly string[] | undefined {
  if (value.kind === VALUE_EXACT) return [value.text];
  if (value.kind !== VALUE_ANY_OF) return undefined;
  if (value.parts.some((part) => part.kind !== VALUE_EXACT)) return undefined;
  return value.parts.map((part) => part.text);
}

// An automaton has a state for each character, and a limit to its states.
const COMPARED_PREFIX_MAX = 1000;

/** Whether certainly no value satisfies both conditions. False when that is not known. */
export function areDisjoint(left: ValueCondition, right: ValueCondition): boolean {
  if (left.kind === VALUE_ANY_OF) return left.parts.every((part) => areDisjoint(part, right));
  if (right.kind === VALUE_ANY_OF) return right.parts.every((part) => areDisjoint(left, part));
  if (left.kind === VALUE_EXACT) return !right.test(left.text);
  if (right.kind === VALUE_EXACT) return !left.test(right.text);
  if (left.kind === VALUE_ABSENT) return !right.test(undefined);
  if (right.kind === VALUE_ABSENT) return !left.test(undefined);
  if (left.kind === VALUE_NOT) return covers(left.parts[0]!, right);
  if (right.kind === VALUE_NOT) return covers(right.parts[0]!, left);
  const leftDfa = languageOf(left);
  const rightDfa = languageOf(right);
  if (leftDfa === undefined || rightDfa === undefined) return false;
  return commonText(leftDfa, rightDfa) === undefined && !(left.test("") && right.test(""));
}

/** Whether what satisfies `part` certainly satisfies `whole`. */
function covers(whole: ValueCondition, part: ValueCondition): boolean {
  if (whole.kind === VALUE_ANY_OF) return whole.parts.some((each) => covers(each, part));
  if (whole.kind === VALUE_PRESENT) return part.kind !== VALUE_NOT;
  if (part.kind === VALUE_PREFIX && whole.kind === VALUE_PREFIX) {
    return part.text.startsWith(whole.text);
  }
  return part.kind === whole.kind && part.kind !== VALUE_NOT && part.text === whole.text;
}

function languageOf(value: ValueCondition): Dfa | undefined {
  if (value.kind === VALUE_REGEX) return value.dfa ?? undefined;
  if (value.kind !== VALUE_PREFIX || value.text.length > COMPARED_PREFIX_MAX) return undefined;
  const anything = { kind: "set", set: ANYTHING } as const;
  const rest = { kind: "repeat", part: anything, min: 0, max: Infinity } as const;
  return compileRegexNode({ kind: "sequence", parts: [literalNode(value.text), rest] });
}

/** For people: `=mobile`, `=beta-*`, `~\d+`, ` not(=x)`, ` present`, ` absent`. */
export function describeValue(value: ValueCondition): string {
  switch (value.kind) {
    case VALUE_EXACT:
      return `=${value.text}`;
    case VALUE_PRESENT:
      return " present";
    case VALUE_ABSENT:
      return " absent";
    case VALUE_PREFIX:
      return `=${value.text}*`;
    case VALUE_REGEX:
      return `~${value.text}`;
    case VALUE_NOT:
      return ` not(${describeValue(value.parts[0]!).trim()})`;
    default:
      return ` any(${value.parts.map((part) => describeValue(part).trim()).join(", ")})`;
  }
}
