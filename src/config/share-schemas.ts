import type { z } from "zod";

type JsonSchema = z.core.JSONSchema.BaseSchema;

interface Names {
  /** Of properties that are shared wherever they are alike, and the names they get. */
  properties: Readonly<Record<string, string>>;
  /** Of properties that are lists, and the names that their elements get. */
  lists: Readonly<Record<string, string>>;
}

/**
 * Says once, under `definitions`, what a JSON Schema would say in each of a dozen places: the options of every
 * policy, and what an entry of a list of policies may be. The first of a name counts; what differs stays.
 */
export function shareSchemas(schema: JsonSchema, names: Names): void {
  const definitions: Record<string, JsonSchema> = {};
  const texts = new Map<string, string>();
  share(schema);
  schema.definitions = { ...(schema.definitions as Record<string, JsonSchema>), ...definitions };

  function share(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      share(part);
      if (key === "properties") shareProperties(part as Record<string, JsonSchema>);
    }
  }

  function shareProperties(properties: Record<string, JsonSchema>): void {
    for (const [key, property] of Object.entries(properties)) {
      const name = names.properties[key];
      if (name !== undefined) properties[key] = shared(name, property);
      const list = names.lists[key];
      if (list !== undefined && property.items !== undefined) {
        property.items = shared(list, property.items as JsonSchema);
      }
    }
  }

  function shared(name: string, part: JsonSchema): JsonSchema {
    const text = JSON.stringify(part);
    const known = texts.get(name);
    if (known === undefined) {
      texts.set(name, text);
      definitions[name] = part;
    } else if (known !== text) return part;
    return { $ref: `#/definitions/${name}` };
  }
}
