/** run-example: an example of a page in a gateway in memory, with requests for each of its routes. */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import type { Config } from "../../src/config/config.ts";
import { knownPolicies } from "../../src/config/known-policies.ts";
import { policyFiles } from "../../src/config/policy-uses.ts";
import { validate } from "../../src/config/validate.ts";
import { substituteEnvironment } from "../../src/config/load/env.ts";
import { testGateway } from "../../src/testing/test-gateway.ts";
import type { TestResponse } from "../../src/testing/test-response.ts";

/** Sends a request to each route; fails when the gateway itself does. */
export async function runExample(example: Record<string, unknown>): Promise<TestResponse[]> {
  const document = { routes: [{ match: "/*", respond: {} }], ...example };
  const environment = variablesOf(JSON.stringify(document));
  const data = substituteEnvironment(structuredClone(document), environment).data;
  const { config, findings } = validate(data, knownPolicies);
  const mistakes = findings.filter(({ level }) => level === "error");
  assert.deepEqual(mistakes, [], JSON.stringify(document));
  const files = policyFiles(config!, knownPolicies).map(({ file }) => [file, exampleFile(file)]);
  await using gateway = await testGateway(document, {
    environment,
    files: Object.fromEntries(files) as Record<string, string>,
  });
  const responses: TestResponse[] = [];
  for (const route of config!.routes) responses.push(await gateway.request(requestFor(route)));
  const failures = gateway.log.filter(({ level }) => level === "error" || level === "fatal");
  assert.deepEqual(failures, [], JSON.stringify(document));
  return responses;
}

/** Random-looking values, always the same: what is a key or a secret has to be one. */
function variablesOf(text: string): Record<string, string> {
  const names = [...text.matchAll(/\$\{([A-Za-z_]\w*)/g)].map(([, name = ""]) => name);
  return Object.fromEntries(names.map((name) => [name, valueOf(name)]));
}

function valueOf(name: string): string {
  if (/URL|HOST/.test(name)) return "http://127.0.0.1:3000";
  return createHash("sha256").update(name).digest("hex");
}

/** What a file of that name would hold. */
function exampleFile(file: string): string {
  if (file.includes("openapi")) return EXAMPLE_OPENAPI;
  if (!/\.(pem|key|jwks?|json)$/.test(file)) return "";
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (!/\.(jwks?|json)$/.test(file)) return publicKey.export({ type: "spki", format: "pem" });
  const key = { ...publicKey.export({ format: "jwk" }), kid: "example", alg: "ES256", use: "sig" };
  return JSON.stringify(file.endsWith(".jwk") ? key : { keys: [key] });
}

const EXAMPLE_OPENAPI = `
openapi: 3.1.0
info: { title: Example, version: "1" }
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      parameters: [{ in: path, name: id, required: true, schema: { type: integer } }]
      responses: { "200": { description: The order } }
`;

function requestFor({ match }: Config["routes"][number]) {
  const [host] = match.hosts;
  return {
    method: match.methods[0] ?? "GET",
    path: match.path.replace(/:\w+(\([^)]*\))?/g, "1").replace(/\*$/, "1"),
    headers: host === undefined ? {} : { host: host.replace("*", "a") },
  };
}
