import { compileRegex } from "../../routing/regex/compile-dfa.ts";
import { RoutingError } from "../../routing/routing-error.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

/** Tests texts in time that grows with their length only, whatever pattern and text are. */
export interface Pattern {
  test(text: string): boolean;
}

/**
 * A regular expression that has to match whole texts; `(?i)` at its beginning ignores the case of ASCII
 * letters. Without what would take more than one look at each character: back references, look-around.
 *
 * @throws Refusal saying what is wrong with it
 */
export function compilePattern(source: string): Pattern {
  try {
    const automaton = compileRegex(source);
    return { test: (text) => automaton.test(text, 0, text.length) };
  } catch (error) {
    if (!(error instanceof RoutingError)) throw error;
    throw new Refusal(error.message, error.hint);
  }
}

/** Schema of a regular expression; the output is as it is written, for `compilePattern`. */
export function pattern() {
  const parse = (written: string): string => {
    compilePattern(written);
    return written;
  };
  const hint = "write it like api-v\\d+";
  return parsedText(parse, { what: "a regular expression", hint });
}
