import { z } from "zod";
import { Refusal } from "./refusal.ts";
import { shown } from "./shown.ts";

/**
 * What the JSON Schema and the reference say of a value beyond its type. Kept under names of our
 * own, because the library's `examples` and `default` are about parsed values.
 */
export interface EditorHints {
  kind?: string;
  editorPattern?: string;
  editorChoices?: readonly string[];
  /** Pattern of further keys that a map may have. */
  editorKeys?: string;
  sample?: string;
}

interface ParsedTextOptions {
  /** What the value is, with its article: "a duration". */
  what: string;
  /** What a right value looks like: "write it like 500ms, 10s or 1m". */
  hint: string;
  /** A better hint for a value that is no string, or undefined. */
  hintFor?: (input: unknown) => string | undefined;
  /** Pattern for editors; `${NAME}` is let through whatever it says. */
  pattern?: string;
  /** The only values there are, when they can be listed: editors offer them. */
  choices?: readonly string[];
  /** One value as a user would write it, for the reference. */
  sample?: string;
}

/** A string in the document that `parse` turns into `T`, or refuses by throwing a `Refusal`. */
export function parsedText<T>(parse: (text: string) => T, options: ParsedTextOptions) {
  const { what, hint, hintFor, pattern, choices, sample } = options;
  const editor: EditorHints = {
    kind: what.replace(/^an? /, ""),
    ...(pattern === undefined ? {} : { editorPattern: pattern }),
    ...(choices === undefined ? {} : { editorChoices: choices }),
    ...(sample === undefined ? {} : { sample }),
  };
  return z
    .string({
      error: ({ input }) => `expected ${what}, found ${shown(input)}; ${hintFor?.(input) ?? hint}`,
    })
    .meta({ ...editor })
    .transform((text, context) => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const params = { hint: error.hint ?? hint };
        context.issues.push({ code: "custom", message: error.message, params, input: text });
        return z.NEVER;
      }
    });
}
