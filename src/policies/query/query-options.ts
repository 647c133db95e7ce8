import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { requestTemplate } from "../../policy/values/template.ts";
import { listOf, text } from "../../policy/values/text.ts";

const valueError = expected("a map of parameters to values", "write it like { page: '1' }");
const nameError = expected("a map of parameters to names", "write it like { p: page }");
const name = text("a parameter's name");

/** A name, or with `*` at its end the beginning of names. */
const pattern = parsedText(
  (written) => {
    const star = written.indexOf("*");
    if (written === "" || (star !== -1 && star < written.length - 1)) {
      throw new Refusal("a * stands at the end of a name");
    }
    return written;
  },
  { what: "a parameter's name", hint: "write it like debug or utm_*", sample: "utm_*" },
);

export const queryOptions = section({
  keep: listOf(pattern, "a parameter's name")
    .optional()
    .describe("The only parameters that pass; with `*` at the end, all whose names begin so."),
  remove: listOf(pattern, "a parameter's name")
    .prefault([])
    .describe("Parameters to take out; `*` as in `keep`, and alone for all."),
  rename: z
    .record(name, name, { error: nameError })
    .prefault({})
    .describe("Parameters that get another name, and that name."),
  default: z
    .record(name, requestTemplate(), { error: valueError })
    .prefault({})
    .describe("Parameters that are set where they are missing; values are templates."),
  set: z
    .record(name, requestTemplate(), { error: valueError })
    .prefault({})
    .describe("Parameters that are set, whatever they were; values are templates."),
  add: z
    .record(name, listOf(requestTemplate(), "a template"), { error: valueError })
    .prefault({})
    .describe("Parameters that are added to those there are; one template, or a list."),
});

export type QueryOptions = z.output<typeof queryOptions>;
