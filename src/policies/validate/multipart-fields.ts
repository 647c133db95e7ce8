import { parseContentType, isJsonType } from "./content-type.ts";
import type { MultipartField } from "./multipart-body.ts";
import { child, mapOf, textOf, type Node, type OpenApiDocument } from "./open-api-document.ts";
import { shapeOf, type ValueShape } from "./value-shape.ts";

const TEXT_TYPES = ["string", "number", "integer", "boolean", "null"];

/** The fields that a schema of multipart/form-data describes, by name (OpenAPI 3.1, section 4.8.15). */
export function multipartFields(
  document: OpenApiDocument,
  schema: Node,
  encodings: Node,
): ReadonlyMap<string, MultipartField> {
  const fields = new Map<string, MultipartField>();
  for (const [name, described] of shapeOf(document, schema).properties) {
    const isList = described.kind === "list";
    const shape = isList && described.item !== null ? described.item : described;
    const written = textOf(mapOf(document.resolve(child(encodings, name)).value)["contentType"]);
    const types = written === "" ? null : typesIn(written);
    fields.set(name, { name, isList, shape, form: formOf(shape, types), types });
  }
  return fields;
}

function typesIn(written: string): ReadonlyMap<string, true> {
  const types = written.split(",").map((one) => parseContentType(one)?.type ?? one.trim());
  return new Map(types.map((type) => [type.toLowerCase(), true]));
}

function formOf(
  shape: ValueShape,
  types: ReadonlyMap<string, true> | null,
): MultipartField["form"] {
  if (types !== null) {
    const names = [...types.keys()];
    if (names.every(isJsonType)) return "json";
    return names.every((type) => type === "text/plain") ? "text" : "bytes";
  }
  if (shape.isBinary) return "bytes";
  if (shape.kind !== "single") return "json";
  return TEXT_TYPES.some((type) => shape.types.has(type)) ? "text" : "bytes";
}
