import { z } from "zod";
import { changeableHeader } from "../../../policy/values/changeable-header.ts";
import { expected } from "../../../policy/values/expected.ts";
import { count, flag } from "../../../policy/values/number.ts";
import { section } from "../../../policy/values/section.ts";
import { choice, listOf, text } from "../../../policy/values/text.ts";
import { pathText } from "../paths/path.ts";

const paths = () => listOf(pathText(), "a path");
const pathsTo = (what: string) =>
  z.record(z.string(), text(what), { error: expected(`a map of paths to ${what}`) });
const valuesAt = () =>
  z.record(z.string(), z.json(), { error: expected("a map of paths to values") });

const pathsFor = (what: string, name: z.ZodType<string, string>) =>
  z.record(name, pathText(), { error: expected(`a map of ${what} to paths`) });

const mask = {
  with: choice(["text", "last", "hash"])
    .prefault("text")
    .describe("`text`: a fixed text. `last`: all but the end. `hash`: a keyed fingerprint."),
  text: text("a text").prefault("***").describe("What `text` puts there."),
  keep: count({ min: 1, max: 32 }).prefault(4).describe("How many characters `last` leaves."),
  secret: text("a secret").optional().describe("Key of `hash`, of 32 characters or more."),
};

/** One change of a body: a map with one key. */
export const stepSchema = section(
  {
    pick: paths().optional().describe("Keeps what these paths lead to, and nothing else."),
    drop: paths().optional().describe("Removes what these paths lead to."),
    rename: pathsTo("names").optional().describe("Path to the new last name."),
    move: pathsTo("paths").optional().describe("Path to another path through the same lists."),
    set: valuesAt().optional().describe("Path to a value that is put there."),
    default: valuesAt().optional().describe("Path to a value that is put where nothing is."),
    mask: section({ paths: paths().describe("Values to hide."), ...mask })
      .optional()
      .describe("Hides values."),
    filter: section({
      names: listOf(text("a name"), "a name").prefault([]).describe("Names, wherever they are."),
      paths: paths().prefault([]).describe("Paths."),
      ignoreCase: flag()
        .prefault(true)
        .describe("Whether `Pass_Word`, `pass-word` and `password` are one name."),
      mask: section(mask).optional().describe("Hides values in place of removing them."),
    })
      .optional()
      .describe("Removes, or hides, sensitive members at any depth."),
    flatten: section({
      path: pathText().optional().describe("What to flatten. Default: the whole body."),
      separator: text("a text").prefault(".").describe("Between the names."),
    })
      .optional()
      .describe("Makes maps within maps one map with joined names."),
    jsonata: text("a JSONata program")
      .optional()
      .describe("A program that gives the new body, for what the other steps cannot say."),
    headers: pathsFor("header names", changeableHeader())
      .optional()
      .describe("Header to the path of the value that it is given."),
    query: pathsFor("parameters", text("a parameter's name"))
      .optional()
      .describe("Query parameter to the path of the value that it is given; of requests only."),
    wrap: pathText().optional().describe("Puts the body under a name."),
    unwrap: pathText().optional().describe("Leaves of the body what is under a name."),
  },
  { what: "a step" },
).refine((step) => Object.values(step).filter((one) => one !== undefined).length === 1, {
  error: "a step has one key, what it does; write one step for each",
});

export type StepOptions = z.output<typeof stepSchema>;
