/** jwt-options: what users write, and what of it makes no sense. */
import { z } from "zod";
import type { OptionMistake } from "../../policy/policy.ts";
import {
  audiences,
  isWithoutTls,
  issuerName,
  serverUrl,
  tokenShape,
} from "../../policy/token/token-options.ts";
import { duration } from "../../policy/values/duration.ts";
import { flag } from "../../policy/values/number.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { algorithmNames, type AlgorithmName } from "./algorithms.ts";
import { keyFromJwk, keyFromPem, keyFromSecret, type VerificationKey } from "./verification-key.ts";

const DAY_MS = 86_400_000;

const keySchema = section({
  kid: text("a key id")
    .optional()
    .describe("Tokens that name another key do not fit; a key without it is tried for all."),
  alg: choice(algorithmNames)
    .optional()
    .describe(
      "The only algorithm of the key. Default: all that go with its type, HS256 for a secret.",
    ),
  pem: text("a public key in PEM").optional().describe("Public key or certificate in PEM."),
  file: text("a file").optional().describe("File with the PEM, relative to the document."),
  jwk: z.record(z.string(), z.json()).optional().describe("Public key as a JSON Web Key."),
  secret: text("a secret")
    .optional()
    .describe("Shared secret, best from the environment: `${JWT_SECRET}`."),
  encoding: choice(["utf8", "base64", "base64url", "hex"])
    .prefault("utf8")
    .describe("How the secret is written."),
}).superRefine((key, context) => {
  const given = (["pem", "file", "jwk", "secret"] as const).filter(
    (kind) => key[kind] !== undefined,
  );
  if (given.length !== 1) {
    const message = given.length === 0 ? "no key" : `${given.join(" and ")} in one key`;
    const params = { hint: "write one of pem, file, jwk, secret" };
    context.addIssue({ code: "custom", message, params, input: key });
    return;
  }
  if (key.file !== undefined) return;
  try {
    staticKey(key, () => "");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const params = { hint: error.hint };
    const path = [given[0]!];
    context.addIssue({ code: "custom", message: error.message, params, path, input: key });
  }
});

export type StaticKeyOptions = z.output<typeof keySchema>;

const trustShape = {
  issuer: issuerName()
    .optional()
    .describe(
      "What `iss` has to be. Without `jwks` and `keys` it is a URL, and its OpenID metadata say where the keys are.",
    ),
  jwks: serverUrl().optional().describe("URL of the issuer's JSON Web Key Set."),
  keys: listOf(keySchema, "a key").optional().describe("Keys that do not change, instead."),
  audience: audiences()
    .optional()
    .describe(
      "One of these has to be in `aud`. Without it tokens for other services are accepted.",
    ),
};

const trustSchema = section(trustShape);
export type TrustOptions = z.output<typeof trustSchema>;

export const jwtSchema = section({
  ...trustShape,
  issuers: listOf(trustSchema, "an issuer")
    .optional()
    .describe("Several issuers, each with `issuer`, `jwks` or `keys`, and `audience`."),
  algorithms: listOf(choice(algorithmNames), "an algorithm")
    .optional()
    .describe("Accepted algorithms, of those that go with a key's type. Default: all."),
  types: listOf(text("a type"), "a type")
    .optional()
    .describe("What `typ` has to be, such as `at+jwt`. Default: `JWT`, `at+jwt` or nothing."),
  requireExpiry: flag().prefault(true).describe("Refuse tokens without `exp`."),
  maxAge: duration({ none: true })
    .prefault("none")
    .describe("Longest time since `iat`, whatever `exp` says."),
  ...tokenShape,
  fetch: section({
    refresh: duration({ minMs: 10_000, maxMs: DAY_MS })
      .prefault("10m")
      .describe("How often keys are fetched where `Cache-Control` does not say (1m to 1h)."),
    cooldown: duration({ minMs: 1000, maxMs: DAY_MS })
      .prefault("30s")
      .describe("Shortest time between two looks for a key that is not known."),
    outage: duration({ minMs: 60_000, maxMs: 20 * DAY_MS })
      .prefault("1d")
      .describe("How long the last keys serve while their server cannot be reached."),
    timeout: duration({ maxMs: 60_000 }).prefault("5s").describe("For each fetch."),
    ca: text("a file").optional().describe("PEM file of the only authorities to trust."),
  })
    .prefault({})
    .describe("How keys are fetched."),
}).prefault({});

