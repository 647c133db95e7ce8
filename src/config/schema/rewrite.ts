import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { parseHostHeader } from "./address.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";

/** What of a request is changed on its way to the service; absent keys leave it as it is. */
export interface RewriteConfig {
  /** Template: `/orders/:id`, `/orders/*`. */
  path?: string | undefined;
  /** `host` or `host:port`. */
  host?: string | undefined;
  query: { set: Record<string, string>; remove: string[] };
}

const pathTemplate = parsedText(
  (written) => {
    if (written.startsWith("/")) return written;
    throw new Refusal(`${JSON.stringify(written)} is not a path`, `write /${written}`);
  },
  { what: "a path", hint: "write it like /orders/*", sample: "/orders/*" },
);

const host = parsedText(parseHostHeader, {
  what: "a host",
  hint: "write it like api.internal",
  sample: "api.internal",
});

const query = section({
  set: z
    .record(z.string(), text("a parameter's value"), {
      error: expected("a map of names to values"),
    })
    .prefault({})
    .describe("Parameters to set, in place of any the client sent."),
  remove: listOf(text("a parameter's name"), "a parameter's name")
    .prefault([])
    .describe("Parameters to take out; `*` takes out all."),
});

const rewriteObject = section({
  path: pathTemplate
    .optional()
    .describe("Path sent to the service; `:name` and `*` carry over from the matched path."),
  host: host.optional().describe("Host sent to the service, instead of what its `host` says."),
  query: query.prefault({}).describe("Changes of the query."),
});

const shortRewrite = pathTemplate.transform((path): RewriteConfig => ({
  path,
  query: { set: {}, remove: [] },
}));

/** `rewrite` of a route: a path or a map. */
export const rewrite = z
  .union([shortRewrite, rewriteObject], {
    error: expected("a path, or a map of path, host and query"),
  })
  .transform((value): RewriteConfig => value);
