/**
 * request-limits: refuses requests that are larger, or of other kinds, than a route has use for.
 */
import { Fault, defineFaultType } from "../../base/faults.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { definePolicy } from "../../policy/policy.ts";
import { sentContentType } from "../../policy/sent-content-type.ts";
import { compileMediaType, mediaType } from "../../policy/values/media-type.ts";
import { count, flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { listOf } from "../../policy/values/text.ts";
import { countParameters } from "./count-parameters.ts";

const targetOverLimit = defineFaultType("target-over-limit", {
  status: 414,
  title: "Path or query longer than the route allows",
  whose: "client",
  retrySafe: "never",
  cause: "The path or the query is longer, or has more parameters, than `request-limits` allows.",
  remedy: "Send less in the address. The member `code` says which limit it was.",
});

const headersOverLimit = defineFaultType("headers-over-limit", {
  status: 431,
  title: "More headers than the route allows",
  whose: "client",
  retrySafe: "never",
  cause: "The headers are more, or longer, than `request-limits` allows.",
  remedy: "Send fewer or shorter headers; often cookies are what has grown.",
});

const unsupportedMediaType = defineFaultType("unsupported-media-type", {
  status: 415,
  title: "Unsupported media type",
  whose: "client",
  retrySafe: "never",
  cause: "The body's `Content-Type` is none that `request-limits` allows, missing, or doubled.",
  remedy: "Send one of the types in the `Accept` header of the answer.",
});

const lengthRequired = defineFaultType("length-required", {
  status: 411,
  title: "Length required",
  whose: "client",
  retrySafe: "never",
  cause: "The request has a body whose length it does not tell beforehand.",
  remedy: "Send `Content-Length`.",
});

const uriTooLong = limitFault(targetOverLimit, "uri", "The path and query are too long.");
const queryTooLong = limitFault(targetOverLimit, "query", "The query is too long.");
const tooManyParameters = limitFault(
  targetOverLimit,
  "parameters",
  "The query has too many parameters.",
);
const tooManyHeaders = limitFault(headersOverLimit, "count", "There are too many headers.");
const headersTooLong = limitFault(headersOverLimit, "bytes", "The headers are too long.");
const noLength = new Fault(lengthRequired);

export default definePolicy({
  name: "request-limits",
  summary: "Refuses requests that are larger, or of other kinds, than a route has use for.",
  schema: section({
    bodyMax: size({ none: true })
      .optional()
      .describe("Longest body, in place of `limits.bodyBytes`; `none` for any."),
    requireLength: flag()
      .prefault(false)
      .describe("Refuse bodies whose length is not told beforehand (411)."),
    contentTypes: listOf(mediaType(), "a media type")
      .optional()
      .describe("What bodies may be: `application/json`, `image/*`, `*+json`. Default: anything."),
    uriMax: size().optional().describe("Longest path and query, as sent."),
    queryMax: size().optional().describe("Longest query, as sent."),
    queryParamsMax: count().optional().describe("Most parameters in the query."),
    headersMax: size().optional().describe("Longest headers, all of them together."),
    headerCountMax: count({ min: 1 }).optional().describe("Most header lines."),
  }).prefault({}),
  results: ["allowed", "refused"],
  faults: [targetOverLimit, headersOverLimit, unsupportedMediaType, lengthRequired],

  check({ requireLength, ...limits }) {
    if (requireLength || Object.values(limits).some((limit) => limit !== undefined)) return [];
    return [{ message: "there are no limits", hint: "give some, such as bodyMax: 1mb" }];
  },

  compile(options, environment) {
    const { bodyMax } = options;
    const allowed = environment.counter("allowed");
    const refused = environment.counter("refused");
    const checks = compileChecks(options);
    return {
      onRequest(exchange) {
        for (let index = 0; index < checks.length; index++) {
          const fault = checks[index]!(exchange);
          if (fault === null) continue;
          refused.add(1);
          return fault;
        }
        allowed.add(1);
        if (bodyMax !== undefined) exchange.limitBody(bodyMax);
        return undefined;
      },
    };
  },
});

type Check = (exchange: Exchange) => Fault | null;

interface Limits {
  readonly requireLength: boolean;
  readonly contentTypes?: readonly string[] | undefined;
  readonly uriMax?: number | undefined;
  readonly queryMax?: number | undefined;
  readonly queryParamsMax?: number | undefined;
  readonly headersMax?: number | undefined;
  readonly headerCountMax?: number | undefined;
}

/** Only of what is limited, so that a request costs no more. */
function compileChecks(limits: Limits): readonly Check[] {
  const { uriMax, queryMax, queryParamsMax, headersMax, headerCountMax, contentTypes } = limits;
  const checks: Check[] = [];
  if (uriMax !== undefined) {
    checks.push(({ request }) => {
      return request.targetEnd - request.targetStart > uriMax ? uriTooLong : null;
    });
  }
  if (queryMax !== undefined) {
    checks.push(({ rawQuery }) => (rawQuery.length > queryMax ? queryTooLong : null));
  }
  if (queryParamsMax !== undefined) {
    checks.push(({ rawQuery }) => {
      return countParameters(rawQuery) > queryParamsMax ? tooManyParameters : null;
    });
  }
  if (headerCountMax !== undefined) {
    checks.push(({ request }) => (request.fields.count > headerCountMax ? tooManyHeaders : null));
  }
  if (headersMax !== undefined) {
    checks.push(({ request: { fields } }) => {
      return fields.linesEnd - fields.linesStart > headersMax ? headersTooLong : null;
    });
  }
  if (limits.requireLength) checks.push(({ request }) => (request.chunked ? noLength : null));
  if (contentTypes !== undefined) checks.push(checkContentType(contentTypes));
  return checks;
}

function checkContentType(contentTypes: readonly string[]): Check {
  const patterns = contentTypes.map(compileMediaType);
  // RFC 9110 section 15.5.16.
  const accept = contentTypes.filter((type) => !type.startsWith("*+")).join(", ");
  const headers = accept === "" ? null : { accept };
  const fault = new Fault(unsupportedMediaType, "", "", headers);
  return (exchange) => {
    if (!exchange.request.hasBody) return null;
    const sent = sentContentType(exchange);
    if (sent === undefined) return fault;
    for (let index = 0; index < patterns.length; index++) {
      if (patterns[index]!.test(sent)) return null;
    }
    return fault;
  };
}

function limitFault(type: typeof targetOverLimit, code: string, detail: string): Fault {
  return new Fault(type, detail, code);
}
