import { extname } from "node:path";
import type { PolicyDefinition } from "../policy/policy.ts";
import type { PolicyDefinitions } from "./known-policies.ts";

/** `.ts` in a source checkout, `.js` in the published package. */
const ENDING = extname(import.meta.url);

/**
 * Some of the policies that come with the gateway, by their names. A thread needs those that its
 * configuration uses; the others would cost each worker some 5 MB, the main thread 20 MB, and both a third of their
 * start. The contract of policies says where a module lies.
 */
export async function importKnownPolicies(names: Iterable<string>): Promise<PolicyDefinitions> {
  const imports = Array.from(names, async (name) => {
    const { href } = new URL(`../policies/${name}/${name}${ENDING}`, import.meta.url);
    const module = (await import(href)) as { default: PolicyDefinition };
    return [name, module.default] as const;
  });
  return Object.fromEntries(await Promise.all(imports));
}