export type JwtOptions = z.output<typeof jwtSchema>;

/** Whom the options trust, one after the other; empty when nobody. */
export function trustedIssuers({
  issuers,
  issuer,
  jwks,
  keys,
  audience,
}: JwtOptions): TrustOptions[] {
  if (issuers !== undefined) return issuers;
  if (issuer === undefined && jwks === undefined && keys === undefined) return [];
  return [{ issuer, jwks, keys, audience }];
}

/**
 * @param file gives a file's content
 * @throws Refusal when it is no key, or a weak one
 */
export function staticKey(
  options: StaticKeyOptions,
  file: (path: string) => string,
): VerificationKey {
  const { kid = "", alg, pem, jwk, secret, encoding } = options;
  if (secret !== undefined)
    return keyFromSecret(Buffer.from(secret, encoding), kid, alg ?? "HS256");
  if (jwk !== undefined) {
    return keyFromJwk({ ...jwk, ...(kid === "" ? {} : { kid }), ...(alg && { alg }) });
  }
  if (pem !== undefined) return keyFromPem(pem, kid, alg);
  const path = options.file!;
  try {
    return keyFromPem(file(path), kid, alg);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`${path}: ${error.message}`, error.hint) : error;
  }
}

export function filesOf(options: JwtOptions): string[] {
  const keys = trustedIssuers(options).flatMap((trust) => trust.keys ?? []);
  const files = [...keys.map(({ file }) => file), options.fetch.ca];
  return files.filter((file) => file !== undefined);
}

export function checkJwt(options: JwtOptions): OptionMistake[] {
  const trusted = trustedIssuers(options);
  const mistakes: OptionMistake[] = [];
  if (trusted.length === 0) {
    const hint = "write jwks, issuer, keys or issuers";
    mistakes.push({ message: "trusts no key, so every token would be refused", hint });
  }
  if (options.issuers !== undefined) {
    for (const key of ["issuer", "jwks", "keys", "audience"] as const) {
      if (options[key] === undefined) continue;
      mistakes.push({
        path: [key],
        message: `${key} beside issuers`,
        hint: "write it within issuers",
      });
    }
    mistakes.push(...sameIssuers(trusted));
  }
  for (const [index, trust] of trusted.entries()) {
    const path = options.issuers === undefined ? [] : ["issuers", index];
    mistakes.push(
      ...checkTrust(trust, path, options.algorithms ?? algorithmNames, trusted.length > 1),
    );
  }
  return mistakes;
}

function sameIssuers(trusted: readonly TrustOptions[]): OptionMistake[] {
  return trusted.flatMap(({ issuer }, index) => {
    const isFirst = trusted.findIndex((other) => other.issuer === issuer) === index;
    if (issuer === undefined || isFirst) return [];
    return [{ path: ["issuers", index, "issuer"], message: `${issuer} stands there already` }];
  });
}

function checkTrust(
  { issuer, jwks, keys, audience }: TrustOptions,
  path: readonly (string | number)[],
  allowed: readonly AlgorithmName[],
  isOneOfSeveral: boolean,
): OptionMistake[] {
  const mistakes: OptionMistake[] = [];
  const isRemote = keys === undefined;
  if (jwks !== undefined && keys !== undefined) {
    mistakes.push({
      path: [...path, "keys"],
      message: "keys beside jwks",
      hint: "write one of them",
    });
  }
  if (issuer === undefined) {
    const message = "any issuer that the keys vouch for is accepted";
    const hint = "write issuer";
    mistakes.push({ path, message, hint, isWarning: !isOneOfSeveral });
  } else if (isRemote && jwks === undefined && !/^https?:\/\//.test(issuer)) {
    const hint = "write jwks or keys, or the issuer's URL";
    mistakes.push({ path: [...path, "issuer"], message: "no keys can be found there", hint });
  }
  if (audience === undefined) {
    const message = "tokens that were made for other services are accepted";
    mistakes.push({ path, message, hint: "write audience", isWarning: true });
  }
  const source = jwks ?? issuer ?? "";
  if (isRemote && isWithoutTls(source)) {
    const message = "keys that come without TLS can be replaced on their way";
    mistakes.push({ path, message, hint: "write https", isWarning: true });
  }
  if (isRemote && allowed.every((name) => name.startsWith("HS"))) {
    const message = "only algorithms of secrets, which no server publishes";
    mistakes.push({ path, message, hint: "write keys" });
  }
  return mistakes;
}
