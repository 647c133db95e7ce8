/** token-options: the options that all policies which accept bearer tokens have in common. */
import { z } from "zod";
import { cookieName } from "../values/cookie.ts";
import { duration } from "../values/duration.ts";
import { expected } from "../values/expected.ts";
import { headerName } from "../values/header.ts";
import { count, flag } from "../values/number.ts";
import { parsedText } from "../values/parsed-text.ts";
import { realm } from "../values/realm.ts";
import { Refusal } from "../values/refusal.ts";
import { section } from "../values/section.ts";
import { size } from "../values/size.ts";
import { choice, listOf, text } from "../values/text.ts";

const LEEWAY_MS_MAX = 600_000;

const placeKinds = ["header", "cookie", "query"] as const;

const namedPlace = section({
  header: headerName().optional().describe("A header with the token in it."),
  cookie: cookieName().optional().describe("A cookie with the token in it."),
  query: text("a parameter's name").optional().describe("A query parameter with the token in it."),
}).transform((value, context): TokenPlace => {
  const given = placeKinds.filter((kind) => value[kind] !== undefined);
  const [kind, ...others] = given;
  if (kind !== undefined && others.length === 0) return { kind, name: value[kind]! };
  const message = kind === undefined ? "names no place" : `${given.join(" and ")} in one place`;
  const params = { hint: "write one of header, cookie, query; several places are a list" };
  context.issues.push({ code: "custom", message, params, input: value });
  return z.NEVER;
});

/** Schema of where tokens are looked for. */
function tokenPlaces() {
  const bearer = choice(["authorization"]).transform((kind): TokenPlace => ({ kind, name: "" }));
  const place = z.union([bearer, namedPlace], {
    error: expected("authorization, or a map of header, cookie or query to a name"),
  });
  return listOf(place, "a place").refine((places) => places.length > 0, {
    error: "no place; write authorization",
  });
}

/** Where a token may be. `name` is "" for the Authorization header. */
export interface TokenPlace {
  readonly kind: "authorization" | "header" | "cookie" | "query";
  readonly name: string;
}

const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: expected("a text, a number, true or false"),
});

/** By path: the values of which the claim has to have one; null: it only has to be there. */
export type RequiredClaims = Readonly<
  Record<string, readonly (string | number | boolean)[] | null>
>;

function requiredClaims() {
  const names = listOf(text("a claim's name"), "a claim's name").transform((list): RequiredClaims =>
    Object.fromEntries(list.map((name) => [name, null])),
  );
  const values = z.record(text("a claim's name"), listOf(scalar, "a value"));
  return z.union([names, values], {
    error: expected("names of claims, or a map of claims to their values"),
  });
}

/** Schema of the issuer of tokens, compared as it is written (RFC 7519 section 4.1.1). */
export function issuerName() {
  return text("an issuer");
}

export function audiences() {
  return listOf(text("an audience"), "an audience");
}

/** Schema of the URL of a server that is asked. */
export function serverUrl() {
  const hint = "write it like https://id.example.com/path";
  return parsedText(
    (written) => {
      const url = URL.parse(written);
      if (url === null || !/^https?:$/.test(url.protocol)) {
        throw new Refusal(`${JSON.stringify(written)} is not an http or https URL`, hint);
      }
      if (url.username !== "" || url.password !== "") {
        throw new Refusal("a user or password in a URL", "servers of keys ask for none");
      }
      if (url.hash !== "") throw new Refusal("a fragment in a URL", "leave out the # and the rest");
      return written;
    },
    { what: "a URL", hint, pattern: "^https?://.+$", sample: "https://id.example.com/path" },
  );
}

/** Whether what goes to and fro can be read and changed on its way. */
export function isWithoutTls(url: string): boolean {
  if (!url.startsWith("http:")) return false;
  const host = URL.parse(url)?.hostname ?? "";
  return host !== "localhost" && host !== "[::1]" && !host.startsWith("127.");
}

const paths = (what: string) => listOf(text(what), what);

const claimsSection = section({
  subject: paths("a claim's path")
    .prefault(["sub", "client_id", "azp"])
    .describe("Claim that says who it is; of several the first that is there."),
  scopes: paths("a claim's path")
    .prefault(["scope", "scp"])
    .describe("Claims with scopes: a text with spaces between them, or a list."),
  roles: paths("a claim's path")
    .prefault(["roles", "realm_access.roles"])
    .describe("Claims with roles; dots lead into maps."),
  groups: paths("a claim's path").prefault(["groups"]).describe("Claims with groups."),
}).prefault({});

const consumerSection = section({
  claim: text("a claim's path")
    .optional()
    .describe(
      "Claim that holds the name of a consumer. Without it the consumer is the one that lists the token's issuer and subject.",
    ),
  required: flag().prefault(false).describe("Refuse tokens of nobody who is a consumer."),
}).prefault({});

/** To be spread into a policy's own section. */
export const tokenShape = {
  in: tokenPlaces()
    .prefault("authorization")
    .describe(
      "Where tokens are: `authorization`, a map such as `{ cookie: token }`, or several of these, of which a request may use one.",
    ),
  strip: flag()
    .prefault(false)
    .describe("Take the token out of the request, so that the service does not get it."),
  requiredClaims: requiredClaims()
    .prefault({})
    .describe("Claims that have to be there, or a map of them to one or several values."),
  leeway: duration({ minMs: 0, maxMs: LEEWAY_MS_MAX })
    .prefault("30s")
    .describe("By how much the clocks of the issuer and the gateway may differ."),
  claims: claimsSection.describe("Where the token says what about its holder."),
  consumer: consumerSection.describe("Which consumer the token belongs to."),
  realm: realm().prefault("api").describe("Named in `WWW-Authenticate`."),
  tokenBytes: size({ minBytes: 64, maxBytes: 65_536 })
    .prefault("16kb")
    .describe("Longest token that is looked at."),
  remember: count({ max: 1_000_000 })
    .prefault(10_000)
    .describe("Tokens that each worker remembers; 0 for none."),
};

export type ClaimsOptions = z.output<typeof claimsSection>;
export type ConsumerOptions = z.output<typeof consumerSection>;
