import { z } from "zod";
import { suggestion } from "./did-you-mean.ts";
import { expected } from "./expected.ts";
import type { EditorHints } from "./parsed-text.ts";
import { shown } from "./shown.ts";

type Issue = { input?: unknown };

/** Schema of a string that may not be empty. YAML's bare numbers and booleans are refused. */
export function text(what: string) {
  const error = ({ input }: Issue): string => {
    const scalar = typeof input === "number" || typeof input === "boolean";
    const hint = scalar ? `; put it in quotes: "${String(input)}"` : "";
    return `expected ${what}, found ${shown(input)}${hint}`;
  };
  const hints: EditorHints = { kind: what.replace(/^(an?|the) /, "") };
  return z
    .string({ error })
    .min(1, { error })
    .meta({ ...hints });
}

/** Schema of a string out of `choices`; another one is refused with the nearest. */
export function choice<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.enum(choices, { error: ({ input }: Issue) => notAmong(input, choices) });
}

/** Schema of a list; a single element may stand without the brackets. */
export function listOf<Element extends z.ZodType>(element: Element, what: string) {
  const error = expected(`${what} or a list of them`);
  const list = z.array(element, { error });
  return z.union([list, element.transform((one) => [one])], { error });
}

function notAmong(input: unknown, choices: readonly string[]): string {
  const all = choices.join(", ");
  if (typeof input !== "string") return `expected one of ${all}, found ${shown(input)}`;
  return `unknown value ${shown(input)}; ${suggestion(input, choices) ?? `one of ${all}`}`;
}
