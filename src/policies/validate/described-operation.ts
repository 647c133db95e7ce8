/** described-operation: an operation of an OpenAPI document, compiled. */
import type { BodyCheck } from "./body-check.ts";
import type { CompiledOperation, RequestCheck, ResponseCheck } from "./compiled-operation.ts";
import { isJsonType, parseContentType } from "./content-type.ts";
import type { DocumentSchemas } from "./document-schemas.ts";
import {
  child,
  entries,
  mapOf,
  textOf,
  type DescribedOperation,
  type Node,
  type OpenApiDocument,
} from "./open-api-document.ts";
import type { Parameter } from "./parameter.ts";
import type { Style } from "./parameter-styles.ts";
import { multipartFields } from "./multipart-fields.ts";
import { shapeOf } from "./value-shape.ts";

/** A document and its schemas, for each direction. */
export interface CompilingContext {
  readonly document: OpenApiDocument;
  readonly request: DocumentSchemas;
  readonly response: DocumentSchemas;
  readonly depthMax: number;
  /** Whether bodies of multipart/form-data are checked. */
  readonly readsMultipart: boolean;
}

const STYLE_BY_PLACE = { path: "simple", query: "form", header: "simple", cookie: "form" } as const;
/** What parameters of these names say is described elsewhere (OpenAPI, section 4.8.12.2). */
const NOT_HEADERS = ["accept", "content-type", "authorization"];

/** @throws Refusal for references that lead nowhere, Error for a schema that makes no sense */
export function compileOperation(
  context: CompilingContext,
  operation: DescribedOperation,
): CompiledOperation {
  const { method, template } = operation;
  const responses = new Map<string, ResponseCheck>();
  const described = child(operation.node, "responses");
  return {
    label: `${method} ${template}`,
    request: compileRequest(context, operation),
    responseOf(status) {
      const key = responseKey(described, status);
      if (key === undefined) return null;
      let check = responses.get(key);
      if (check === undefined) {
        check = compileResponse(context, context.document.resolve(child(described, key)));
        responses.set(key, check);
      }
      return check;
    },
  };
}

function compileRequest(context: CompilingContext, operation: DescribedOperation): RequestCheck {
  const { document, request: schemas } = context;
  const parameters = operation.parameters.flatMap((node) => {
    const parameter = compileParameter(document, schemas, node);
    return parameter === null ? [] : [parameter];
  });
  const byPlace = (place: Parameter["in"]) => parameters.filter((one) => one.in === place);
  const inPath = byPlace("path");
  const names = [...operation.template.matchAll(/\{([^}]*)\}/g)].map(([, name = ""]) => name);
  const body = document.resolve(child(operation.node, "requestBody"));
  return {
    path: names.map((name) => inPath.find((one) => one.name === name) ?? null),
    query: byPlace("query"),
    headers: byPlace("header"),
    cookies: byPlace("cookie"),
    bodies: body.value === undefined ? null : compileBodies(context, schemas, body),
    isBodyRequired: mapOf(body.value)["required"] === true,
    hasNoBody: body.value === undefined,
  };
}

function compileResponse(context: CompilingContext, response: Node): ResponseCheck {
  const { document, response: schemas } = context;
  const headers = entries(child(response, "headers")).flatMap(([name, node]) => {
    if (name.toLowerCase() === "content-type") return [];
    const parameter = compileParameter(document, schemas, document.resolve(node), name);
    return parameter === null ? [] : [parameter];
  });
  const hasContent = entries(child(response, "content")).length > 0;
  return { headers, bodies: hasContent ? compileBodies(context, schemas, response) : null };
}

/** Exact, `2XX`, or `default`. */
function responseKey(described: Node, status: number): string | undefined {
  const keys = [String(status), `${String(status)[0]}XX`, `${String(status)[0]}xx`, "default"];
  return keys.find((key) => child(described, key).value !== undefined);
}

/** @param header name of a header of a response, which does not say it itself */
function compileParameter(
  document: OpenApiDocument,
  schemas: DocumentSchemas,
  node: Node,
  header?: string,
): Parameter | null {
  const written = mapOf(node.value);
  const place = header === undefined ? textOf(written["in"]) : "header";
  const name = header ?? textOf(written["name"]);
  if (!(place in STYLE_BY_PLACE)) return null;
  if (place === "header" && header === undefined && NOT_HEADERS.includes(name.toLowerCase()))
    return null;
  const known = place as Parameter["in"];
  const style = (textOf(written["style"]) || STYLE_BY_PLACE[known]) as Style;
  const [content] = entries(child(node, "content"));
  const schema = content === undefined ? child(node, "schema") : child(content[1], "schema");
  return {
    in: known,
    name,
    isRequired: written["required"] === true || place === "path",
    allowsEmpty: written["allowEmptyValue"] === true,
    style,
    explode: typeof written["explode"] === "boolean" ? written["explode"] : style === "form",
    isJson: content !== undefined && isJsonType(content[0].toLowerCase()),
    shape: shapeOf(document, schema),
    check: schema.value === undefined ? null : schemas.compile(schema),
  };
}

function compileBodies(
  context: CompilingContext,
  schemas: DocumentSchemas,
  owner: Node,
): ReadonlyMap<string, BodyCheck | null> {
  const bodies = new Map<string, BodyCheck | null>();
  for (const [written, media] of entries(child(owner, "content"))) {
    const type = parseContentType(written)?.type ?? written.toLowerCase();
    const schema = child(media, "schema");
    bodies.set(type, bodyCheckOf(context, schemas, type, schema, media));
  }
  return bodies;
}

function bodyCheckOf(
  { document, depthMax, readsMultipart }: CompilingContext,
  schemas: DocumentSchemas,
  type: string,
  schema: Node,
  media: Node,
): BodyCheck | null {
  const compile = () => (schema.value === undefined ? null : schemas.compile(schema));
  if (isJsonType(type)) return { kind: "json", check: compile(), depthMax };
  if (schema.value === undefined) return null;
  if (type === "text/plain") return { kind: "text", check: compile() };
  if (type === "multipart/form-data" && readsMultipart) {
    const fields = multipartFields(document, schema, child(media, "encoding"));
    return { kind: "multipart", fields, check: compile(), depthMax };
  }
  if (type !== "application/x-www-form-urlencoded") return null;
  const encodings = child(media, "encoding");
  const fields = [...shapeOf(document, schema).properties].map(([name, shape]): Parameter => {
    const encoding = mapOf(child(encodings, name).value);
    const style = (textOf(encoding["style"]) || "form") as Style;
    const explode =
      typeof encoding["explode"] === "boolean" ? encoding["explode"] : style === "form";
    const isWrittenAsJson = isJsonType(textOf(encoding["contentType"]).toLowerCase());
    return {
      in: "query",
      name,
      isRequired: false,
      allowsEmpty: false,
      style,
      explode,
      isJson: isWrittenAsJson,
      shape,
      check: null,
    };
  });
  return { kind: "form", fields, check: compile() };
}
