import { policyNames } from "../policies/names.ts";
import { importKnownPolicies } from "./import-known-policies.ts";
import type { PolicyDefinitions } from "./known-policies.ts";
import { writtenUses } from "./load/policy-names.ts";
import { validate, type Validation } from "./validate.ts";

/** With the policies that it names, and perhaps others. */
export interface DocumentValidation extends Validation {
  policies: PolicyDefinitions;
}

/**
 * Checks a document, its variables already put in, with those of the gateway's policies that it names: the others
 * cost a third of a start and 20 MB. Where a list of policies has a mistake all are loaded, since messages say what
 * else there is.
 *
 * @param users those that do not come with the gateway
 */
export async function validateDocument(
  data: unknown,
  users: PolicyDefinitions = {},
): Promise<DocumentValidation> {
  const written = new Set(Array.from(writtenUses(data), ({ name }) => name));
  const used = await importKnownPolicies(policyNames.filter((name) => written.has(name)));
  const policies = { ...used, ...users };
  const validation = validate(data, policies);
  const concernsPolicies = validation.findings.some(({ level, path }) => {
    return level === "error" && path.includes("policies");
  });
  if (!concernsPolicies) return { ...validation, policies };
  const all = { ...(await importKnownPolicies(policyNames)), ...users };
  return { ...validate(data, all), policies: all };
}
