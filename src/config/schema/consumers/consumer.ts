import { z } from "zod";
import { expected } from "../../../policy/values/expected.ts";
import { section } from "../../../policy/values/section.ts";
import { listOf, text } from "../../../policy/values/text.ts";
import { policyList, type PolicySchemas, type PolicyUse } from "../policy-use.ts";
import { apiKeys, type KeyConfig } from "./api-key.ts";
import { basic, token, type BasicConfig, type TokenConfig } from "./basic.ts";
import { clientCertificate, type ClientCertificateConfig } from "./certificate.ts";
import { signature, type SignatureConfig } from "./signature.ts";

/** A consumer, normalised. */
export interface ConsumerConfig {
  groups: string[];
  roles: string[];
  scopes: string[];
  metadata: Record<string, unknown>;
  /** "" for none. */
  plan: string;
  keys: KeyConfig[];
  basic?: BasicConfig;
  tokens: TokenConfig[];
  signatures: SignatureConfig[];
  certificates: ClientCertificateConfig[];
  policies: PolicyUse[];
}

const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/;

/** Whether something may be the name of a consumer or a plan: what headers, logs and metrics can hold. */
export function isCallerName(name: string): boolean {
  return NAME_PATTERN.test(name);
}

/** Schema of the name of a consumer or of a plan. */
export function callerName(what: string) {
  return text(`${what}'s name`).regex(NAME_PATTERN, {
    error: `not a ${what}'s name; letters, digits, dots, dashes, underscores and @, at most 100`,
  });
}

function names(what: string) {
  return listOf(text(what), what).prefault([]);
}

/** `consumers.NAME`. */
export function consumerSchema(policies: PolicySchemas) {
  return section({
    groups: names("a group").describe("Groups it belongs to."),
    roles: names("a role").describe("Roles it has."),
    scopes: names("a scope").describe("What it may do, in OAuth's words."),
    metadata: z
      .record(z.string(), z.json(), { error: expected("a map of names to anything") })
      .prefault({})
      .describe("Whatever else is known of it, for expressions and policies."),
    plan: text("a plan's name").optional().describe("Its plan."),
    keys: apiKeys
      .prefault([])
      .describe(
        "Its API keys: `${NAME}`, or maps of `value` or `hash`, `name`, `expires`, `scopes`.",
      ),
    basic: basic.optional().describe("Its user name and password."),
    tokens: listOf(token, "a token's subject")
      .prefault([])
      .describe("Whose tokens are its: maps of `subject` and `issuer`."),
    signatures: listOf(signature, "a signature's key")
      .prefault([])
      .describe("Keys that it signs messages with."),
    certificates: listOf(clientCertificate, "a client certificate")
      .prefault([])
      .describe("Its client certificates."),
    policies: policyList(policies)
      .prefault([])
      .describe("Policies for its requests only, after those of the route and of its plan."),
  }).transform(({ basic: user, plan = "", ...rest }): ConsumerConfig => {
    return { ...rest, plan, ...(user === undefined ? {} : { basic: user }) };
  });
}
