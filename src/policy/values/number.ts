import { z } from "zod";
import { expected } from "./expected.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";
import { shown } from "./shown.ts";

interface CountOptions {
  min?: number;
  max?: number;
  /** Accepts `none`, which becomes 0: no limit. */
  none?: boolean;
}

/**
 * Schema of a whole number. Digits in a string count as well, because that is what an environment
 * variable gives: `weight: ${WEIGHT}`.
 */
export function count(options: CountOptions = {}): z.ZodType<number, number | string> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, none = false } = options;
  const what = rangeOf(min, max) + (none ? " or none" : "");
  const error = expected(what);
  const parse = (text: string): number => {
    if (none && text === "none") return 0;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Refusal(`expected ${what}, found ${shown(text)}`);
  };
  const pattern = none ? "^none$" : "^\\d+$";
  const written = parsedText(parse, { what, hint: `write ${what}`, pattern });
  const whole = z.int({ error }).min(min, { error }).max(max, { error });
  return z.union([whole, written], { error });
}

/** Schema of a yes or no; `"true"` and `"false"` count as well, for environment variables. */
export function flag(
  error = expected("true or false"),
): z.ZodType<boolean, boolean | "true" | "false"> {
  const written = z.enum(["true", "false"], { error }).transform((text) => text === "true");
  return z.union([z.boolean({ error }), written], { error });
}

function rangeOf(min: number, max: number): string {
  if (max !== Number.MAX_SAFE_INTEGER) return `a whole number from ${min} to ${max}`;
  return min === 0 ? "a whole number" : `a whole number of at least ${min}`;
}
