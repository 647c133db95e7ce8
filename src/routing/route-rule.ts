import type { MatchValue } from "./match-value.ts";

/** What a request has to be like for a rule to apply. What is left out does not matter. */
export interface RouteMatch {
  /** A pattern, see path-pattern.ts; every path when left out. */
  readonly path?: string | undefined;
  /** Any of them; `*` alone or an empty list is every method. GET stands for HEAD too. */
  readonly methods?: readonly string[] | undefined;
  /** Any of them, see host-pattern.ts. */
  readonly hosts?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, MatchValue>> | undefined;
  readonly query?: Readonly<Record<string, MatchValue>> | undefined;
  readonly cookies?: Readonly<Record<string, MatchValue>> | undefined;
  /** Addresses or CIDR ranges, any of them. */
  readonly clients?: readonly string[] | undefined;
  /** Media types, any of them, see media-type.ts. */
  readonly contentTypes?: readonly string[] | undefined;
}

/** One route, as far as routing is concerned: `value` is what a match yields. */
export interface RouteRule<Value> {
  readonly value: Value;
  readonly name?: string | undefined;
  readonly match: RouteMatch;
}

/** Why a table of rules cannot be used. */
export interface RouteProblem {
  /** Position in the list of rules. */
  readonly ruleIndex: number;
  /** The other rule of a conflict. */
  readonly otherIndex: number | undefined;
  /** The part of `match` it is about, such as `["hosts", 1]`; empty for the whole. */
  readonly at: readonly (string | number)[];
  readonly message: string;
  /** What would be right. */
  readonly hint: string | undefined;
  /** Where in a pattern, 0-based. */
  readonly position: number | undefined;
}
