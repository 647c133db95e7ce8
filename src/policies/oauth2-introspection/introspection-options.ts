/** introspection-options: what users write, and what of it makes no sense. */
import type { z } from "zod";
import type { OptionMistake } from "../../policy/policy.ts";
import {
  audiences,
  isWithoutTls,
  issuerName,
  serverUrl,
  tokenShape,
} from "../../policy/token/token-options.ts";
import { duration } from "../../policy/values/duration.ts";
import { section } from "../../policy/values/section.ts";
import { choice, text } from "../../policy/values/text.ts";

const HOUR_MS = 3_600_000;

export const introspectionSchema = section({
  endpoint: serverUrl().describe("URL of the introspection endpoint (RFC 7662)."),
  client: section({
    id: text("a client id").describe("What the authorization server calls the gateway."),
    secret: text("a secret").describe("Best from the environment: `${CLIENT_SECRET}`."),
    method: choice(["basic", "post"])
      .prefault("basic")
      .describe("How they are sent: in an Authorization header, or in the body."),
  }).describe("Credentials of the gateway at the endpoint."),
  issuer: issuerName()
    .optional()
    .describe("What `iss` has to be, where the answer has one; taken as the issuer where not."),
  audience: audiences()
    .optional()
    .describe(
      "One of these has to be in `aud`. Without it tokens for other services are accepted.",
    ),
  cache: section({
    ttl: duration({ minMs: 0, maxMs: 24 * HOUR_MS })
      .prefault("60s")
      .describe("How long an answer holds without being asked for again, at most until `exp`."),
    inactive: duration({ minMs: 0, maxMs: HOUR_MS })
      .prefault("10s")
      .describe("How long it holds that a token is not active."),
  })
    .prefault({})
    .describe("Within these times a token that is called back still passes, or the reverse."),
  outage: duration({ minMs: 0, maxMs: 24 * HOUR_MS })
    .prefault("0s")
    .describe(
      "How long past `ttl` the last answer serves while the endpoint cannot be asked, at most until `exp`.",
    ),
  timeout: duration({ maxMs: 60_000 }).prefault("2s").describe("For each question."),
  ca: text("a file").optional().describe("PEM file of the only authorities to trust."),
  ...tokenShape,
});

export type IntrospectionOptions = z.output<typeof introspectionSchema>;

export function filesOf({ ca }: IntrospectionOptions): string[] {
  return ca === undefined ? [] : [ca];
}

export function checkIntrospection({ endpoint, audience }: IntrospectionOptions): OptionMistake[] {
  const mistakes: OptionMistake[] = [];
  if (audience === undefined) {
    const message = "tokens that were made for other services are accepted";
    mistakes.push({ message, hint: "write audience", isWarning: true });
  }
  if (isWithoutTls(endpoint)) {
    const message = "tokens and the client's secret can be read on their way without TLS";
    mistakes.push({ path: ["endpoint"], message, hint: "write https", isWarning: true });
  }
  return mistakes;
}
