import { compileRegex } from "./regex/compile-dfa.ts";
import type { Dfa } from "./regex/dfa.ts";
import { commonText } from "./regex/intersect.ts";
import { RoutingError } from "./routing-error.ts";

/** A parameter within a segment. */
export interface ParamToken {
  readonly kind: "param";
  readonly name: string;
  readonly constraint: Dfa | null;
  /** The constraint as written, "" without one. */
  readonly constraintSource: string;
}

const NAME = /^[A-Za-z_]\w*/;

/** Parses `:name` or `:name(expression)` at `start`. */
export function parseParam(source: string, start: number): { token: ParamToken; end: number } {
  const name = NAME.exec(source.slice(start + 1))?.[0];
  if (name === undefined) {
    const hint = "a parameter is written `:name`; `\\:` is the character";
    throw new RoutingError("a `:` that no name follows", hint, start);
  }
  const nameEnd = start + 1 + name.length;
  const follower = source[nameEnd];
  if (follower === "?" || follower === "+" || follower === "*") throw modified(follower, nameEnd);
  if (follower !== "(") {
    return { token: { kind: "param", name, constraint: null, constraintSource: "" }, end: nameEnd };
  }
  const end = endOfGroup(source, nameEnd);
  const constraintSource = source.slice(nameEnd + 1, end - 1);
  const constraint = compileConstraint(constraintSource, nameEnd + 1);
  return { token: { kind: "param", name, constraint, constraintSource }, end };
}

function modified(modifier: string, position: number): RoutingError {
  if (modifier === "?") {
    return new RoutingError(
      "a parameter cannot be optional",
      "write a route for each path",
      position,
    );
  }
  const hint = "`/*` at the end takes several segments; `\\" + modifier + "` is the character";
  return new RoutingError("a parameter is one segment", hint, position);
}

/** The position after the `)` that closes the `(` at `start`. */
function endOfGroup(source: string, start: number): number {
  let depth = 0;
  let inClass = false;
  for (let position = start; position < source.length; position++) {
    const character = source[position];
    if (character === "\\") position++;
    else if (inClass) inClass = character !== "]";
    else if (character === "[") inClass = true;
    else if (character === "(") depth++;
    else if (character === ")" && --depth === 0) return position + 1;
  }
  throw new RoutingError("a `(` without its `)`", "close the constraint", start);
}

// A segment as it is after normalisation: ASCII without slash.
const anySegment = compileRegex("[!-.0-~]+");

// Tables use few expressions many times: ten thousand `\d+` are one automaton. What was compiled
// longest ago goes first, so that reloads cannot make this grow.
const CACHED_MAX = 200;
const cached = new Map<string, Dfa>();

function compileConstraint(source: string, offset: number): Dfa {
  const known = cached.get(source);
  if (known !== undefined) return known;
  const constraint = checkedConstraint(source, offset);
  const [oldest] = cached.keys();
  if (cached.size === CACHED_MAX && oldest !== undefined) cached.delete(oldest);
  cached.set(source, constraint);
  return constraint;
}

function checkedConstraint(source: string, offset: number): Dfa {
  let constraint: Dfa;
  try {
    constraint = compileRegex(source);
  } catch (error) {
    if (!(error instanceof RoutingError)) throw error;
    throw new RoutingError(error.message, error.hint, offset + (error.position ?? 0));
  }
  if (commonText(constraint, anySegment) === undefined) {
    const hint =
      "a parameter is one segment: not empty, no slash, other than ASCII percent-encoded";
    throw new RoutingError("the constraint matches no segment", hint, offset);
  }
  return constraint;
}
