import { parsePathPattern } from "../../routing/path-pattern.ts";
import { RoutingError } from "../../routing/routing-error.ts";

/** Names of a path pattern's parameters, `*` for the rest; none of a pattern that is refused. */
export function pathParams(pattern: string): readonly string[] {
  try {
    return parsePathPattern(pattern).paramNames;
  } catch (error) {
    if (!(error instanceof RoutingError)) throw error;
    return [];
  }
}
