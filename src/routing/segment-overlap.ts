import type { PathPattern, PatternSegment } from "./path-pattern.ts";
import { compileRegexNode } from "./regex/compile-dfa.ts";
import type { Dfa } from "./regex/dfa.ts";
import { commonText } from "./regex/intersect.ts";
import { literalNode, parseRegex } from "./regex/parse-regex.ts";
import type { RegexNode } from "./regex/parse-regex.ts";

type MatchedSegment = Extract<PatternSegment, { kind: "matched" }>;

/**
 * A path that two patterns of the same shape (equal literals, other segments of equal weight) both
 * match, undefined when there is none.
 */
export function overlappingPath(left: PathPattern, right: PathPattern): string | undefined {
  let path = "";
  for (let depth = 0; depth < left.segments.length; depth++) {
    const text = overlappingSegment(left.segments[depth]!, right.segments[depth]!);
    if (text === undefined) return undefined;
    path += `/${text}`;
  }
  return path;
}

function overlappingSegment(left: PatternSegment, right: PatternSegment): string | undefined {
  if (left.kind === "literal") return left.text;
  if (left.kind === "rest") return "...";
  if (left.kind === "param" || right.kind !== "matched") return "x";
  return commonText(languageOf(left), languageOf(right));
}

const languages = new WeakMap<MatchedSegment, Dfa>();

/**
 * The segments that a pattern of a segment may match: a superset where a constrained parameter is
 * followed by a literal that it may contain.
 */
function languageOf(segment: MatchedSegment): Dfa {
  let language = languages.get(segment);
  if (language === undefined) {
    const { matcher, constraintSources } = segment;
    const parts: RegexNode[] = [literalNode(matcher.prefix)];
    matcher.separators.forEach((separator, index) => {
      parts.push(parseRegex(constraintSources[index] || ".+"), literalNode(separator));
    });
    language = compileRegexNode({ kind: "sequence", parts });
    languages.set(segment, language);
  }
  return language;
}
