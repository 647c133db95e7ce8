/** validate-options: what users write. */
import { z } from "zod";
import type { OptionMistake } from "../../policy/policy.ts";
import { count, flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";

const schemaValue = z.union([text("a file"), z.record(z.string(), z.json())], {
  error: "expected a JSON Schema or the file of one",
});

const requestSchemas = section({
  query: schemaValue.optional().describe("Of the query: a map of parameters."),
  headers: schemaValue.optional().describe("Of headers: a map by lower-case names."),
  cookies: schemaValue.optional().describe("Of cookies: a map by names."),
  body: schemaValue.optional().describe("Of a JSON body, which has to be there."),
});

const responseSchemas = section({
  body: schemaValue.optional().describe("Of the JSON body of every 2xx response."),
});

export const validateOptions = section({
  openapi: text("a file")
    .optional()
    .describe("File of an OpenAPI 3.0 or 3.1 document, YAML or JSON."),
  files: listOf(text("a file"), "a file")
    .prefault([])
    .describe("Further files that the document, or a schema, refers to."),
  basePath: text("a path")
    .regex(/^\/.*[^/]$/, { error: "expected a path that begins with / and does not end with it" })
    .optional()
    .describe("What stands before the document's paths: `/v1`. Default: nothing."),
  operationId: text("an operation's id")
    .optional()
    .describe("The one operation that requests are held against, whatever their path."),
  unknown: choice(["refuse", "pass"])
    .prefault("refuse")
    .describe("Requests that no operation describes: 404 or 405, or let them pass unchecked."),
  unknownQuery: choice(["refuse", "pass"])
    .prefault("pass")
    .describe("Query parameters that the operation does not describe."),
  request: requestSchemas.optional().describe("JSON Schemas, in place of a document."),
  response: responseSchemas.optional().describe("JSON Schemas, in place of a document."),
  responses: flag()
    .prefault(false)
    .describe("Check responses too; one that does not fit is answered 502."),
  mode: choice(["enforce", "report"])
    .prefault("enforce")
    .describe("`report`: let all pass, and only tell what would be refused."),
  bodyMax: size()
    .prefault("1mb")
    .describe("Longest body that is checked; a longer one is answered 413."),
  responseMax: size()
    .prefault("1mb")
    .describe("Longest body of a response that is checked; a longer one is answered 502."),
  multipart: choice(["check", "pass"])
    .prefault("check")
    .describe("Bodies of multipart/form-data: `pass` lets them stream, of any length, unread."),
  depthMax: count({ min: 1, max: 1000 }).prefault(64).describe("How deeply JSON may be nested."),
  errorsMax: count({ min: 1, max: 1000 })
    .prefault(100)
    .describe("Most errors that are told at once."),
  patterns: choice(["linear", "backtracking"])
    .prefault("linear")
    .describe("How `pattern` is tested; see below before you say `backtracking`."),
});

export type ValidateOptions = z.output<typeof validateOptions>;

/** Schemas that are written beside each other, by their places. */
export function schemasOf({ request, response }: ValidateOptions) {
  return { ...request, ...(response?.body === undefined ? {} : { responseBody: response.body }) };
}

/** The files it takes, as written. */
export function filesOf(options: ValidateOptions): string[] {
  const schemas = Object.values(schemasOf(options)).filter((schema) => typeof schema === "string");
  const { openapi, files } = options;
  return [...new Set([...(openapi === undefined ? [] : [openapi]), ...schemas, ...files])];
}

export function checkOptions(options: ValidateOptions): OptionMistake[] {
  const { openapi, request, response, basePath, operationId, responses } = options;
  const mistakes: OptionMistake[] = [];
  const hasSchemas = Object.keys(schemasOf(options)).length > 0;
  if (openapi === undefined && !hasSchemas) {
    const hint = "name a document by `openapi`, or schemas by `request`";
    mistakes.push({ message: "there is nothing to check by", hint });
  }
  if (openapi !== undefined && (request ?? response) !== undefined) {
    const path = [request === undefined ? "response" : "request"];
    mistakes.push({
      path,
      message: "the document has its own schemas",
      hint: "write one of the two",
    });
  }
  for (const [key, value] of Object.entries({ basePath, operationId })) {
    if (value === undefined || openapi !== undefined) continue;
    mistakes.push({ path: [key], message: `${key} is about a document`, hint: "add `openapi`" });
  }
  if (basePath !== undefined && operationId !== undefined) {
    const message = "one operation is checked whatever the path";
    mistakes.push({ path: ["basePath"], message, hint: "leave it out", isWarning: true });
  }
  if (response?.body !== undefined && !responses) {
    const message = "responses are not checked";
    mistakes.push({ path: ["response"], message, hint: "add `responses: true`" });
  }
  return mistakes;
}
