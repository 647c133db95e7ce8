import { policies } from "../policies/index.ts";
import type { PolicySchemas } from "./schema/policy-use.ts";

/** The policies that come with the gateway, by name. */
export const knownPolicies: PolicySchemas = policies;
