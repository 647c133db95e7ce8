import { AddressPrefixes } from "../base/address-prefixes.ts";
import type { PolicyEnvironment } from "./environment.ts";
import type { Exchange } from "./exchange.ts";
import type { Identity } from "./identity.ts";
import type { Fact } from "./policy.ts";
import type { LimitKeyPart } from "./values/limit-key.ts";

/**
 * What a request is counted under. "" stands for whatever lacks what it is counted by: all such requests
 * share one count, so that leaving a header out dodges nothing. Values are compared exactly.
 */
export type LimitKey = (exchange: Exchange) => string;

interface LimitKeySettings {
  readonly parts: readonly LimitKeyPart[];
  /** Length of the prefix by which IPv6 addresses are counted. */
  readonly ipv6Prefix: number;
}

type Environment = Pick<PolicyEnvironment, "place" | "expression">;

/**
 * Compiles what `limitKey` and `ipv6Prefix` read. Policies of a plan or a consumer count each consumer for
 * itself beside what they say, unless they say `all`.
 *
 * @throws Refusal for an expression that is none
 */
export function compileLimitKey(settings: LimitKeySettings, environment: Environment): LimitKey {
  const parts = partsAt(settings.parts, environment.place.kind);
  const keys = parts.map((part) => keyOf(part, settings.ipv6Prefix, environment));
  const [only, second] = keys;
  if (second === undefined) return only!;
  return (exchange) => {
    let joined = "";
    for (let index = 0; index < keys.length; index++) {
      const value = keys[index]!(exchange);
      // The length in front: no value can look like the end of one and the beginning of the next.
      joined += `${value.length}:${value}`;
    }
    return joined;
  };
}

/** What an earlier policy has to find out. */
export function limitKeyNeeds(parts: readonly LimitKeyPart[]): readonly Fact[] {
  const isCaller = parts.some(({ from }) => CALLER.has(from));
  return isCaller ? ["identity"] : [];
}

const CALLER: ReadonlySet<LimitKeyPart["from"]> = new Set(["consumer", "credential", "claim"]);
/** Whose keys differ for every consumer already, or are not to. */
const PER_CONSUMER: ReadonlySet<LimitKeyPart["from"]> = new Set([
  "client",
  "consumer",
  "credential",
  "all",
]);
const CONSUMER: LimitKeyPart = { from: "consumer", name: "" };

function partsAt(
  parts: readonly LimitKeyPart[],
  place: PolicyEnvironment["place"]["kind"],
): readonly LimitKeyPart[] {
  if (place !== "plan" && place !== "consumer") return parts;
  const isSaid = parts.some(({ from }) => PER_CONSUMER.has(from));
  return isSaid ? parts : [CONSUMER, ...parts];
}

function keyOf(
  { from, name }: LimitKeyPart,
  ipv6Prefix: number,
  environment: Environment,
): LimitKey {
  switch (from) {
    case "client": {
      const prefixes = new AddressPrefixes(ipv6Prefix);
      // An address cannot begin with a slash, so no caller can be named like one.
      return ({ identity, clientAddress }) =>
        identity === null ? prefixes.of(clientAddress) : `/${callerOf(identity)}`;
    }
    case "address": {
      const prefixes = new AddressPrefixes(ipv6Prefix);
      return ({ clientAddress }) => prefixes.of(clientAddress);
    }
    case "consumer":
      return ({ identity }) => (identity === null ? "" : callerOf(identity));
    case "credential":
      return ({ identity }) => (identity === null ? "" : credentialOf(identity));
    case "route":
      return ({ routeName }) => routeName;
    case "all":
      return () => "";
    case "header":
      return (exchange) => exchange.header(name) ?? "";
    case "cookie":
      return (exchange) => exchange.cookie(name) ?? "";
    case "query":
      return (exchange) => exchange.query(name) ?? "";
    case "param":
      return (exchange) => exchange.param(name) ?? "";
    case "claim":
      return ({ identity }) => (identity === null ? "" : claimOf(identity, name));
    case "expression": {
      const expression = environment.expression(name);
      return (exchange) => {
        try {
          return textOf(expression.evaluate(exchange));
        } catch {
          return "";
        }
      };
    }
  }
}

/** A consumer by its name; who is known by a token alone, by who vouches and whom for. */
function callerOf({ consumer, issuer, subject }: Identity): string {
  // Names of consumers have no line feed.
  return consumer === null ? `${issuer}\n${subject}` : consumer.name;
}

function credentialOf(identity: Identity): string {
  return `${identity.method}\n${identity.credential}\n${callerOf(identity)}`;
}

/** A claim by its whole name or, failing that, by the dots in it. */
function claimOf({ claims }: Identity, name: string): string {
  if (Object.hasOwn(claims, name)) return textOf(claims[name]);
  let value: unknown = claims;
  for (const step of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return "";
    value = (value as Record<string, unknown>)[step];
  }
  return textOf(value);
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "bigint" ? String(inner) : inner,
  );
}
