import { z } from "zod";
import { documentSchema } from "./schema/document.ts";
import { shareSchemas } from "./share-schemas.ts";
import type { EditorHints } from "../policy/values/parsed-text.ts";
import type { PolicySchemas } from "./schema/policy-use.ts";

/** A JSON Schema as the library builds it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A reference to an environment variable anywhere in a string. */
const REFERENCE = "\\$\\{";

/**
 * JSON Schema (draft 7, which editors know best) of the document as users write it: what completes
 * and checks YAML and JSON in an editor. Strings that hold `${NAME}` pass everywhere.
 */
export function configJsonSchema(policies: PolicySchemas): JsonSchema {
  const schema = z.toJSONSchema(documentSchema(policies), {
    io: "input",
    target: "draft-7",
    override: ({ jsonSchema }) => adapt(jsonSchema as JsonSchema & EditorHints),
  });
  const names = Object.keys(policies).map((name) => [name, `policy-${name}`] as const);
  shareSchemas(schema, {
    properties: Object.fromEntries(names),
    lists: { policies: "PolicyUse", "any-of": "AnyOf", "all-of": "AllOf" },
  });
  return { title: "Gateward configuration", ...schema };
}

function adapt(schema: JsonSchema & EditorHints): void {
  const { sample, editorPattern, editorChoices, editorKeys } = schema;
  delete schema.kind;
  delete schema.sample;
  delete schema.editorPattern;
  delete schema.editorChoices;
  delete schema.editorKeys;
  if (editorKeys !== undefined) schema.patternProperties = { [editorKeys]: {} };
  if (sample !== undefined) schema.examples = [sample];
  // The library's own bounds of whole numbers say nothing to a reader.
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  // `{}` is how a section with defaults inside is written down.
  if (isEmptyMap(schema.default)) delete schema.default;
  const choices = editorChoices ?? (schema.type === "string" ? schema.enum : undefined);
  if (choices !== undefined) {
    delete schema.type;
    delete schema.enum;
    const pattern = editorPattern === undefined ? REFERENCE : `(${editorPattern})|${REFERENCE}`;
    schema.anyOf = [{ enum: [...choices] }, { type: "string", pattern }];
  } else if (editorPattern !== undefined) {
    schema.pattern = `(${editorPattern})|${REFERENCE}`;
  }
}

function isEmptyMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
