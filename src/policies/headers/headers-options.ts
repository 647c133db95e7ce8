import { z } from "zod";
import { changeableHeader, headerPattern } from "../../policy/values/changeable-header.ts";
import { expected } from "../../policy/values/expected.ts";
import { section } from "../../policy/values/section.ts";
import { statusSet } from "../../policy/values/status-set.ts";
import { requestTemplate, responseTemplate } from "../../policy/values/template.ts";
import { listOf } from "../../policy/values/text.ts";

type AnyTemplate = typeof requestTemplate | typeof responseTemplate;

function changes(template: AnyTemplate) {
  const valueError = expected(
    "a map of header names to values",
    "write it like { X-Tenant: shop }",
  );
  const nameError = expected("a map of header names", "write it like { X-Old: X-New }");
  const value = template();
  return {
    remove: listOf(headerPattern(), "a header name")
      .prefault([])
      .describe("Headers to take out; with `*` at the end, all whose names begin so."),
    rename: z
      .record(changeableHeader(), changeableHeader(), { error: nameError })
      .prefault({})
      .describe("Headers that get another name, and that name."),
    default: z
      .record(changeableHeader(), value, { error: valueError })
      .prefault({})
      .describe("Headers that are set where they are missing; values are templates."),
    set: z
      .record(changeableHeader(), value, { error: valueError })
      .prefault({})
      .describe("Headers that are set, whatever they were; values are templates."),
    add: z
      .record(changeableHeader(), listOf(value, "a template"), { error: valueError })
      .prefault({})
      .describe("Lines that are added to those there are; one template, or a list."),
  };
}

const request = section(changes(requestTemplate));
const response = section({
  ...changes(responseTemplate),
  status: statusSet()
    .prefault([])
    .describe("Only answers with these statuses: `404`, `5xx`. Default: all."),
});

export const headersOptions = section({
  request: request.prefault({}).describe("What the service is sent."),
  response: response.prefault({}).describe("What the client is sent."),
});

/** What becomes of one message. */
export type HeaderOptions = z.output<typeof request>;
export type HeadersOptions = z.output<typeof headersOptions>;
