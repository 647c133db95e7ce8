import { createHmac } from "node:crypto";
import type { ProxySetup } from "../proxy.ts";

/** Policies that one Gateward of the scenario has, and what its requests bring. */
export interface PolicySet {
  readonly label: string;
  readonly setup: Partial<ProxySetup>;
  readonly headers: Readonly<Record<string, string>>;
  /** The README promises a limit for it. */
  readonly hasTarget?: boolean;
}

const key = "gw-bench-key-0123456789abcdefghijklmnopqrstuv";
const secret = "a secret of the benchmark, which is long enough";
const origin = "https://app.example.com";
const withKey = { "x-api-key": key };

const consumers = `consumers:
  bench:
    keys: [{ value: ${key} }]
`;
const apiKey = "api-key";
const rateLimit = "rate-limit: { limit: 1000000000, window: 1m }";
const cors = `cors: { origins: [${origin}] }`;
const jwt = `jwt: { keys: [{ alg: HS256, secret: "${secret}" }], issuer: bench, audience: bench }`;

/** Every policy by itself, as it is mostly configured, then the sets. */
export function policySets(): PolicySet[] {
  const bearer = { authorization: `Bearer ${createToken()}` };
  return [
    policySet("request-id", ["request-id"], {}),
    policySet("api-key", [apiKey], withKey, consumers),
    policySet("jwt", [jwt], bearer),
    policySet("rate-limit", [rateLimit], {}),
    policySet("concurrency-limit", ["concurrency-limit: { max: 100000 }"], {}),
    policySet("throttle", ["throttle: { rate: 1000000, per: 1s, burst: 1000000 }"], {}),
    policySet("quota", ["quota: { limit: 1000000000, period: month }"], {}),
    policySet("request-limits", ["request-limits: { bodyMax: 1mb }"], {}),
    policySet("csrf", ["csrf"], {}),
    policySet("cors", [cors], { origin }),
    policySet("ip-filter", ["ip-filter: { allow: [127.0.0.0/8] }"], {}),
    policySet("security-headers", ["security-headers"], {}),
    policySet("bot-filter", ["bot-filter"], { "user-agent": "curl/8.0" }),
    policySet(
      "authorize",
      [apiKey, "authorize: { allow: { consumers: [bench] } }"],
      withKey,
      consumers,
    ),
    {
      ...policySet("api-key + rate-limit + access log", [apiKey, rateLimit], withKey, consumers),
      hasTarget: true,
    },
    {
      ...policySet("jwt + rate-limit + cors", [cors, jwt, rateLimit], { ...bearer, origin }),
      hasTarget: true,
    },
  ].map((set) => (set.label.includes("access log") ? withAccessLog(set) : set));
}

/** @param uses entries of the list of policies, and `lines` of the document beside it */
export function policySet(
  label: string,
  uses: readonly string[],
  headers: Readonly<Record<string, string>>,
  lines = "",
): PolicySet {
  const list = uses.map((use) => `  - ${use}\n`).join("");
  return { label, headers, setup: { gatewardLines: `${lines}policies:\n${list}` } };
}

function withAccessLog(set: PolicySet): PolicySet {
  return { ...set, setup: { ...set.setup, accessLog: true } };
}

/** Valid for a day: every request brings the same, as a client does until it gets a new one. */
function createToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const seconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "bench",
    aud: "bench",
    sub: "client-1",
    iat: seconds,
    exp: seconds + 86_400,
  };
  const head = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
}
