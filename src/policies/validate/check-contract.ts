/** check-contract: what is wrong with the documents and schemas that the options name. */
import type { OptionMistake } from "../../policy/policy.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { openDocument, openSchemas } from "./contract.ts";
import type { CompilingContext } from "./described-operation.ts";
import { DocumentSchemas, type PlainSchema } from "./document-schemas.ts";
import { compileLinearPattern } from "./linear-pattern.ts";
import {
  child,
  entries,
  mapOf,
  placeOf,
  textOf,
  type DescribedOperation,
  type Node,
} from "./open-api-document.ts";
import { readFiles } from "./read-files.ts";
import { schemaLibrary, type ErrorObject } from "./schema-library.ts";
import { knownFormats } from "./schema-set.ts";
import { filesOf, type ValidateOptions } from "./validate-options.ts";

/** A document with a thousand mistakes has one kind of them. */
const MISTAKES_MAX = 50;
const STYLES = [
  "simple",
  "label",
  "matrix",
  "form",
  "spaceDelimited",
  "pipeDelimited",
  "deepObject",
];
/** Keywords of JSON Schema that name schemas otherwise than by a pointer. */
const UNSUPPORTED = ["$dynamicRef", "$recursiveRef"];

/** Looks at all of the files, which have been prepared; a request reads only what it needs. */
export function checkContract(
  options: ValidateOptions,
  contentOf: (file: string) => string,
): OptionMistake[] {
  const report = new Report(options);
  try {
    const contents = readFiles(filesOf(options), contentOf);
    if (options.openapi === undefined) {
      const { context, nodes } = openSchemas(options, contents);
      const inspector = new Inspector(context, report);
      for (const [place, node] of Object.entries(nodes)) {
        inspector.schema(node, place === "responseBody" ? "response" : "request");
      }
      inspector.finish();
    } else inspectDocument(options, contents, report);
  } catch (error) {
    report.refused(error);
  }
  return report.mistakes;
}

function inspectDocument(
  options: ValidateOptions,
  contents: ReadonlyMap<string, unknown>,
  report: Report,
): void {
  const { context, operations, troubles } = openDocument(options, contents);
  for (const trouble of troubles) report.refused(trouble);
  if (operations.length === 0) report.mistake(`${options.openapi!} describes no operations`);
  const { operationId } = options;
  const chosen = operations.filter(
    (one) => operationId === undefined || one.operationId === operationId,
  );
  if (chosen.length === 0 && operations.length > 0) {
    const known = operations.map((one) => one.operationId).filter((id) => id !== "");
    const hint =
      known.length === 0 ? "there are none" : `there are ${known.slice(0, 8).join(", ")}`;
    report.mistake(`no operation has the id ${JSON.stringify(operationId)}`, hint, ["operationId"]);
  }
  const inspector = new Inspector(context, report);
  for (const operation of chosen) inspector.operation(operation);
  inspector.finish();
}

class Report {
  readonly mistakes: OptionMistake[] = [];
  private readonly path: readonly string[];
  private readonly seen = new Set<string>();

  constructor({ openapi, request }: ValidateOptions) {
    this.path =
      openapi !== undefined ? ["openapi"] : request !== undefined ? ["request"] : ["response"];
  }

  mistake(message: string, hint = "", path = this.path): void {
    this.add({ path, message, ...(hint === "" ? {} : { hint }) });
  }

  warning(message: string, hint: string): void {
    this.add({ path: this.path, message, hint, isWarning: true });
  }

  /** What a part of it threw. */
  refused(error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    this.mistake(error.message, error.hint);
  }

  private add(mistake: OptionMistake): void {
    if (this.mistakes.length === MISTAKES_MAX || this.seen.has(mistake.message)) return;
    this.seen.add(mistake.message);
    this.mistakes.push(mistake);
  }
}

class Inspector {
  private readonly context: CompilingContext;
  private readonly report: Report;
  private readonly formats = knownFormats();
  private readonly patterns = new Map<string, Refusal | null>();
  /** Schemas of their own: those that requests use stay uncompiled. */
  private readonly schemas: Readonly<Record<"request" | "response", DocumentSchemas>>;
  private readonly metaCheck = new (schemaLibrary().Ajv2020)({ strict: false, logger: false });

  constructor(context: CompilingContext, report: Report) {
    const { document } = context;
    const settings = { errorsMax: 1, patterns: "linear" } as const;
    this.context = context;
    this.report = report;
    this.schemas = {
      request: new DocumentSchemas(document, "request", settings),
      response: new DocumentSchemas(document, "response", settings),
    };
  }

