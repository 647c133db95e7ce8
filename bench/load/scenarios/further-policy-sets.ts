import { signRequest } from "../../../test/support/sign-request.ts";
import { authPath, introspectionPath } from "../upstream.ts";
import { policySet, type PolicySet } from "./policy-sets.ts";

const secret = "a secret of the benchmark, which is long enough";
const password = "correct horse battery staple";
const consumers = `consumers:
  bench:
    basic: { password: ${password} }
    signatures: [{ keyId: bench, secret: "${secret}" }]
`;

const headers = `headers:
      request: { remove: [x-debug], set: { x-route: "{request.path}" } }
      response: { remove: [x-powered-by], set: { x-request: "{request.id}" } }`;
const query = `query: { remove: [utm_*], default: { size: "50" } }`;
const deprecation = "deprecation: { since: 2026-06-01, sunset: 2037-03-01 }";
/** A signature that covers nothing which differs serves all requests. */
const components = [`"@method"`, `"@path"`];
const httpSignature = `http-signature: { components: ["@method", "@path"], maxAge: 1d, replay: none }`;
const forwardAuth = `forward-auth: { service: bench, path: ${authPath}, cache: { ttl: 1h } }`;

/**
 * Those that ask somebody else or take their time over a first request, which is what they are measured after; and
 * those whose cost is that of the lines that they are told to write.
 *
 * @param path that is requested
 * @param upstreamPort of the service, which is also the one to ask
 */
export function furtherPolicySets(path: string, upstreamPort: number): PolicySet[] {
  const basic = Buffer.from(`bench:${password}`).toString("base64");
  const bearer = { authorization: "Bearer bench" };
  const introspection = `oauth2-introspection:
      endpoint: http://127.0.0.1:${upstreamPort}${introspectionPath}
      client: { id: gateway, secret: "${secret}" }
      cache: { ttl: 1h }`;
  return [
    policySet("headers", [headers], {}),
    policySet("query", [query], {}),
    policySet("deprecation", [deprecation], {}),
    policySet("basic-auth", ["basic-auth"], { authorization: `Basic ${basic}` }, consumers),
    policySet("oauth2-introspection", [introspection], bearer),
    policySet("forward-auth", [forwardAuth], bearer),
    policySet("http-signature", [httpSignature], signatureFor(path), consumers),
  ];
}

function signatureFor(path: string): Record<string, string> {
  return signRequest(
    { host: "localhost", target: path },
    {
      keyId: "bench",
      algorithm: "hmac-sha256",
      key: secret,
      components,
      created: Math.floor(Date.now() / 1000),
    },
  );
}
