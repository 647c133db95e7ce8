import type { PriorityName } from "../../base/priorities.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";
import { priority } from "./priority.ts";
import { policyList, type PolicySchemas, type PolicyUse } from "./policy-use.ts";

/** A plan, normalised. */
export interface PlanConfig {
  /** Names of routes, in which `*` stands for anything. */
  routes: string[];
  priority?: PriorityName | undefined;
  policies: PolicyUse[];
}

/** `plans.NAME`. */
export function planSchema(policies: PolicySchemas) {
  return section({
    routes: listOf(text("a route's name"), "a route's name")
      .prefault(["*"])
      .describe(
        "Routes that it covers, by name, `*` for anything; others answer 403. Default: all.",
      ),
    priority: priority()
      .optional()
      .describe("Priority of their requests under overload, in place of the route's."),
    policies: policyList(policies)
      .prefault([])
      .describe("Policies for all who have the plan, after those of the route: limits, quotas."),
  }).transform((value): PlanConfig => value);
}
