import {
  child,
  entries,
  items,
  mapOf,
  textOf,
  type Node,
  type OpenApiDocument,
} from "./open-api-document.ts";
import { REFERENCE, SchemaSet, type CheckValue, type SchemaSettings } from "./schema-set.ts";

export type Direction = "request" | "response";

/** What a schema becomes: a boolean or a map of keywords of JSON Schema 2020-12. */
export type PlainSchema = boolean | Record<string, unknown>;

/** Keywords that say the same in OpenAPI 3.0, 3.1 and JSON Schema. Others are annotations. */
const SAME = [
  "type",
  "enum",
  "const",
  "multipleOf",
  "maximum",
  "minimum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "uniqueItems",
  "maxContains",
  "minContains",
  "maxProperties",
  "minProperties",
  "required",
  "dependentRequired",
  "format",
];
const OF_ONE = [
  "items",
  "additionalProperties",
  "not",
  "if",
  "then",
  "else",
  "contains",
  "propertyNames",
  "unevaluatedProperties",
  "unevaluatedItems",
];
const OF_LISTS = ["allOf", "anyOf", "oneOf", "prefixItems"];
const OF_MAPS = ["properties", "patternProperties", "dependentSchemas"];

/**
 * Schemas of a document for one direction, as JSON Schema. What a schema refers to is translated with it and
 * shared: an operation costs nothing until it is asked for, and common parts are compiled once.
 */
export class DocumentSchemas {
  private readonly document: OpenApiDocument;
  private readonly direction: Direction;
  private readonly set: SchemaSet;
  /** Of properties that have been translated. */
  private readonly names = new Set<string>();
  private readonly keys = new Map<string, string>();
  private readonly waiting: [key: string, node: Node][] = [];

  constructor(
    document: OpenApiDocument,
    direction: Direction,
    settings: Pick<SchemaSettings, "patterns" | "errorsMax">,
  ) {
    this.document = document;
    this.direction = direction;
    const { usesUnevaluated } = document;
    this.set = new SchemaSet({ ...settings, usesUnevaluated, names: this.names });
  }

  /** @throws Refusal for references that lead nowhere, Error for a schema that makes no sense */
  compile(node: Node): CheckValue {
    const schema = this.translate(node);
    this.translateReferred((key, referred) => this.set.add(key, referred));
    return this.set.compile(schema);
  }

  /** Translates what has been referred to since, each schema once. */
  translateReferred(take: (key: string, schema: PlainSchema, node: Node) => void): void {
    for (let next = this.waiting.pop(); next !== undefined; next = this.waiting.pop()) {
      const [key, node] = next;
      take(key, this.translate(node), node);
    }
  }

  /** @throws Refusal for references that lead nowhere */
  translate(node: Node): PlainSchema {
    if (typeof node.value === "boolean") return node.value;
    const source = mapOf(node.value);
    const isOld = this.document.version === "3.0";
    const ref = source["$ref"];
    if (typeof ref === "string") {
      // A reference that leads round to itself is told of here.
      this.document.resolve(node);
      const referred = this.referenceTo(ref, node);
      // Before 3.1 nothing beside a reference counts.
      return isOld ? referred : { ...this.keywords(node, source), ...referred };
    }
    const schema = this.keywords(node, source);
    if (!isOld) return schema;
    translateBounds(schema, "minimum", "exclusiveMinimum");
    translateBounds(schema, "maximum", "exclusiveMaximum");
    return source["nullable"] === true ? nullable(schema) : schema;
  }

  private keywords(node: Node, source: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const schema: Record<string, unknown> = {};
    for (const name of SAME) if (source[name] !== undefined) schema[name] = source[name];
    for (const name of OF_ONE) {
      if (source[name] !== undefined) schema[name] = this.translate(child(node, name));
    }
    for (const name of OF_LISTS) {
      if (Array.isArray(source[name])) {
        schema[name] = items(child(node, name)).map((one) => this.translate(one));
      }
    }
    for (const name of OF_MAPS) {
      if (source[name] === undefined) continue;
      const parts = entries(child(node, name));
      if (name === "properties") for (const [key] of parts) this.names.add(key);
      // A name such as `__proto__` must not become anything but a name.
      schema[name] = Object.fromEntries(parts.map(([key, one]) => [key, this.translate(one)]));
    }
    this.translateOlder(node, source, schema);
    this.leaveOut(node, schema);
    this.discriminate(node, schema);
    return schema;
  }

