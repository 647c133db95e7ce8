import { z } from "zod";
import { duration, durationOr } from "../../policy/values/duration.ts";
import { redirect, respond, type HandlerConfig } from "./handler.ts";
import { match, type MatchConfig } from "./match.ts";
import { policyList, type PolicySchemas, type PolicyUse } from "./policy-use.ts";
import { rewrite, type RewriteConfig } from "./rewrite.ts";
import { section } from "../../policy/values/section.ts";
import { text } from "../../policy/values/text.ts";

/** A route, normalised. */
export interface RouteConfig {
  /** Given, or made from the match; unique in the document. */
  name: string;
  match: MatchConfig;
  handler: HandlerConfig;
  rewrite?: RewriteConfig;
  /** Deadlines in place of the service's, ms; 0: none; absent: the service's. */
  timeout: { responseMs?: number; totalMs?: number };
  policies: PolicyUse[];
}

const deadlines = section({
  response: duration({ none: true })
    .optional()
    .describe("Time from the request's last byte to the head of the response; then 504."),
  total: duration({ none: true }).optional().describe("Time for everything, retries included."),
});

const timeout = z
  .union([duration({ none: true }).transform((response) => ({ response })), deadlines], {
    error: durationOr("a duration (for the response) or a map of response and total"),
  })
  .transform((value): RouteConfig["timeout"] => {
    const { response, total } = value as z.output<typeof deadlines>;
    return {
      ...(response === undefined ? {} : { responseMs: response }),
      ...(total === undefined ? {} : { totalMs: total }),
    };
  });

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
    redirect: redirect.optional().describe("Redirects instead: a location, or `{ to, status }`."),
    respond: respond.optional().describe("Answers from here instead: `{ status, headers, body }`."),
    rewrite: rewrite
      .optional()
      .describe("What is sent to the service instead: a path, or `{ path, host, query }`."),
    timeout: timeout
      .prefault({})
      .describe("Deadlines in place of the service's; a single duration is for the response."),
    policies: policyList(policies)
      .prefault([])
      .describe("Policies of this route, after the document's and the service's."),
  })
    .superRefine(refuseHandlers, { when: ({ value }) => isMap(value) })
    .transform((value): RouteConfig => {
      const { name, service, redirect: away, respond: answer, rewrite: changed, ...rest } = value;
      return {
        name: name ?? describeMatch(rest.match),
        handler: away ?? answer ?? { kind: "service", service: service! },
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
  const given = ["service", "redirect", "respond"].filter((key) => route[key] !== undefined);
  if (given.length === 0)
    refuse("nothing answers this route", "write one of service, redirect, respond");
  if (given.length > 1)
    refuse(`${given.join(" and ")} in one route`, "keep one of them", given[1]!);
  if (route["rewrite"] !== undefined && route["service"] === undefined) {
    refuse("rewrite without a service", "drop it", "rewrite");
  }
}

/** `GET,POST api.example.com/orders/*`: the name of a route that was given none. */
function describeMatch(value: MatchConfig): string {
  const methods = value.methods.length === 0 ? "" : `${value.methods.join(",")} `;
  return `${methods}${value.hosts.join(",")}${value.path}`;
}
