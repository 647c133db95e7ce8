/** template-variables: what a template can name, by the names that expressions have for it. */
import type { Clock } from "../environment.ts";
import type { Exchange } from "../exchange.ts";
import type { Identity } from "../identity.ts";
import { compileClaimPath } from "../token/claim-path.ts";
import { nearest } from "../values/did-you-mean.ts";
import { parseHeaderName } from "../values/header.ts";
import { Refusal } from "../values/refusal.ts";
import { plainText } from "./plain-text.ts";

/**
 * How a value is written: `wire` as it came in a head, each character a byte; `coded` likewise, and
 * percent-encoded; `text` decoded, of any characters.
 */
export type ValueForm = "wire" | "coded" | "text";

/** Undefined, or "", where the exchange has no such value. */
type Read = (exchange: Exchange) => string | undefined;

export interface TemplateVariable {
  readonly form: ValueForm;
  readonly read: Read;
}

type OfIdentity = (identity: Identity) => string | undefined;

function ofIdentity(read: OfIdentity): TemplateVariable {
  return { form: "text", read: ({ identity }) => (identity === null ? undefined : read(identity)) };
}

function ofConsumer(read: (consumer: NonNullable<Identity["consumer"]>) => string | undefined) {
  return ofIdentity(({ consumer }) => (consumer === null ? undefined : read(consumer)));
}

const wire = (read: Read): TemplateVariable => ({ form: "wire", read });
const text = (read: Read): TemplateVariable => ({ form: "text", read });

const FIXED: Readonly<Record<string, TemplateVariable>> = {
  "request.id": wire(({ requestId }) => requestId),
  "request.method": wire(({ method }) => method),
  "request.scheme": wire(({ scheme }) => scheme),
  "request.host": wire(({ host }) => host),
  "request.path": { form: "coded", read: ({ path }) => path },
  "request.protocol": wire(({ protocol }) => protocol),
  "request.contentLength": wire(({ request: { contentLength, chunked } }) => {
    if (contentLength >= 0) return String(contentLength);
    return chunked ? undefined : "0";
  }),
  "client.address": wire(({ clientAddress }) => clientAddress),
  "identity.method": ofIdentity(({ method }) => method),
  "identity.subject": ofIdentity(({ subject }) => subject),
  "identity.issuer": ofIdentity(({ issuer }) => issuer),
  "identity.scopes": ofIdentity(({ scopes }) => scopes.join(" ")),
  "identity.roles": ofIdentity(({ roles }) => roles.join(",")),
  "identity.groups": ofIdentity(({ groups }) => groups.join(",")),
  "identity.consumer.name": ofConsumer(({ name }) => name),
  "identity.consumer.plan": ofConsumer(({ plan }) => plan),
  "identity.consumer.scopes": ofConsumer(({ scopes }) => scopes.join(" ")),
  "identity.consumer.roles": ofConsumer(({ roles }) => roles.join(",")),
  "identity.consumer.groups": ofConsumer(({ groups }) => groups.join(",")),
  failure: text(({ failure }) => failure),
  route: text(({ routeName }) => routeName),
  service: text(({ serviceName }) => serviceName),
  "response.status": wire(({ response }) => String(response.status)),
};

/** What comes after the prefix is the name of something that requests, tokens and consumers have. */
const NAMED: Readonly<Record<string, (name: string) => TemplateVariable>> = {
  "request.headers.": (written) => {
    const name = parseHeaderName(written);
    return wire((exchange) => exchange.header(name));
  },
  "request.query.": (name) => text((exchange) => exchange.query(name)),
  "request.cookies.": (name) => wire((exchange) => exchange.cookie(name)),
  "request.params.": (name) => ({ form: "coded", read: (exchange) => exchange.param(name) }),
  "identity.claims.": (path) => {
    const read = compileClaimPath(path);
    return ofIdentity(({ claims }) => plainText(read(claims)));
  },
  "identity.consumer.metadata.": (path) => {
    const read = compileClaimPath(path);
    return ofConsumer(({ metadata }) => plainText(read(metadata)));
  },
  "response.headers.": (written) => {
    const name = parseHeaderName(written);
    return wire(({ response }) => response.fields.get(name));
  },
};

const NOW = "now";

/** Every name, and prefix of names, that there is. */
export const templateNames: readonly string[] = [...Object.keys(FIXED), ...Object.keys(NAMED), NOW];

/** @throws Refusal for a name that there is not, or that has nothing to say yet */
export function checkVariable(name: string, hasResponse: boolean): void {
  compileVariable(name, NEVER);
  if (hasResponse || !name.startsWith("response.")) return;
  throw new Refusal(`there is no response yet that {${name}} could name`, "name the request");
}

/** @throws Refusal for a name that there is not */
export function compileVariable(name: string, clock: Clock): TemplateVariable {
  if (Object.hasOwn(FIXED, name)) return FIXED[name]!;
  if (name === NOW) return wire(() => new Date(clock.now()).toISOString());
  for (const [prefix, make] of Object.entries(NAMED)) {
    if (name.startsWith(prefix) && name.length > prefix.length)
      return make(name.slice(prefix.length));
  }
  throw unknownName(name);
}

function unknownName(name: string): Refusal {
  // What comes after the second dot is the name of a header, a parameter or a claim.
  const [, rest = ""] = /^[^.]*\.[^.]*\.(.*)$/.exec(name) ?? [];
  const suffix = rest === "" ? "NAME" : rest;
  const known = [
    ...Object.keys(FIXED),
    NOW,
    ...Object.keys(NAMED).map((prefix) => prefix + suffix),
  ];
  const near = nearest(name, known) ?? known.find((one) => one.startsWith(`${name}.`));
  const hint = near === undefined ? `write a name such as ${SAMPLES}` : `did you mean {${near}}?`;
  return new Refusal(`there is no {${name}}`, hint);
}

const SAMPLES = "{request.path}, {request.headers.NAME}, {identity.claims.NAME}, or {expr: CEL}";
const NEVER: Clock = { now: () => 0 };
