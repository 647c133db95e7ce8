import {
  child,
  entries,
  items,
  mapOf,
  type Node,
  type OpenApiDocument,
} from "./open-api-document.ts";

/** What text is to be taken for, as far as a schema tells. */
export interface ValueShape {
  readonly kind: "single" | "list" | "map";
  /** Types of a single value. */
  readonly types: ReadonlySet<string>;
  /** Of the items of a list. */
  readonly item: ValueShape | null;
  /** Of the properties of a map. */
  readonly properties: ReadonlyMap<string, ValueShape>;
  /** Bytes in place of text: `format: binary`, `contentMediaType`. */
  readonly isBinary: boolean;
}

const TEXT: ValueShape = {
  kind: "single",
  types: new Set(),
  item: null,
  properties: new Map(),
  isBinary: false,
};
/** A schema may contain itself; a parameter cannot be that deep. */
const DEPTH_MAX = 8;

/** @throws Refusal for references that lead nowhere */
export function shapeOf(document: OpenApiDocument, schema: Node, depth = 0): ValueShape {
  const types = new Set<string>();
  const properties = new Map<string, ValueShape>();
  let item: ValueShape | null = null;
  let isBinary = false;
  const look = (node: Node, level: number): void => {
    if (level > DEPTH_MAX) return;
    const resolved = document.resolve(node);
    const { type, enum: values, nullable, format, contentMediaType } = mapOf(resolved.value);
    if (format === "binary" || contentMediaType !== undefined) isBinary = true;
    for (const one of Array.isArray(type) ? (type as unknown[]) : [type]) {
      if (typeof one === "string") types.add(one);
    }
    if (nullable === true) types.add("null");
    if (type === undefined && Array.isArray(values)) {
      for (const value of values as unknown[]) types.add(value === null ? "null" : typeof value);
    }
    const listed = child(resolved, "items");
    if (listed.value !== undefined && item === null) item = shapeOf(document, listed, level + 1);
    for (const [name, property] of entries(child(resolved, "properties"))) {
      types.add("object");
      properties.set(name, shapeOf(document, property, level + 1));
    }
    for (const list of ["allOf", "anyOf", "oneOf"]) {
      for (const one of items(child(resolved, list))) look(one, level + 1);
    }
  };
  if (depth > DEPTH_MAX) return TEXT;
  look(schema, depth);
  const kind =
    item !== null || types.has("array") ? "list" : types.has("object") ? "map" : "single";
  return { kind, types, item, properties, isBinary };
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;

/** Text as the first of the types that it is a value of; itself where it is none, so that the check tells. */
export function coerce(text: string, { types }: ValueShape): unknown {
  if (types.has("number") && NUMBER.test(text)) return Number(text);
  if (types.has("integer") && INTEGER.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.has("null") && !types.has("string") && (text === "" || text === "null")) return null;
  return text;
}
