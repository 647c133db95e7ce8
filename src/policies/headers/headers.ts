/**
 * headers: changes what services and clients are sent in the head.
 */
import { definePolicy } from "../../policy/policy.ts";
import { templateNeeds } from "../../policy/template.ts";
import { compileStatusSet } from "../../policy/values/status-set.ts";
import { checkHeaders } from "./check-headers.ts";
import { HeaderChanges } from "./header-changes.ts";
import { headersOptions } from "./headers-options.ts";

export default definePolicy({
  name: "headers",
  summary: "Sets, adds, removes and renames headers of requests and of responses.",
  schema: headersOptions.prefault({}),
  needs: ({ request: { set, add, ...options } }) =>
    templateNeeds([
      ...Object.values(options.default),
      ...Object.values(set),
      ...Object.values(add).flat(),
    ]),
  check: checkHeaders,

  compile({ request, response }, environment) {
    const ofRequest = new HeaderChanges(request, environment);
    const ofResponse = new HeaderChanges(response, environment);
    const statuses = response.status.length === 0 ? null : compileStatusSet(response.status);
    return {
      onRequest(exchange) {
        ofRequest.apply(exchange, exchange.request.fields);
      },
      onResponse(exchange) {
        if (statuses !== null && !statuses.has(exchange.response.status)) return;
        ofResponse.apply(exchange, exchange.response.fields);
      },
    };
  },
});
