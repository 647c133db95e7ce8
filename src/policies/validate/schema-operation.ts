/** schema-operation: the schemas of the options, as an operation. */
import type { BodyCheck } from "./body-check.ts";
import type { CompiledOperation, RequestCheck } from "./compiled-operation.ts";
import type { CompilingContext } from "./described-operation.ts";
import type { DocumentSchemas } from "./document-schemas.ts";
import { child, entries, mapOf, type Node } from "./open-api-document.ts";
import type { Parameter } from "./parameter.ts";
import { shapeOf } from "./value-shape.ts";

export type SchemaPlace = "query" | "headers" | "cookies" | "body" | "responseBody";
/** Where schemas stand: of parts of a request, and of the body of a response. */
export type SchemaNodes = Readonly<Partial<Record<SchemaPlace, Node>>>;

/** @throws Refusal for references that lead nowhere, Error for a schema that makes no sense */
export function compileSchemas(context: CompilingContext, nodes: SchemaNodes): CompiledOperation {
  const bodies = bodiesOf(context, context.request, nodes.body);
  const request: RequestCheck = {
    path: [],
    query: parametersOf(context, nodes.query, "query"),
    headers: parametersOf(context, nodes.headers, "header"),
    cookies: parametersOf(context, nodes.cookies, "cookie"),
    bodies,
    isBodyRequired: bodies !== null,
    hasNoBody: false,
  };
  const response = { headers: [], bodies: bodiesOf(context, context.response, nodes.responseBody) };
  const anything = { headers: [], bodies: null };
  return {
    label: "request",
    request,
    responseOf: (status) => (status >= 200 && status < 300 ? response : anything),
  };
}

function bodiesOf(
  { depthMax }: CompilingContext,
  schemas: DocumentSchemas,
  node: Node | undefined,
): ReadonlyMap<string, BodyCheck> | null {
  if (node === undefined) return null;
  const check: BodyCheck = { kind: "json", check: schemas.compile(node), depthMax };
  return new Map([
    ["application/json", check],
    ["application/*+json", check],
  ]);
}

/** Each property of the map is a parameter; it is sent as OpenAPI has it by default. */
function parametersOf(
  { document, request }: CompilingContext,
  node: Node | undefined,
  place: "query" | "header" | "cookie",
): Parameter[] {
  if (node === undefined) return [];
  const schema = document.resolve(node);
  const { required } = mapOf(schema.value);
  return entries(child(schema, "properties")).map(([name, property]) => ({
    in: place,
    name,
    isRequired: Array.isArray(required) && required.includes(name),
    allowsEmpty: false,
    style: place === "header" ? "simple" : "form",
    explode: place !== "header",
    isJson: false,
    shape: shapeOf(document, property),
    check: request.compile(property),
  }));
}
