import { z } from "zod";
import { Refusal } from "./refusal.ts";
import { shown } from "./shown.ts";

interface ParsedTextOptions {
  /** What the value is, with its article: "a duration". */
  what: string;
  /** What a right value looks like: "write it like 500ms, 10s or 1m". */
  hint: string;
  /** A better hint for a value that is no string, or undefined. */
  hintFor?: (input: unknown) => string | undefined;
  /** JSON Schema pattern for editors; `${NAME}` is let through whatever it says. */
  pattern?: string;
  /** One value as a user would write it, for the reference. */
  sample?: string;
}

/** A string in the document that `parse` turns into `T`, or refuses by throwing a `Refusal`. */
export function parsedText<T>(parse: (text: string) => T, options: ParsedTextOptions) {
  const { what, hint, hintFor, pattern, sample } = options;
  return z
    .string({
      error: ({ input }) => `expected ${what}, found ${shown(input)}; ${hintFor?.(input) ?? hint}`,
    })
    .meta(pattern === undefined ? {} : { editorPattern: pattern })
    .transform((text, context) => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const params = { hint: error.hint ?? hint };
        context.issues.push({ code: "custom", message: error.message, params, input: text });
        return z.NEVER;
      }
    })
    .meta(sample === undefined ? {} : { sample });
}
