import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { accessFields, parseAccessField } from "../../base/log/access-fields.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { choice, text } from "../../policy/values/text.ts";

/** Where access log entries go and what is in them. */
export interface AccessLogConfig {
  /** Absolute once loaded; null is standard output. */
  file: string | null;
  /** Names that `parseAccessField` knows. */
  fields: string[];
}

const NAMES = accessFields.map(({ name }) => name);
/** `query` and `referer` may carry secrets, `subject` is personal; the others are rarely asked for. */
const LEFT_OUT = new Set([
  ...["scheme", "query", "attempts", "referer", "worker"],
  ...["subject", "credential", "identity"],
]);
const FIELDS_DEFAULT = NAMES.filter((name) => !LEFT_OUT.has(name));

const field = parsedText(
  (name) => {
    if (parseAccessField(name) !== undefined) return name;
    throw new Refusal(`no field named ${JSON.stringify(name)}`, suggestion(name, NAMES));
  },
  {
    what: "a field",
    hint: `one of ${NAMES.join(", ")}, or request.header.NAME, or response.header.NAME`,
    pattern: `^(${NAMES.join("|")}|(request|response)\\.header\\..+)$`,
    sample: "request.header.x-channel",
  },
);

const accessObject = section({
  file: text("the path of a file")
    .optional()
    .describe("File to append to, relative to the config file. Default: standard output."),
  fields: z
    .array(field, { error: expected("a list of fields", "begin each with a dash") })
    .min(1, { error: "no fields; name at least one" })
    .prefault(FIELDS_DEFAULT)
    .describe(
      `Fields of an entry: ${NAMES.join(", ")}, and any header as \`request.header.NAME\` or ` +
        "`response.header.NAME`.",
    ),
}).transform(({ file, fields }): AccessLogConfig => ({ file: file ?? null, fields }));

const access = z
  .union([flag(), text("a file"), accessObject], {
    error: expected("true, false, a file, or a map of file and fields"),
  })
  .transform((value): AccessLogConfig | false => {
    if (value === true) return { file: null, fields: FIELDS_DEFAULT };
    return typeof value === "string" ? { file: value, fields: FIELDS_DEFAULT } : value;
  });

/** `log`: what the gateway says of itself and of requests. */
export const log = section({
  level: choice(["trace", "debug", "info", "warn", "error", "silent"])
    .prefault("info")
    .describe("Least severe message of the gateway's own log, on standard error."),
  format: choice(["auto", "pretty", "json"])
    .prefault("auto")
    .describe("Form of the gateway's own log: `auto` is pretty on a terminal, else JSON lines."),
  access: access
    .prefault(false)
    .describe(
      "Access log, a JSON line for each request: `true` (standard output), a file, or a map.",
    ),
});

export type LogConfig = z.output<typeof log>;
