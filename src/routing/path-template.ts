// HOT
import type { MatchResult } from "./match-result.ts";

/** A text with places for path parameters, compiled for one pattern; see rewrite.ts. */
export class PathTemplate {
  /** One more than there are places: what stands before, between and after them. */
  private readonly literals: readonly string[];
  /** Which parameter goes to each place. */
  private readonly params: readonly number[];

  constructor(literals: readonly string[], params: readonly number[]) {
    this.literals = literals;
    this.params = params;
  }

  /** The text for a match of the pattern. Parameters keep their percent-encoding. */
  render(match: MatchResult<unknown>): string {
    const { literals, params } = this;
    let text = literals[0]!;
    for (let place = 0; place < params.length; place++) {
      text += match.param(params[place]!) + literals[place + 1]!;
    }
    return text;
  }
}
