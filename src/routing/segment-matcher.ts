// HOT
import type { Dfa } from "./regex/dfa.ts";
import { wouldBeDotSegment } from "./rebuild-path.ts";

const DOT = 0x2e;
const SEMICOLON = 0x3b;
const PERCENT = 0x25;

/**
 * Matches one path segment that has more to it than a literal or a plain parameter: `:id(\d+)`,
 * `:name.:ext`, `v:major(\d+)`.
 *
 * Parameters are split at the first occurrence of the literal that follows, without backtracking: in
 * `:name.:ext`, `a.tar.gz` is `a` and `tar.gz`. One that ends the segment takes what is left.
 */
export class SegmentMatcher {
  /** Equal for matchers that accept the same segments, whatever their parameters are called. */
  readonly key: string;
  /** The literal before the first parameter. */
  readonly prefix: string;
  /** `separators[i]` is the literal after parameter i; the last one ends the segment. */
  readonly separators: readonly string[];
  /** `constraints[i]` is what parameter i has to match, null when it may be anything. */
  readonly constraints: readonly (Dfa | null)[];
  /** How many characters of the pattern are literal, and how many parameters are constrained. */
  readonly literalCount: number;
  readonly constraintCount: number;
  /** A parameter is only a part of the segment. */
  private readonly split: boolean;

  constructor(
    key: string,
    prefix: string,
    separators: readonly string[],
    constraints: readonly (Dfa | null)[],
  ) {
    this.key = key;
    this.prefix = prefix;
    this.separators = separators;
    this.constraints = constraints;
    let literalCount = prefix.length;
    let constraintCount = 0;
    for (let index = 0; index < separators.length; index++) {
      literalCount += separators[index]!.length;
      if (constraints[index] !== null) constraintCount++;
    }
    this.literalCount = literalCount;
    this.constraintCount = constraintCount;
    this.split = literalCount > 0;
  }

  /**
   * Whether `text[start, end)` matches. Writes start and end of each parameter to `offsets` from
   * index `at` on, unless it is null.
   */
  match(text: string, start: number, end: number, offsets: Int32Array | null, at: number): boolean {
    if (this.prefix.length > 0 && !text.startsWith(this.prefix, start)) return false;
    let position = start + this.prefix.length;
    const last = this.separators.length - 1;
    for (let index = 0; index <= last; index++) {
      const separator = this.separators[index]!;
      const stop =
        index === last
          ? endBefore(text, separator, end)
          : indexOfSeparator(text, separator, position + 1);
      if (stop <= position || stop > end) return false;
      if (!this.accepts(index, text, position, stop)) return false;
      if (offsets !== null) {
        offsets[at + 2 * index] = position;
        offsets[at + 2 * index + 1] = stop;
      }
      position = stop + separator.length;
    }
    return true;
  }

  private accepts(index: number, text: string, start: number, end: number): boolean {
    // A part is never a dot segment, so that no rewrite can make one of it.
    if (this.split && startsOddly(text, start, end) && wouldBeDotSegment(text.slice(start, end))) {
      return false;
    }
    const constraint = this.constraints[index] as Dfa | null;
    return constraint === null || constraint.test(text, start, end);
  }
}

/** Where the segment's last parameter ends: before `suffix`, -1 when the segment ends otherwise. */
function endBefore(text: string, suffix: string, end: number): number {
  if (suffix.length === 0) return end;
  const stop = end - suffix.length;
  return stop >= 0 && text.startsWith(suffix, stop) && !isWithinEscape(text, stop) ? stop : -1;
}

function indexOfSeparator(text: string, separator: string, from: number): number {
  let stop = text.indexOf(separator, from);
  while (stop !== -1 && isWithinEscape(text, stop)) stop = text.indexOf(separator, stop + 1);
  return stop;
}

/** A literal `2` must not be found in `%2F`, else a parameter would hold half an escape. */
function isWithinEscape(text: string, position: number): boolean {
  return text.charCodeAt(position - 1) === PERCENT || text.charCodeAt(position - 2) === PERCENT;
}

/** Cheap filter in front of `wouldBeDotSegment`. */
function startsOddly(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start);
  if (first === DOT || first === SEMICOLON || first === PERCENT) return true;
  const percent = text.indexOf("%", start);
  return percent !== -1 && percent < end;
}
