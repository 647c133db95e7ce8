/**
 * body: maps the bodies of requests and responses, and filters what is not to be seen out of them.
 */
import { identityHeaderMistakes } from "../../policy/identity-header-mistakes.ts";
import { definePolicy, type OptionMistake } from "../../policy/policy.ts";
import { templateNeeds } from "../../policy/template.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import {
  bodyOverLimit,
  malformedBody,
  programsBusy,
  unmappableBody,
  unmappableResponse,
  unsupportedBody,
} from "./body-faults.ts";
import { bodyOptions, type RequestOptions } from "./body-options.ts";
import { compileTextWriter } from "./body-mapping.ts";
import { isXmlName } from "./formats/write-xml.ts";
import { RequestMapper } from "./request-mapper.ts";
import { ResponseMapper } from "./response-mapper.ts";
import { checkStep } from "./steps/compile-steps.ts";

export default definePolicy({
  name: "body",
  summary: "Maps the bodies of requests and responses, and filters sensitive members out of them.",
  schema: bodyOptions,
  results: ["mapped", "passed", "refused"],
  faults: [
    malformedBody,
    unmappableBody,
    unsupportedBody,
    bodyOverLimit,
    unmappableResponse,
    programsBusy,
  ],

  needs: ({ request }) => templateNeeds(textsSet(request?.steps ?? [])),

  check({ request, response }, surroundings) {
    if (request === undefined && response === undefined) {
      return [{ message: "nothing is done", hint: "give request, response or both" }];
    }
    return [
      ...(request === undefined ? [] : mistakesIn("request", request)),
      ...(response === undefined ? [] : mistakesIn("response", response)),
      ...identityHeaderMistakes(headersGiven(request?.steps ?? []), surroundings),
    ];
  },

  compile({ request, response }, environment) {
    const requests = request === undefined ? null : new RequestMapper(request, environment);
    const responses = response === undefined ? null : new ResponseMapper(response, environment);
    return {
      onRequest(exchange) {
        responses?.onRequest(exchange);
        return requests?.onRequest(exchange);
      },
      ...(responses === null ? {} : { onResponse: (exchange) => responses.onResponse(exchange) }),
    };
  },
});

/** Texts that steps put into a body, which are templates. */
function textsSet(steps: RequestOptions["steps"]): string[] {
  const values = steps.flatMap((step) => Object.values({ ...step.set, ...step.default }));
  return values.filter((value) => typeof value === "string");
}

/** Headers of requests that steps give, with their places in the options. */
function headersGiven(steps: RequestOptions["steps"]) {
  return steps.flatMap(({ headers = {} }, index) =>
    Object.keys(headers).map(
      (name) => [["request", "steps", index, "headers", name], name] as const,
    ),
  );
}

type Direction = Pick<RequestOptions, "steps" | "from" | "to" | "text" | "xml" | "others">;

function mistakesIn(
  direction: "request" | "response",
  { steps, from, to = from, text, xml }: Direction,
): OptionMistake[] {
  const mistakes: OptionMistake[] = [];
  if (steps.length === 0 && from === to) {
    mistakes.push({
      path: [direction],
      message: "nothing is done",
      hint: "give steps, or another format with to",
    });
  }
  for (const [index, step] of steps.entries()) {
    try {
      checkStep(step, direction);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { message, hint } = error;
      const path = [direction, "steps", index];
      mistakes.push({ path, message, ...(hint === undefined ? {} : { hint }) });
    }
  }
  if (to === "text") {
    try {
      compileTextWriter(text);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { message, hint } = error;
      mistakes.push({ path: [direction], message, ...(hint === undefined ? {} : { hint }) });
    }
  } else if (text !== undefined) {
    mistakes.push({
      path: [direction, "text"],
      message: "nothing makes this text",
      hint: "say to: text",
    });
  }
  if (!isXmlName(xml.root)) {
    const path = [direction, "xml", "root"];
    mistakes.push({ path, message: `${JSON.stringify(xml.root)} is no name in XML` });
  }
  return mistakes;
}
