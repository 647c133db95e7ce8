import { policies } from "../policies/index.ts";
import type { PolicyDefinition } from "../policy/policy.ts";

/** Policies by the name under which configurations use them. */
export type PolicyDefinitions = Readonly<Record<string, PolicyDefinition>>;

/** The policies that come with the gateway. */
export const knownPolicies: PolicyDefinitions = policies;
