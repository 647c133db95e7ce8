/** Makes tables of options, in Markdown, from the JSON Schema of a map. */
import type { EditorHints } from "../src/policy/values/parsed-text.ts";

/** What is read of a JSON Schema. */
export interface Schema extends EditorHints {
  $ref?: string;
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
}

interface Section {
  path: string;
  schema: Schema;
}

/** Kinds of value that are explained elsewhere, as links of the page at hand. */
export interface Kinds {
  /** A test of a header, query parameter or cookie. */
  test: string;
  /** Of keys whose own options are not listed. */
  byKey: Readonly<Record<string, string>>;
}

/** The table of a map, then, each under a heading of that level, those of the maps within it. */
export function optionTables(schema: Schema, level: string, kinds: Kinds): string {
  const sections: Section[] = [];
  let page = table({ path: "", schema }, sections, kinds);
  // Each section's table adds the sections within it: depth first, as one reads.
  while (sections.length > 0) {
    const section = sections.shift()!;
    const inner: Section[] = [];
    page += `\n${level} ${section.path}\n\n${table(section, inner, kinds)}`;
    sections.unshift(...inner);
  }
  return page;
}

function table({ path, schema }: Section, sections: Section[], kinds: Kinds): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    if (key === "$schema") return "";
    const innerPath = path === "" ? key : `${path}.${key}`;
    const known = kinds.byKey[key];
    const inner = known === undefined ? mapsIn(value, innerPath) : [];
    sections.push(...inner);
    const isRequired = schema.required?.includes(key) === true;
    const name = inner[0] === undefined ? `\`${key}\`` : `[\`${key}\`](#${anchor(inner[0].path)})`;
    const kind = known ?? cell(kindOf(value, kinds));
    const about = cell(value.description ?? "");
    return `| ${name} | ${kind} | ${defaultOf(value, isRequired)} | ${about}${sampleOf(value)} |\n`;
  });
  return `| key | value | default | |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

/** The maps with keys of their own that a value may be; those of a choice by their `name`. */
function mapsIn(schema: Schema, path: string): Section[] {
  if (schema.properties !== undefined) return [{ path, schema }];
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    const found = branches.flatMap((branch) => mapsIn(branch, suffixed(path, branch)));
    return found.filter(
      (one, index) => found.findIndex((other) => other.path === one.path) === index,
    );
  }
  if (schema.type === "array") return mapsIn(schema.items ?? {}, path);
  const values = schema.additionalProperties;
  if (typeof values === "object") return mapsIn(values, `${path}.NAME`);
  return [];
}

/** `balance` -> `balance (hash)` for the branch whose name can only be `hash`. */
function suffixed(path: string, branch: Schema): string {
  const name = branch.properties?.["name"]?.const;
  return typeof name === "string" ? `${path} (${name})` : path;
}

function kindOf(schema: Schema, kinds: Kinds): string {
  const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (schema.$ref?.endsWith("ValueTest")) return kinds.test;
  if (schema.$ref !== undefined) return "any value";
  if (schema.editorChoices !== undefined) return schema.editorChoices.map(code).join(", ");
  if (schema.kind !== undefined) return schema.kind;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (branches !== undefined) return kindsOf(branches, kinds);
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "array") return `list of ${kindOf(schema.items ?? {}, kinds)}`;
  if (schema.type === "object") {
    const values = schema.additionalProperties;
    return typeof values === "object" ? `map of names to ${kindOf(values, kinds)}` : "map";
  }
  if (schema.type === "integer") return "number";
  return schema.type ?? "anything";
}

function kindsOf(branches: readonly Schema[], { test, byKey }: Kinds): string {
  const kinds = [...new Set(branches.map((branch) => kindOf(branch, { test, byKey })))];
  // Numbers and booleans may come as strings from variables: that is no kind of its own.
  const isCounted = kinds.some((kind) => /^(whole number|size)/.test(kind));
  const shown = kinds.filter((kind) => {
    if (kind === "number") return !isCounted;
    return kind !== "`true`, `false`";
  });
  // "a or list of a" says it twice.
  const list = shown.find((kind) => kind.startsWith("list of "));
  const others = shown.filter((kind) => kind !== list).join(" or ");
  if (list === `list of ${others}`) return `${others}, or a list`;
  return list === undefined ? others : `${others} or ${list}`;
}

function defaultOf(schema: Schema, isRequired: boolean): string {
  if (isRequired) return "required";
  const { default: value } = schema;
  if (value === undefined || value === "") return "";
  if (typeof value !== "object" || value === null) return code(value);
  return Array.isArray(value) ? value.map(code).join(", ") : "";
}

function sampleOf(schema: Schema): string {
  if (schema.default !== undefined) return "";
  const sample = schema.sample;
  return sample === undefined ? "" : ` Example: ${code(sample)}.`;
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}

export function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** The id a heading gets from GitHub and VitePress alike. */
export function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(/\s/g, "-");
}
