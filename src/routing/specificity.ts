/**
 * Precedence among rules: which of several that match a request applies. It follows from the rules
 * themselves, never from their order in the file.
 */
import type { CompiledRule, Specificity } from "./compiled-rule.ts";
import type { HostPattern } from "./host-pattern.ts";
import { isHeadOnly } from "./method-table.ts";
import type { PathPattern, PatternSegment } from "./path-pattern.ts";

const LITERAL = 0;
const PARAM = 1_000_000;
const REST = 2_000_000;
// A literal character outweighs any number of constraints, of which there are at most 32.
const LITERAL_CHARACTER = 100;
const LITERAL_CHARACTERS_MAX = 9_000;

/**
 * Literal < parameter with literal characters beside it, or constrained < plain parameter < rest.
 */
export function segmentWeight(segment: PatternSegment): number {
  switch (segment.kind) {
    case "literal":
      return LITERAL;
    case "param":
      return PARAM;
    case "rest":
      return REST;
    case "matched": {
      const { literalCount, constraintCount } = segment.matcher;
      const literals = Math.min(literalCount, LITERAL_CHARACTERS_MAX);
      return PARAM - literals * LITERAL_CHARACTER - constraintCount;
    }
  }
}

/** Segment by segment from the left, without the literals' texts: those cannot both match. */
export function pathWeights(pattern: PathPattern): number[] {
  return pattern.segments.map(segmentWeight);
}

/** Exact host < longer wildcard < shorter wildcard < any host. */
export function compareHosts(left: HostPattern, right: HostPattern): number {
  const rank = { exact: 0, wildcard: 1, any: 2 };
  return (
    rank[left.kind] - rank[right.kind] ||
    (left.kind === "wildcard" ? right.text.length - left.text.length : 0)
  );
}

/**
 * Negative when `left` goes before `right`, 0 when neither is more specific. Hosts are not
 * compared; a rule may have several.
 */
export function compareSpecificity(left: Specificity, right: Specificity): number {
  return (
    comparePathWeights(left.path, right.path) ||
    Number(right.namesMethods) - Number(left.namesMethods) ||
    right.conditionCount - left.conditionCount ||
    compareTexts(right.conditionRanks, left.conditionRanks) ||
    right.clientBits - left.clientBits
  );
}

function comparePathWeights(left: readonly number[], right: readonly number[]): number {
  const length = Math.min(left.length, right.length);
  for (let depth = 0; depth < length; depth++) {
    const difference = left[depth]! - right[depth]!;
    if (difference !== 0) return difference;
  }
  // Of two that agree so far only one with a rest can match the same path: not the shorter one.
  return right.length - left.length;
}

/**
 * The order in which rules are tried: by specificity, then by what keeps it the same however the
 * rules are listed. A rule for HEAD alone goes before one for GET that answers HEAD by the way.
 */
export function compareRules<Value>(left: CompiledRule<Value>, right: CompiledRule<Value>): number {
  return (
    compareSpecificity(left.specificity, right.specificity) ||
    Number(isHeadOnly(right.methodMask)) - Number(isHeadOnly(left.methodMask)) ||
    compareTexts(left.pattern.source, right.pattern.source) ||
    compareTexts(left.methods.join(), right.methods.join()) ||
    left.index - right.index
  );
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