  operation({ template, parameters, node }: DescribedOperation): void {
    const { document } = this.context;
    const named = new Set([...template.matchAll(/\{([^}]*)\}/g)].map(([, name = ""]) => name));
    for (const parameter of parameters) {
      const { in: place, name, style } = mapOf(parameter.value);
      const at = placeOf(parameter);
      if (
        !["path", "query", "header", "cookie"].includes(textOf(place)) ||
        typeof name !== "string"
      ) {
        this.report.mistake(
          `${at} is no parameter`,
          "it needs a `name`, and `in` of path, query, header or cookie",
        );
        continue;
      }
      if (place === "path" && !named.has(name)) {
        this.report.mistake(`${at}: ${template} has no {${name}}`);
      }
      if (style !== undefined && !STYLES.includes(textOf(style))) {
        this.report.mistake(
          `${at} has the unknown style ${JSON.stringify(style)}`,
          `known: ${STYLES.join(", ")}`,
        );
      }
      this.contentOrSchema(parameter, "request");
    }
    this.guarded(() =>
      this.contentOrSchema(document.resolve(child(node, "requestBody")), "request"),
    );
    for (const [status, response] of entries(child(node, "responses"))) {
      if (status.startsWith("x-")) continue;
      this.guarded(() => {
        const resolved = document.resolve(response);
        this.contentOrSchema(resolved, "response");
        for (const [, header] of entries(child(resolved, "headers"))) {
          this.guarded(() => this.contentOrSchema(document.resolve(header), "response"));
        }
      });
    }
  }

  schema(node: Node, direction: "request" | "response"): void {
    if (node.value === undefined) return;
    this.guarded(() => this.translated(this.schemas[direction].translate(node), node));
  }

  /** Schemas that others refer to, each once. */
  finish(): void {
    for (const schemas of Object.values(this.schemas)) {
      this.untilDone(() => {
        schemas.translateReferred((_, schema, node) => this.translated(schema, node));
      });
    }
  }

  /** One that cannot be translated is told of, and the next one is taken. */
  private untilDone(run: () => void): void {
    for (let isDone = false; !isDone;) {
      isDone = true;
      this.guarded(() => {
        isDone = false;
        run();
        isDone = true;
      });
    }
  }

  private contentOrSchema(owner: Node, direction: "request" | "response"): void {
    this.schema(child(owner, "schema"), direction);
    for (const [, media] of entries(child(owner, "content")))
      this.schema(child(media, "schema"), direction);
  }

  private translated(schema: PlainSchema, node: Node): void {
    if (typeof node.value !== "object" || node.value === null) {
      if (typeof node.value !== "boolean") this.report.mistake(`${placeOf(node)} is no schema`);
      return;
    }
    if (!this.metaCheck.validateSchema(schema, false)) {
      const [first] = this.metaCheck.errors ?? [];
      const where = `${placeOf(node)}${first?.instancePath ?? ""}`;
      this.report.mistake(`${where} is no valid schema: ${reasonOf(first)}`);
      return;
    }
    this.walk(schema, placeOf(node));
  }

  private walk(value: unknown, place: string): void {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (const one of value) this.walk(one, place);
      return;
    }
    const { pattern, format, patternProperties } = value as Record<string, unknown>;
    if (typeof pattern === "string") this.pattern(pattern, place);
    for (const one of Object.keys(mapOf(patternProperties))) this.pattern(one, place);
    if (typeof format === "string" && !this.formats.has(format)) {
      const hint = "it is not checked; describe it by `pattern`";
      this.report.warning(`the format ${JSON.stringify(format)} is not known`, hint);
    }
    for (const name of UNSUPPORTED) {
      if (Object.hasOwn(value, name))
        this.report.warning(`${place}: ${name} is not followed`, "use $ref");
    }
    for (const [name, part] of Object.entries(value)) {
      if (!["enum", "const", "required"].includes(name)) this.walk(part, place);
    }
  }

  private pattern(source: string, place: string): void {
    let refusal = this.patterns.get(source);
    if (refusal === undefined) {
      refusal = refusalOf(source);
      this.patterns.set(source, refusal);
    }
    if (refusal === null) return;
    const hint = `${refusal.hint ?? ""}; or \`patterns: backtracking\`, which a text can keep busy for long`;
    const message = `${place}: the pattern ${source} cannot be tested in linear time: ${refusal.message}`;
    this.report.mistake(message, hint.replace(/^; or/, "say"));
  }

  private guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.report.refused(error);
    }
  }
}

/** A keyword's own words, with what would be right where they leave that out. */
function reasonOf(error: ErrorObject | undefined): string {
  const allowed = error?.params["allowedValues"] as string[] | undefined;
  return allowed === undefined ? (error?.message ?? "") : `must be one of ${allowed.join(", ")}`;
}

function refusalOf(source: string): Refusal | null {
  try {
    compileLinearPattern(source);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
