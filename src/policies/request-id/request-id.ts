/**
 * request-id: gives every request an identifier that services, logs and the client share.
 */
import { definePolicy } from "../../policy/policy.ts";
import { headerToSet } from "../../policy/values/header.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";

export default definePolicy({
  name: "request-id",
  summary: "Gives every request an id that the service, the client and the logs see.",
  schema: section({
    header: headerToSet()
      .prefault("x-request-id")
      .describe("Header that carries the id to the service and back to the client."),
    response: flag().prefault(true).describe("Send the id to the client too."),
  }).prefault({}),

  compile({ header, response }) {
    return {
      onRequest(exchange) {
        exchange.adoptRequestId(header);
        exchange.request.fields.set(header, exchange.requestId);
      },
      ...(response
        ? {
            onResponse(exchange) {
              exchange.response.fields.set(header, exchange.requestId);
            },
          }
        : {}),
    };
  },
});
