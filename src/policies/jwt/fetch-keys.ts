import { parseStrictJson, type JsonObject } from "../../base/strict-json.ts";
import type { OutboundRequest, OutboundResponse } from "../../policy/outbound.ts";
import { readKeySet, type KeySet } from "./key-set.ts";
import type { FetchedKeys } from "./remote-keys.ts";

/** Where keys are: their URL, or that of an issuer whose metadata says it. */
export type KeyLocation =
  | { readonly kind: "jwks"; readonly url: string }
  | { readonly kind: "issuer"; readonly issuer: string };

export interface FetchKeysSettings {
  readonly fetch: (request: OutboundRequest) => Promise<OutboundResponse>;
  readonly timeoutMs: number;
  /** PEM; undefined: the platform's authorities. */
  readonly ca: string | undefined;
}

/** @throws Error saying what failed, for the log */
export async function fetchKeys(
  location: KeyLocation,
  settings: FetchKeysSettings,
  previous: KeySet | null,
): Promise<FetchedKeys> {
  const url =
    location.kind === "jwks" ? location.url : await discoverJwks(location.issuer, settings);
  const response = await ask(url, settings);
  const read = readKeySet(objectIn(response, url), previous);
  return { ...read, freshMs: freshnessOf(response) };
}

/** OpenID Connect Discovery 1.0 section 4. */
async function discoverJwks(issuer: string, settings: FetchKeysSettings): Promise<string> {
  const url = discoveryUrl(issuer);
  const metadata = objectIn(await ask(url, settings), url);
  const { issuer: said, jwks_uri: jwks } = metadata;
  // Section 4.3; else one issuer could speak for another.
  if (said !== issuer) throw new Error(`${url} is about another issuer: ${String(said)}`);
  if (typeof jwks !== "string") throw new Error(`${url} names no jwks_uri`);
  if (issuer.startsWith("https:") && !jwks.startsWith("https:")) {
    throw new Error(`${url} names a jwks_uri without TLS: ${jwks}`);
  }
  return jwks;
}

export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

async function ask(url: string, settings: FetchKeysSettings): Promise<OutboundResponse> {
  const { timeoutMs, ca } = settings;
  const response = await settings.fetch({
    url,
    headers: { accept: "application/jwk-set+json, application/json" },
    timeoutMs,
    ...(ca === undefined ? {} : { ca }),
  });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  return response;
}

function objectIn({ body }: OutboundResponse, url: string): JsonObject {
  const object = parseStrictJson(body);
  if (object === null) throw new Error(`${url} answered with something else than a JSON object`);
  return object;
}

/** Milliseconds for which the answer is fresh (RFC 9111 section 4.2.1); undefined when it does not say. */
function freshnessOf(response: OutboundResponse): number | undefined {
  const control = response.header("cache-control")?.toLowerCase();
  if (control === undefined) return undefined;
  if (/\bno-(store|cache)\b/.test(control)) return 0;
  const seconds = /\bmax-age="?(\d{1,9})\b/.exec(control)?.[1];
  if (seconds === undefined) return undefined;
  const age = Number(response.header("age") ?? 0);
  return Math.max(0, Number(seconds) - (Number.isFinite(age) ? age : 0)) * 1000;
}
