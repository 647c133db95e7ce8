import type { HostPattern } from "./host-pattern.ts";
import type { PathPattern } from "./path-pattern.ts";
import type { RuleConditions } from "./rule-conditions.ts";
import type { SegmentMatcher } from "./segment-matcher.ts";

/** How specific a rule is apart from its host; compared by specificity.ts. */
export interface Specificity {
  /** One number for each path segment, lower is more specific. */
  readonly path: readonly number[];
  readonly namesMethods: boolean;
  readonly conditionCount: number;
  /** Ranks of the conditions, highest first, a digit each; see `valueRank`. */
  readonly conditionRanks: string;
  /** Prefix length of the widest client range, -1 without one. */
  readonly clientBits: number;
}

/** A rule ready to be matched. */
export interface CompiledRule<Value> {
  /** Position in the list of rules as given. */
  readonly index: number;
  readonly name: string | undefined;
  readonly value: Value;
  readonly pattern: PathPattern;
  readonly hosts: readonly HostPattern[];
  /** As named by the rule, in its order; empty for every method. */
  readonly methods: readonly string[];
  /** Bits of the methods named, without the implicit HEAD; `ANY_METHOD` for every method. */
  readonly methodMask: number;
  readonly conditions: RuleConditions | null;
  readonly specificity: Specificity;
  /** Where parameters are: segments that have any, by depth, and what splits them, null for all. */
  readonly paramDepths: readonly number[];
  readonly paramMatchers: readonly (SegmentMatcher | null)[];
}
