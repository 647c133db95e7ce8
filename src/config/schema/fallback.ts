import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { responseTemplate } from "../../policy/values/template.ts";
import { listOf, text } from "../../policy/values/text.ts";
import { respond, type RespondConfig } from "./handler.ts";
import { rewrite, type RewriteConfig } from "./rewrite.ts";
import { routeTimeout, type RouteTimeout } from "./route-timeout.ts";

/** Every failure of a service to answer, among what `on` lists. */
export const FAILURE = "failure";

/** One of what answers where a service cannot. */
export type FallbackStepConfig =
  | {
      kind: "service";
      service: string;
      unsafe: boolean;
      rewrite?: RewriteConfig;
      timeout: RouteTimeout;
    }
  | { kind: "respond"; respond: RespondConfig; text?: string }
  | { kind: "cached" };

/** `fallback` of a service or a route. */
export interface FallbackConfig {
  /** FAILURE, statuses such as `503`, and classes of them such as `5xx`. */
  on: string[];
  steps: FallbackStepConfig[];
  /** Clients are told in a header. */
  header: boolean;
}

const WHEN_HINT = "write failure, a status such as 503, or 5xx";
const FORMS = "write service: NAME, respond: { … } or cached: true";

const word = parsedText(
  (written): string => {
    if (written === FAILURE || /^[45](?:xx|\d\d)$/.test(written)) return written;
    throw new Refusal(`${JSON.stringify(written)} is nothing to fall back on`, WHEN_HINT);
  },
  { what: "what to fall back on", hint: WHEN_HINT, sample: "5xx" },
);
const status = z
  .int({ error: expected("what to fall back on", WHEN_HINT) })
  .min(400)
  .max(599)
  .transform(String);
const on = listOf(
  z.union([status, word], { error: expected("what to fall back on", WHEN_HINT) }),
  "a status",
);

const stepKeys = {
  service: text("a service's name").optional().describe("Another service is asked."),
  unsafe: flag()
    .optional()
    .describe(
      "With `service`: also requests such as POST that the first service may have been sent; it may have " +
        "done what they ask for. Default: false.",
    ),
  rewrite: rewrite.optional().describe("With `service`: in place of the route's `rewrite`."),
  timeout: routeTimeout.optional().describe("With `service`: in place of that service's own."),
  respond: respond
    .optional()
    .describe("The gateway answers: `{ status, headers, body }`, as `respond` of a route."),
  text: responseTemplate()
    .optional()
    .describe(
      "With `respond`: the body, plain text by a template; `{failure}` is what the service failed with.",
    ),
  cached: z
    .literal(true, { error: expected("true", "for how long is said in the policy cache") })
    .optional()
    .describe("What the `cache` policy has kept answers, within its `maxStale` or `staleIfError`."),
};

const stepObject = section(stepKeys);
const step = stepObject.transform(normalisedStep);
const steps = z.array(step, { error: expected("a list of steps", FORMS) }).min(1, {
  error: `nothing that could answer; ${FORMS}`,
});

const ownKeys = {
  on: on
    .prefault([FAILURE, "502", "503", "504"])
    .describe("What counts: `failure` (the service gives no answer), statuses, classes of them."),
  header: flag().prefault(true).describe("Whether `gateward-fallback` tells the client."),
};

const fallbackObject = section({
  steps: steps
    .optional()
    .describe("What answers: the first that can. A single step may stand without this key."),
  ...ownKeys,
  ...stepKeys,
}).transform((value, context): FallbackConfig => {
  const { on: when, header, steps: listed, ...single } = value;
  const given = Object.values(single).some((part) => part !== undefined);
  if (listed === undefined) return { on: when, header, steps: [normalisedStep(single, context)] };
  if (given) {
    const key = Object.entries(single).find(([, part]) => part !== undefined)![0];
    context.issues.push({
      code: "custom",
      message: `${key} beside steps`,
      params: { hint: "make it one of the steps" },
      input: value,
      path: [key],
    });
    return z.NEVER;
  }
  return { on: when, header, steps: listed };
});

/** One step, a list of them, or a map with `steps`. */
const fallback = z.union(
  [
    steps.transform((listed): FallbackConfig => ({
      ...z.object(ownKeys).parse({}),
      steps: listed,
    })),
    fallbackObject,
  ],
  { error: expected("a step or a list of them", FORMS) },
);

/** `fallback` of a service. */
export const serviceFallback = fallback
  .optional()
  .describe(
    "What answers when the service cannot: another service, a fixed answer, what the cache has kept. A step, a " +
      "list of them, or a map. Default: the fault.",
  );

/** `fallback` of a route. */
export const routeFallback = fallback
  .optional()
  .describe(
    "What answers when the service cannot, in place of what the service says of it: a step, a list of them, or a map.",
  );

type Step = z.output<typeof stepObject>;

function normalisedStep(value: Step, context: z.RefinementCtx): FallbackStepConfig {
  const { service, unsafe, rewrite: changed, timeout, respond: answer, text: written } = value;
  const refuse = (message: string, hint: string, ...path: string[]): never => {
    context.issues.push({ code: "custom", message, params: { hint }, input: value, path });
    return z.NEVER;
  };
  const kinds = (["service", "respond", "cached"] as const).filter(
    (kind) => value[kind] !== undefined,
  );
  if (kinds.length === 0) return refuse("a step that says nothing", FORMS);
  if (kinds.length > 1)
    return refuse(`${kinds.join(" and ")} in one step`, "make them two steps", kinds[1]!);
  for (const key of ["unsafe", "rewrite", "timeout"] as const) {
    if (service === undefined && value[key] !== undefined)
      return refuse(`${key} without service`, "drop it", key);
  }
  if (written !== undefined && answer === undefined) {
    return refuse("text without respond", "add respond: { status: 503 }", "text");
  }
  if (service !== undefined) {
    return {
      kind: "service",
      service,
      unsafe: unsafe ?? false,
      timeout: timeout ?? {},
      ...(changed === undefined ? {} : { rewrite: changed }),
    };
  }
  if (answer === undefined) return { kind: "cached" };
  if (written === undefined) return { kind: "respond", respond: answer };
  const isTyped = answer.headers["content-type"] !== undefined;
  if (answer.body !== "" || isTyped || [204, 205, 304].includes(answer.status)) {
    const message = "text beside a body, a content type or a status without a body";
    return refuse(message, "text is plain text, and all of the body", "text");
  }
  return { kind: "respond", respond: answer, text: written };
}
