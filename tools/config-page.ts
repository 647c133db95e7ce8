/** Makes docs/reference/config.md: every key of the configuration, in tables. */
import { z } from "zod";
import { documentSchema } from "../src/config/schema/document.ts";
import type { EditorHints } from "../src/policy/values/parsed-text.ts";
import type { PolicySchemas } from "../src/config/schema/policy-use.ts";

/** What is read of a JSON Schema. */
interface Schema extends EditorHints {
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

/** Explained once, at the end, however many keys take them. */
const TESTS_HEADING = "Tests of values";

const INTRO = `# Configuration reference

<!-- Generated from src/config/schema by tools/gen-reference.ts; do not edit. -->

Every key there is, with the value it takes when it is left out. The same keys serve YAML, JSON and
TypeScript; [the guide](../guide/configuration.md) explains them. Unknown keys are mistakes.

| kind of value | how it is written |
| --- | --- |
| duration | a number with its unit, \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`: \`500ms\`, \`1.5s\`, \`1m30s\` |
| size | bytes as a number, or with a unit, \`b\`, \`kb\`, \`mb\`, \`gb\` or \`tb\`: \`64kb\`; 1kb is 1024 bytes |
| percentage | \`20%\` |
| address range | an address or CIDR notation: \`10.0.0.0/8\`, \`::1\` |
| none | where a key takes it: no limit |
| any string | may hold environment variables: \`\${NAME}\`, \`\${NAME:-default}\`; \`$\${\` is a plain \`\${\` |
`;

const TESTS = `
## ${TESTS_HEADING}

What a header, query parameter or cookie must be:

| form | passes when |
| --- | --- |
| \`mobile\` | the value is exactly this |
| \`[mobile, tablet]\` | any test of the list passes |
| \`{ prefix: mob }\` | the value begins with this |
| \`{ regex: "v[0-9]+" }\` | the whole value matches the regular expression |
| \`{ present: true }\` | it is there, whatever its value; \`false\`: it is absent |
| \`{ not: mobile }\` | the test fails, or it is absent |
`;

interface Section {
  path: string;
  schema: Schema;
}

/** The whole page. */
export function configPage(policies: PolicySchemas): string {
  const root = z.toJSONSchema(documentSchema(policies), { io: "input" }) as Schema;
  let page = `${INTRO}\n## Top level\n\n`;
  const sections: Section[] = [];
  page += table(root, "", sections);
  // Each section's table adds the sections within it: depth first, as one reads.
  while (sections.length > 0) {
    const { path, schema } = sections.shift()!;
    const inner: Section[] = [];
    page += `\n## ${path}\n\n${table(schema, path, inner)}`;
    sections.unshift(...inner);
  }
  return page + TESTS;
}

function table(schema: Schema, path: string, sections: Section[]): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    if (key === "$schema") return "";
    const innerPath = path === "" ? key : `${path}.${key}`;
    const inner = key === "policies" ? [] : mapsIn(value, innerPath);
    sections.push(...inner);
    const isRequired = schema.required?.includes(key) === true;
    const name = inner[0] === undefined ? `\`${key}\`` : `[\`${key}\`](#${anchor(inner[0].path)})`;
    const about = cell(value.description ?? "");
    return `| ${name} | ${cell(kindOf(value))} | ${defaultOf(value, isRequired)} | ${about}${sampleOf(value)} |\n`;
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

function kindOf(schema: Schema): string {
  const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (schema.$ref?.endsWith("ValueTest")) return `[test](#${anchor(TESTS_HEADING)})`;
  if (schema.$ref !== undefined) return "any value";
  if (schema.editorChoices !== undefined) return schema.editorChoices.map(code).join(", ");
  if (schema.kind !== undefined) return schema.kind;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (branches !== undefined) return kindsOf(branches);
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "array") return `list of ${kindOf(schema.items ?? {})}`;
  if (schema.type === "object") {
    const values = schema.additionalProperties;
    return typeof values === "object" ? `map of names to ${kindOf(values)}` : "map";
  }
  if (schema.type === "integer") return "number";
  return schema.type ?? "anything";
}

function kindsOf(branches: readonly Schema[]): string {
  const kinds = [...new Set(branches.map(kindOf))];
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

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** The id a heading gets from GitHub and VitePress alike. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(/\s/g, "-");
}
