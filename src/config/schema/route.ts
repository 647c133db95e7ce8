import type { z } from "zod";
import type { PriorityName } from "../../base/priorities.ts";
import { routeFallback, type FallbackConfig } from "./fallback.ts";
import { redirect, respond, type HandlerConfig } from "./handler.ts";
import { match, type MatchConfig } from "./match.ts";
import { priority } from "./priority.ts";
import { policyList, type PolicySchemas, type PolicyUse } from "./policy-use.ts";
import { hedge, routeRetry } from "./retry.ts";
import { rewrite, type RewriteConfig } from "./rewrite.ts";
import type { HedgeConfig, RetryConfig } from "../../upstream/retry/retry-config.ts";
import { routeTimeout, type RouteTimeout } from "./route-timeout.ts";
import { split } from "./split.ts";
import { section } from "../../policy/values/section.ts";
import { text } from "../../policy/values/text.ts";

/** A route, normalised. */
export interface RouteConfig {
  /** Given, or made from the match; unique in the document. */
  name: string;
  match: MatchConfig;
  handler: HandlerConfig;
  rewrite?: RewriteConfig;
  timeout: RouteTimeout;
  /** In place of the service's. */
  retry?: RetryConfig | undefined;
  /** In place of the service's; null: never. */
  hedge?: HedgeConfig | null | undefined;
  /** In place of the service's. */
  fallback?: FallbackConfig | undefined;
  /** Under overload lower ones are refused first. */
  priority: PriorityName;
  policies: PolicyUse[];
}

/** An entry of `routes`. Names are not yet unique here. */
export function routeSchema(policies: PolicySchemas) {
  return section({
    name: text("a name")
      .optional()
      .describe("Name in logs and metrics. Default: made from what it matches."),
    match: match.describe(
      "Requests the route takes: `GET /users/:id`, or a map. The most specific route wins, " +
        "wherever it stands in the list.",
    ),
    service: text("a service's name").optional().describe("Service that answers."),
    split: split
      .optional()
      .describe(
        "Instead of `service`: several ways of which each request goes one, by weights and conditions. " +
          "A list of branches, or `{ branches, sticky, seed }`.",
      ),
    redirect: redirect.optional().describe("Redirects instead: a location, or `{ to, status }`."),
    respond: respond.optional().describe("Answers from here instead: `{ status, headers, body }`."),
    rewrite: rewrite
      .optional()
      .describe("What is sent to the service instead: a path, or `{ path, host, query }`."),
    timeout: routeTimeout
      .prefault({})
      .describe("Deadlines in place of the service's; a single duration is for the response."),
    retry: routeRetry
      .optional()
      .describe("When a request is tried again, in place of all that the service says of it."),
    hedge: hedge.optional().describe("In place of the service's; `false`: never."),
    fallback: routeFallback,
    priority: priority()
      .prefault("normal")
      .describe(
        "What is refused last under overload: `critical`, then `high`, `normal`, `low`. See load shedding.",
      ),
    policies: policyList(policies)
      .prefault([])
      .describe("Policies of this route, after the document's and the service's."),
  })
    .superRefine(refuseHandlers, { when: ({ value }) => isMap(value) })
    .transform((value): RouteConfig => {
      const { name, service, split: ways, redirect: away, respond: answer, ...others } = value;
      const { rewrite: changed, ...rest } = others;
      return {
        name: name ?? describeMatch(rest.match),
        handler: ways ?? away ?? answer ?? { kind: "service", service: service! },
        ...rest,
        ...(changed === undefined ? {} : { rewrite: changed }),
      };
    });
}

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Runs even when other keys are mistaken, so it only looks at which keys are there. */
function refuseHandlers(route: Record<string, unknown>, context: z.RefinementCtx): void {
  const refuse = (message: string, hint: string, ...path: string[]): void => {
    context.addIssue({ code: "custom", message, params: { hint }, path });
  };
  const given = ["service", "split", "redirect", "respond"].filter(
    (key) => route[key] !== undefined,
  );
  if (given.length === 0)
    refuse("nothing answers this route", "write one of service, split, redirect, respond");
  if (given.length > 1)
    refuse(`${given.join(" and ")} in one route`, "keep one of them", given[1]!);
  const isSent = route["service"] !== undefined || route["split"] !== undefined;
  if (route["rewrite"] !== undefined && !isSent) {
    refuse("rewrite without a service", "drop it", "rewrite");
  }
  if (route["fallback"] !== undefined && !isSent) {
    refuse("fallback without a service that could fail", "drop it", "fallback");
  }
}

/** `GET,POST api.example.com/orders/*`: the name of a route that was given none. */
function describeMatch(value: MatchConfig): string {
  const methods = value.methods.length === 0 ? "" : `${value.methods.join(",")} `;
  return `${methods}${value.hosts.join(",")}${value.path}`;
}
