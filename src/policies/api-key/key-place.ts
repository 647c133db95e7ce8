import { z } from "zod";
import type { Exchange } from "../../policy/exchange.ts";
import { cookieValues, queryValues } from "../../policy/named-values.ts";
import { cookieName } from "../../policy/values/cookie.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerName } from "../../policy/values/header.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";

const kinds = ["header", "query", "cookie", "authorization"] as const;

/** Where a key may be; of `authorization` the name is its scheme. */
export interface KeyPlace {
  readonly kind: (typeof kinds)[number];
  readonly name: string;
}

const scheme = parsedText(
  (written) => {
    if (/^[A-Za-z][A-Za-z0-9-]*$/.test(written)) return written;
    throw new Refusal(`${JSON.stringify(written)} is not a scheme`);
  },
  { what: "a scheme", hint: "write it like Bearer or ApiKey", sample: "ApiKey" },
);

const place = section({
  header: headerName().optional().describe("Name of a header that is the key."),
  query: text("a parameter's name").optional().describe("Name of a query parameter."),
  cookie: cookieName().optional().describe("Name of a cookie."),
  authorization: scheme
    .optional()
    .describe("Scheme of the Authorization header, before the key: `Bearer`, `ApiKey`."),
}).transform((value, context): KeyPlace => {
  const [kind, ...others] = kinds.filter((one) => value[one] !== undefined);
  if (kind !== undefined && others.length === 0) return { kind, name: value[kind]! };
  const message = kind === undefined ? "names no place" : "several places in one";
  const params = { hint: `write one of ${kinds.join(", ")}; several places are a list` };
  context.issues.push({ code: "custom", message, params, input: value });
  return z.NEVER;
});

/** Schema of the places where keys are looked for. */
export const keyPlaces = listOf(place, "a place").refine((places) => places.length > 0, {
  error: expected("at least one place", "write it like { header: x-api-key }"),
});

/** Stands for more than one key: which of them a service would believe is unknown. */
export const SEVERAL = Symbol("several keys");

/** The key at a place; null where there is none. What is there and empty is a key, though nobody's. */
export function readPlace(
  exchange: Exchange,
  { kind, name }: KeyPlace,
): string | typeof SEVERAL | null {
  switch (kind) {
    case "header":
      return exchange.header(name) ?? null;
    case "authorization":
      return afterScheme(exchange.header("authorization"), name);
    case "query":
      return only(queryValues(exchange, name));
    case "cookie":
      return only(cookieValues(exchange, name));
  }
}

/** What no other policy could want: takes the place's own header, parameter or cookie away. */
export function clearPlace(exchange: Exchange, { kind, name }: KeyPlace): void {
  if (kind === "header") exchange.request.fields.remove(name);
  else if (kind === "query") exchange.removeQuery(name);
  else if (kind === "cookie") exchange.removeCookie(name);
}

function only(values: readonly string[]): string | typeof SEVERAL | null {
  return values.length > 1 ? SEVERAL : (values[0] ?? null);
}

/** Schemes are compared without regard to case (RFC 9110 section 11.1); another one is not ours. */
function afterScheme(header: string | undefined, name: string): string | null {
  if (header === undefined || header.length < name.length) return null;
  if (header.slice(0, name.length).toLowerCase() !== name.toLowerCase()) return null;
  if (header.length === name.length) return "";
  return header.charCodeAt(name.length) === 0x20 ? header.slice(name.length).trim() : null;
}
