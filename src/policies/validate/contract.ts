/** contract: what a use of the policy holds requests against. */
import { posix } from "node:path";
import { Refusal } from "../../policy/values/refusal.ts";
import type { CompiledOperation } from "./compiled-operation.ts";
import { compileOperation, type CompilingContext } from "./described-operation.ts";
import { DocumentSchemas } from "./document-schemas.ts";
import { OpenApiDocument, type DescribedOperation, type Node } from "./open-api-document.ts";
import { OperationFinder } from "./operation-finder.ts";
import { compileSchemas, type SchemaPlace } from "./schema-operation.ts";
import { schemasOf, type ValidateOptions } from "./validate-options.ts";

/** What a path and a method lead to. */
export type Found =
  | {
      readonly kind: "operation";
      readonly operation: CompiledOperation;
      readonly values: readonly string[] | null;
    }
  | { readonly kind: "unknown" }
  | { readonly kind: "other-method"; readonly allow: string };

const UNKNOWN: Found = { kind: "unknown" };

/** Compiles operations when they are first met: a document of a thousand costs what is used of it. */
export interface Contract {
  /** @param path as normalised */
  find(method: string, path: string): Found;
}

/** Operations that are described, one after another, with what is needed to compile them. */
export interface OpenedDocument {
  readonly context: CompilingContext;
  readonly operations: readonly DescribedOperation[];
  readonly troubles: readonly Refusal[];
}

/** @param contents what its files hold, by their normalised paths @throws Refusal for what makes no sense */
export function makeContract(
  options: ValidateOptions,
  contents: ReadonlyMap<string, unknown>,
): Contract {
  const { openapi, operationId } = options;
  if (openapi === undefined) {
    const { context, nodes } = openSchemas(options, contents);
    const found: Found = {
      kind: "operation",
      operation: compileSchemas(context, nodes),
      values: null,
    };
    return { find: () => found };
  }
  const { context, operations } = openDocument(options, contents);
  if (operationId !== undefined) return singleOperation(context, operations, operationId);
  return allOperations(context, operations, options.basePath ?? "");
}

export function openDocument(
  options: ValidateOptions,
  contents: ReadonlyMap<string, unknown>,
): OpenedDocument {
  const document = OpenApiDocument.read(options.openapi!, contents);
  const troubles: Refusal[] = [];
  const operations = document.operations((trouble) => troubles.push(trouble));
  return { context: contextOf(document, options), operations, troubles };
}

/** Schemas that are written in the options stand in files of their own that nobody can name. */
export function openSchemas(options: ValidateOptions, contents: ReadonlyMap<string, unknown>) {
  const all = new Map(contents);
  const nodes: Partial<Record<SchemaPlace, Node>> = {};
  for (const [place, schema] of Object.entries(schemasOf(options)) as [SchemaPlace, unknown][]) {
    const file = typeof schema === "string" ? posix.normalize(schema) : `request.${place}`;
    if (typeof schema !== "string") all.set(file, schema);
    nodes[place] = { file, value: all.get(file), pointer: "" };
  }
  const root = { file: "", value: {}, pointer: "" };
  return { context: contextOf(new OpenApiDocument(root, "3.1", all), options), nodes };
}

function contextOf(document: OpenApiDocument, options: ValidateOptions): CompilingContext {
  const { depthMax, errorsMax, patterns, multipart } = options;
  // One more than is told, so that it can be told that there are more.
  const settings = { errorsMax: errorsMax + 1, patterns };
  return {
    document,
    request: new DocumentSchemas(document, "request", settings),
    response: new DocumentSchemas(document, "response", settings),
    depthMax,
    readsMultipart: multipart === "check",
  };
}

function singleOperation(
  context: CompilingContext,
  operations: readonly DescribedOperation[],
  id: string,
): Contract {
  const described = operations.find(({ operationId }) => operationId === id);
  if (described === undefined) throw new Refusal(`no operation has the id ${JSON.stringify(id)}`);
  let found: Found | undefined;
  return {
    find(method) {
      if (method !== described.method) return { kind: "other-method", allow: described.method };
      found ??= {
        kind: "operation",
        operation: compileOperation(context, described),
        values: null,
      };
      return found;
    },
  };
}

/** An operation and, once it has been met, what it was compiled to. */
interface Entry {
  readonly described: DescribedOperation;
  compiled: CompiledOperation | undefined;
}

function allOperations(
  context: CompilingContext,
  operations: readonly DescribedOperation[],
  basePath: string,
): Contract {
  const finder = new OperationFinder<Entry>();
  for (const described of operations) {
    finder.add(described.template, described.method, { described, compiled: undefined });
  }
  return {
    find(method, path) {
      if (basePath !== "" && !path.startsWith(`${basePath}/`)) return UNKNOWN;
      const at = finder.find(path.slice(basePath.length));
      if (at === null) return UNKNOWN;
      // Who describes GET describes HEAD (RFC 9110, section 9.3.2).
      const entry =
        at.operations.get(method) ?? (method === "HEAD" ? at.operations.get("GET") : undefined);
      if (entry === undefined)
        return { kind: "other-method", allow: [...at.operations.keys()].join(", ") };
      entry.compiled ??= compileOperation(context, entry.described);
      return { kind: "operation", operation: entry.compiled, values: at.values };
    },
  };
}
