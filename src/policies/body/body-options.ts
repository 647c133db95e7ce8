import { z } from "zod";
import { contentType } from "../../policy/values/content-type.ts";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { mediaType } from "../../policy/values/media-type.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { statusSet } from "../../policy/values/status-set.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { stepSchema } from "./steps/step-schema.ts";

const FORMATS = ["json", "xml", "form"] as const;

const steps = () => z.array(stepSchema, { error: expected("a list of steps") });

const common = {
  steps: steps().prefault([]).describe("What is done, in order."),
  from: choice(FORMATS).prefault("json").describe("What the body is."),
  to: choice([...FORMATS, "text"])
    .optional()
    .describe("What it becomes. Default: what it was."),
  contentTypes: listOf(mediaType(), "a media type")
    .optional()
    .describe("Bodies that are mapped. Default: those of `from`, such as JSON's."),
  others: choice(["pass", "refuse"])
    .prefault("pass")
    .describe("What happens to bodies of other types."),
  programTimeout: duration({ maxMs: 60_000 })
    .prefault("250ms")
    .describe("How long one `jsonata` step may take."),
  bytesMax: size()
    .prefault("1mb")
    .describe("Longest body that is mapped; longer ones are refused."),
  xml: section({
    arrays: listOf(text("a path of names"), "a path of names")
      .prefault([])
      .describe("Elements that are lists also where there is one: `order.item`, `**.item`."),
    types: flag()
      .prefault(false)
      .describe("Whether texts that are numbers, `true` or `false` become those."),
    root: text("a name").prefault("root").describe("Root element of what has none of its own."),
    contentType: contentType()
      .prefault("application/xml")
      .describe("What the XML is called that is written; SOAP 1.1 is `text/xml`."),
  })
    .prefault({})
    .describe("How XML is read and written."),
  text: section({
    template: text("a template").describe(
      "`{path}`, `{#list}…{/}` for each element, `{.}` for it.",
    ),
    contentType: contentType().prefault("text/plain").describe("What the text is."),
    escape: choice(["none", "xml", "csv", "json"])
      .optional()
      .describe("What is made of values. Default: what fits `contentType`."),
  })
    .optional()
    .describe("The text that `to: text` makes."),
  form: section({
    brackets: flag()
      .prefault(false)
      .describe("Whether `a[b]`, `a[]` and `a[0][b]` are maps and lists."),
  })
    .prefault({})
    .describe("How forms are read and written."),
};

const malformed = () => choice(["refuse", "pass"]).prefault("refuse");

const requestSection = section({
  ...common,
  malformed: malformed().describe(
    "What happens to a body that is not what its type says (400), or is compressed (415).",
  ),
});

const responseSection = section({
  ...common,
  malformed: malformed().describe(
    "What happens to a body that is not what its type says, is compressed, or is a part (502).",
  ),
  statuses: statusSet()
    .prefault("2xx")
    .describe('Responses whose bodies are mapped: `2xx`, `"404"`.'),
});

const requestError = expected("a list of steps, or a map with steps, from, to");

export const bodyOptions = section({
  request: z
    .union([requestSection, steps().transform((list) => requestSection.parse({ steps: list }))], {
      error: requestError,
    })
    .optional()
    .describe("What becomes of requests' bodies. A list alone is the steps."),
  response: z
    .union([responseSection, steps().transform((list) => responseSection.parse({ steps: list }))], {
      error: requestError,
    })
    .optional()
    .describe("What becomes of responses' bodies. A list alone is the steps."),
}).prefault({});

export type RequestOptions = z.output<typeof requestSection>;
export type ResponseOptions = z.output<typeof responseSection>;
