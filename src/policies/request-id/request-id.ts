/**
 * request-id: gives every request an identifier that services, logs and the client share.
 */
import { z } from "zod";
import { definePolicy } from "../../policy/policy.ts";

export default definePolicy({
  name: "request-id",
  summary: "Gives every request an id that the service, the client and the logs see.",
  schema: z
    .strictObject({
      header: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, { error: "not a header name; write it like X-Request-Id" })
        .prefault("x-request-id")
        .describe("Header that carries the id to the service and back to the client."),
      response: z.boolean().prefault(true).describe("Send the id to the client too."),
    })
    .prefault({}),

  compile({ header, response }) {
    const name = header.toLowerCase();
    return {
      onRequest(exchange) {
        exchange.request.fields.set(name, exchange.requestId);
      },
      ...(response
        ? {
            onResponse(exchange) {
              exchange.response.fields.set(name, exchange.requestId);
            },
          }
        : {}),
    };
  },
});
