import { z } from "zod";
import { type EditorHints, parsedText } from "./parsed-text.ts";

interface HiddenTextOptions {
  /** What it is, with its article: "a password". */
  what: string;
  hint: string;
  sample?: string;
}

/** A string that `parse` takes or refuses, and that no message repeats: a password, a key. */
export function hiddenText<T>(
  parse: (text: string) => T,
  { what, hint, sample }: HiddenTextOptions,
) {
  const hints: EditorHints = {
    kind: what.replace(/^an? /, ""),
    ...(sample === undefined ? {} : { sample }),
  };
  const written = z.string({ error: hiddenError(what, hint) }).meta({ ...hints });
  return written.pipe(parsedText(parse, { what, hint }));
}

/** The error of a schema whose value may hold a secret. */
export function hiddenError(what: string, hint: string): string {
  return `expected ${what}, in quotes; ${hint}`;
}
