import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { parseHeaderToSet } from "../../policy/values/header.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { text } from "../../policy/values/text.ts";

/** Which request headers tell services who is calling; "" where one is not sent. Names in lower case. */
export interface IdentityConfig {
  consumer: string;
  subject: string;
  groups: string;
  roles: string;
  scopes: string;
  method: string;
  credential: string;
  /** Header to the path of a claim, its steps separated by dots. */
  claims: Record<string, string>;
}

/** Headers that mean something already: taken away from clients they would be missed. */
const TAKEN = new Set([
  "accept",
  "authorization",
  "content-type",
  "cookie",
  "date",
  "forwarded",
  "origin",
  "proxy-authenticate",
  "proxy-authorization",
  "referer",
  "user-agent",
  "via",
  "x-api-key",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
]);

function parseIdentityHeader(written: string): string {
  const name = parseHeaderToSet(written);
  if (!TAKEN.has(name)) return name;
  throw new Refusal(`${written} has a meaning of its own`, "use a header like X-Consumer");
}

const name = parsedText(parseIdentityHeader, {
  what: "a header name",
  hint: "write it like X-Consumer",
  sample: "x-consumer",
});
const header = z.union([name, z.literal(false).transform(() => "")], {
  error: expected("a header name or false"),
});

const object = section({
  consumer: header.prefault("x-consumer").describe("Carries the consumer's name."),
  subject: header
    .prefault("x-identity-subject")
    .describe("Carries who it is to its issuer: the `sub` of a token, the consumer's name."),
  groups: header.prefault("x-identity-groups").describe("Carries the groups, with commas."),
  roles: header.prefault("x-identity-roles").describe("Carries the roles, with commas."),
  scopes: header.prefault("x-identity-scopes").describe("Carries the scopes, with blanks."),
  method: header
    .prefault("x-identity-method")
    .describe("Carries the policy that found it out: `api-key`, `jwt`."),
  credential: header.prefault(false).describe("Carries the name of the consumer's credential."),
  claims: z
    .record(name, text("a claim's path"), {
      error: expected("a map of header names to claims", "write it like { X-Tenant: org.id }"),
    })
    .prefault({})
    .describe("Further headers, and the claim that each carries: `{ X-Tenant: org.id }`."),
}).transform((value): IdentityConfig => value);

/** `identity`: how services are told who is calling; false: not at all. */
export const identity = z.union([z.literal(false), object], {
  error: expected("false or a map of headers"),
});

/** Names, in lower case, of all headers that tell services who is calling. */
export function identityHeaderNames(config: IdentityConfig | false): string[] {
  if (config === false) return [];
  const { claims, ...headers } = config;
  return [...Object.values(headers), ...Object.keys(claims)].filter((one) => one !== "");
}
