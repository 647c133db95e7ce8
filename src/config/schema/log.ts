import { z } from "zod";
import { flag } from "./number.ts";
import { section } from "./section.ts";
import { choice, text } from "./text.ts";

/** The fields an access log entry can have, in the order they are written. */
export const accessLogFields = [
  "time",
  "requestId",
  "client",
  "method",
  "scheme",
  "host",
  "path",
  "query",
  "protocol",
  "status",
  "requestBytes",
  "responseBytes",
  "durationMs",
  "upstreamMs",
  "route",
  "service",
  "target",
  "attempts",
  "fault",
  "userAgent",
  "referer",
  "worker",
] as const;

export type AccessLogField = (typeof accessLogFields)[number];

/** `query` may carry secrets; the rest of what is left out is rarely asked for. */
const fieldsDefault: AccessLogField[] = [
  "time",
  "requestId",
  "client",
  "method",
  "host",
  "path",
  "protocol",
  "status",
  "requestBytes",
  "responseBytes",
  "durationMs",
  "upstreamMs",
  "route",
  "service",
  "target",
  "fault",
  "userAgent",
];

/** Where entries go and what is in them; `file` null is standard output. */
export interface AccessLogConfig {
  file: string | null;
  fields: AccessLogField[];
}

const accessObject = section({
  file: text("the path of a file")
    .optional()
    .describe("File to append to, relative to the working folder. Default: standard output."),
  fields: z
    .array(choice(accessLogFields))
    .min(1, { error: "no fields; name at least one" })
    .optional()
    .describe(`Fields of an entry. Default: ${fieldsDefault.join(", ")}.`),
});

const access = z
  .union([flag(), text("a file"), accessObject], {
    error: "expected true, false, a file or { file, fields }",
  })
  .transform((value): AccessLogConfig | false => {
    if (value === false) return false;
    if (value === true) return { file: null, fields: fieldsDefault };
    if (typeof value === "string") return { file: value, fields: fieldsDefault };
    return { file: value.file ?? null, fields: value.fields ?? fieldsDefault };
  });

/** `log`: what the gateway says of itself and of requests. */
export const log = section({
  level: choice(["trace", "debug", "info", "warn", "error", "silent"])
    .prefault("info")
    .describe("Least severe message of the gateway's own log that is written."),
  format: choice(["auto", "pretty", "json"])
    .prefault("auto")
    .describe("Form of the gateway's own log; `auto` is pretty on a terminal, else JSON lines."),
  access: access
    .prefault(false)
    .describe(
      "Access log, a JSON line for each request: `true` (standard output), a file, or both.",
    ),
});

export type LogConfig = z.output<typeof log>;
