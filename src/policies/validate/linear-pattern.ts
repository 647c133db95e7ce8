import { compilePattern, type Pattern } from "../../policy/values/pattern.ts";
import { Refusal } from "../../policy/values/refusal.ts";

/** A pattern as a schema's `pattern` has it: of ECMA-262, found anywhere in a text unless it is anchored. */
export interface SchemaPattern extends Pattern {
  readonly isLinear: boolean;
}

const ANYTHING = "[\\s\\S]*";
/** One character or class, perhaps repeated, from the first to the last: nothing to go back to. */
const SINGLE = /^\^(?:\[(?:[^\]\\]|\\.)+\]|\\[dDwWsS]|\\p\{\w+\}|\.)(?:[*+?]|\{\d+(?:,\d*)?\})?\$$/;

/**
 * Compiles a pattern so that testing a text takes one look at each of its characters.
 *
 * @throws Refusal for what cannot be done so: back references, look-around, anchors within
 */
export function compileLinearPattern(source: string): SchemaPattern {
  if (SINGLE.test(source)) return unbounded(source, true);
  const whole = alternatives(source).map(anchored).join("|");
  const automaton = compilePattern(whole);
  return { isLinear: true, test: (text) => automaton.test(text) };
}

/** Compiles it by the engine of the language, which a text may keep busy for long. @throws Refusal */
export function compileBacktrackingPattern(source: string): SchemaPattern {
  return unbounded(source, false);
}

function unbounded(source: string, isLinear: boolean): SchemaPattern {
  const expression = regExpOf(source);
  return { isLinear, test: (text) => expression.test(text) };
}

/** By the rules of Unicode, as the specification recommends; by the older ones where it does not know those. */
function regExpOf(source: string): RegExp {
  try {
    return new RegExp(source, "u");
  } catch {
    try {
      return new RegExp(source);
    } catch (error) {
      throw new Refusal((error as Error).message, "correct the expression");
    }
  }
}

/** Parts between the `|` that stand in no group and no class. */
function alternatives(source: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  let inClass = false;
  for (let index = 0; index < source.length; index++) {
    const character = source[index];
    if (character === "\\") index++;
    else if (inClass) inClass = character !== "]";
    else if (character === "[") inClass = true;
    else if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "|" && depth === 0) {
      parts.push(source.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(source.slice(start));
  return parts;
}

/** The same language, said of whole texts. */
function anchored(alternative: string): string {
  const begins = alternative.startsWith("^");
  const ends = /(?:^|[^\\])(?:\\\\)*\$$/.test(alternative);
  const inner = alternative.slice(begins ? 1 : 0, ends ? -1 : undefined);
  return `${begins ? "" : ANYTHING}(?:${inner})${ends ? "" : ANYTHING}`;
}
