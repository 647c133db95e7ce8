import { z } from "zod";
import type { DocumentPath } from "./mistake.ts";
import type { PolicySchemas } from "./schema/policy-use.ts";

interface JsonMap {
  items?: JsonMap;
  properties?: Record<string, JsonMap>;
}

/**
 * The keys that fit at a path of the document within a policy's options; none elsewhere. A policy's
 * schema is the library's own, so its message about an unknown key cannot say which there are.
 */
export function policyOptionKeys(path: DocumentPath, policies: PolicySchemas): string[] {
  const list = path.indexOf("policies");
  const name = path[list + 2];
  if (list === -1 || typeof name !== "string" || !Object.hasOwn(policies, name)) return [];
  const { schema } = policies[name]!;
  let here = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonMap | undefined;
  for (const part of path.slice(list + 3)) {
    here = typeof part === "number" ? here?.items : here?.properties?.[part];
  }
  return Object.keys(here?.properties ?? {});
}