  /** What drafts before 2020-12 said in other words. */
  private translateOlder(
    node: Node,
    source: Readonly<Record<string, unknown>>,
    schema: Record<string, unknown>,
  ): void {
    if (Array.isArray(source["items"])) {
      schema["prefixItems"] = items(child(node, "items")).map((one) => this.translate(one));
      delete schema["items"];
      const rest = child(node, "additionalItems");
      if (rest.value !== undefined) schema["items"] = this.translate(rest);
    }
    for (const [name, dependency] of entries(child(node, "dependencies"))) {
      const isList = Array.isArray(dependency.value);
      const key = isList ? "dependentRequired" : "dependentSchemas";
      const value = isList ? dependency.value : this.translate(dependency);
      schema[key] = { ...mapOf(schema[key]), [name]: value };
    }
  }

  /** Properties that only go the other way: nobody has to send them, and nobody may. */
  private leaveOut(node: Node, schema: Record<string, unknown>): void {
    const marker = this.direction === "request" ? "readOnly" : "writeOnly";
    const properties = child(node, "properties");
    const absent = new Set<string>();
    for (const [name, property] of entries(properties)) {
      if (mapOf(this.document.resolve(property).value)[marker] !== true) continue;
      absent.add(name);
      (schema["properties"] as Record<string, unknown>)[name] = false;
    }
    if (absent.size === 0 || !Array.isArray(schema["required"])) return;
    schema["required"] = schema["required"].filter((name) => !absent.has(name as string));
  }

  /** One of several by the value of a property: the one that is named is the one that is checked. */
  private discriminate(node: Node, schema: Record<string, unknown>): void {
    const discriminator = child(node, "discriminator");
    const property = textOf(mapOf(discriminator.value)["propertyName"]);
    const list = schema["oneOf"] === undefined ? "anyOf" : "oneOf";
    const members = items(child(node, list));
    if (property === "" || members.length === 0) return;
    const refs = members.map(({ value }) => textOf(mapOf(value)["$ref"]));
    if (refs.includes("")) return;
    const cases = new Map<string, string>();
    for (const ref of refs) cases.set(ref.slice(ref.lastIndexOf("/") + 1), ref);
    for (const [name, { value }] of entries(child(discriminator, "mapping"))) {
      const target = textOf(value);
      const byName = refs.find((ref) => ref.endsWith(`/${target}`));
      cases.set(name, byName ?? target);
    }
    delete schema[list];
    const branches = [...cases].map(([name, ref]) => ({
      if: { not: { properties: { [property]: { const: name } }, required: [property] } },
      else: this.referenceTo(ref, node),
    }));
    const named = {
      required: [property],
      properties: { [property]: { enum: [...cases.keys()] } },
    };
    const { allOf = [] } = schema as { allOf?: unknown[] };
    schema["allOf"] = [...allOf, { type: "object", ...named }, ...branches];
  }

  private referenceTo(ref: string, node: Node): Record<string, unknown> {
    const key = this.keyOf(this.document.follow(ref, node));
    return { [this.document.usesUnevaluated ? "$ref" : REFERENCE]: key };
  }

  private keyOf(node: Node): string {
    const place = `${node.file}#${node.pointer}`;
    let key = this.keys.get(place);
    if (key === undefined) {
      key = `schema:/${this.keys.size}`;
      this.keys.set(place, key);
      this.waiting.push([key, node]);
    }
    return key;
  }
}

/** `exclusiveMinimum: true` makes a bound of `minimum` in 3.0. */
function translateBounds(schema: Record<string, unknown>, bound: string, exclusive: string): void {
  if (typeof schema[exclusive] !== "boolean") return;
  const isExclusive = schema[exclusive];
  delete schema[exclusive];
  if (!isExclusive || schema[bound] === undefined) return;
  schema[exclusive] = schema[bound];
  delete schema[bound];
}

function nullable(schema: Record<string, unknown>): PlainSchema {
  const { type, enum: values } = schema;
  if (typeof type === "string" && schema["allOf"] === undefined) {
    const orNull = Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {};
    return { ...schema, type: [type, "null"], ...orNull };
  }
  return { anyOf: [{ type: "null" }, schema] };
}
