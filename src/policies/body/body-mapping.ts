import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { compileMediaType } from "../../policy/values/media-type.ts";
import type { RequestOptions } from "./body-options.ts";
import { withCharset } from "./formats/charset.ts";
import { formFormat } from "./formats/form-format.ts";
import type { Format, FormatName } from "./formats/format.ts";
import { jsonFormat } from "./formats/json-format.ts";
import { compileText, type TextEscape } from "./formats/text-format.ts";
import { xmlFormat } from "./formats/xml-format.ts";
import type { Json } from "./json-value.ts";
import { compileStep } from "./steps/compile-steps.ts";
import type { Step } from "./steps/step.ts";

export type MappingOptions = Pick<
  RequestOptions,
  "steps" | "text" | "from" | "to" | "contentTypes" | "programTimeout" | "xml" | "form"
>;

/** What is done to the bodies of one direction. */
export interface BodyMapping {
  /** Media types that it takes, as they are written. */
  readonly mediaTypes: readonly string[];
  /** Content-Type of what it makes; null where that is the body's own. */
  readonly contentType: string | null;
  /** Whether bodies are only read, and go on byte for byte. */
  readonly keepsBytes: boolean;
  takes(contentType: string): boolean;
  /** @throws BodyFlaw; a promise of one rejects with it */
  map(body: Buffer, contentType: string, exchange: Exchange): Buffer | Promise<Buffer>;
}

/** @throws Refusal for steps that make no sense */
export function compileMapping(
  options: MappingOptions,
  direction: "request" | "response",
  environment: PolicyEnvironment,
): BodyMapping {
  const settings = { environment, programTimeoutMs: options.programTimeout, direction };
  const source = formatOf(options.from, options);
  const { from, to = from, text } = options;
  const goal = to === "text" ? compileTextWriter(text) : formatOf(to, options);
  const steps = options.steps.map((step) => compileStep(step, settings));
  const mediaTypes = options.contentTypes ?? source.mediaTypes;
  const patterns = mediaTypes.map(compileMediaType);
  const keepsBytes =
    from === to && options.steps.every((step) => (step.headers ?? step.query) !== undefined);
  return {
    mediaTypes,
    keepsBytes,
    // The subtype says more than that it is JSON, and the charset is UTF-8 whatever it is called.
    contentType: from === "json" && to === "json" ? null : goal.contentType,
    takes(contentType) {
      for (const pattern of patterns) if (pattern.test(contentType)) return true;
      return false;
    },
    map(body, contentType, exchange) {
      const value = run(steps, 0, source.read(body, contentType), exchange);
      if (value instanceof Promise) return value.then((late) => goal.write(late));
      return keepsBytes ? body : goal.write(value);
    },
  };
}

/** In order; waits only where a step does. */
function run(
  steps: readonly Step[],
  from: number,
  body: Json,
  exchange: Exchange,
): Json | Promise<Json> {
  let value = body;
  for (let index = from; index < steps.length; index++) {
    const next = steps[index]!(value, exchange);
    if (next instanceof Promise) {
      return next.then((late) => run(steps, index + 1, late, exchange));
    }
    value = next;
  }
  return value;
}

type Writer = Pick<Format, "contentType" | "write">;

/** @throws Refusal for what is no template */
export function compileTextWriter(text: MappingOptions["text"]): Writer {
  if (text === undefined) throw new Refusal("to: text has no text", "give text: { template: … }");
  const { template, contentType, escape = escapeFor(contentType) } = text;
  const render = compileText(template, escape);
  return {
    contentType: withCharset(contentType),
    write: (value) => Buffer.from(render(value)),
  };
}

function escapeFor(contentType: string): TextEscape {
  if (/[/+](xml|html)\b/i.test(contentType)) return "xml";
  if (/\/csv\b/i.test(contentType)) return "csv";
  return /[/+]json\b/i.test(contentType) ? "json" : "none";
}

function formatOf(name: FormatName, { xml, form }: MappingOptions): Format {
  if (name === "xml") return xmlFormat(xml);
  if (name === "form") return formFormat(form);
  return jsonFormat;
}
