/** The code of the guide on policies does what the guide says: each block is run. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { importPolicyModule } from "../../src/config/load/policy-modules.ts";
import type { PolicyDefinition } from "../../src/policy/policy.ts";
import { testPolicy } from "../../src/testing/test-policy.ts";

const page = readFileSync(new URL("../../docs/guide/writing-a-policy.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "gateward-guide-"));
after(() => rmSync(folder, { recursive: true }));

const blocks = [...page.matchAll(/^( *)```ts\n([\s\S]*?)^ *```$/gm)].map(
  ([, indent = "", text = ""]) => text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
);

function blockWith(words: string): string {
  const block = blocks.find((text) => text.includes(words));
  assert.ok(block !== undefined, words);
  return block;
}

/** As a user's file, which gets the running gateway by the package's name. */
async function run(name: string, text: string): Promise<Record<string, unknown>> {
  const file = join(folder, name);
  writeFileSync(file, text);
  return importPolicyModule(pathToFileURL(file).href);
}

await run("tenant.ts", blockWith("// tenant.ts"));
// Brings a test of its own.
await run("tenant.test.ts", blockWith('import { test } from "node:test";'));

test("guide: a whole configuration runs as shown, and time passes", async () => {
  const begin = `import assert from "node:assert/strict";
import { testGateway } from "gateward/testing";
import tenant from "./tenant.ts";
`;
  await run("gateway.ts", begin + blockWith("await testGateway("));
  const timeless = blockWith("await testGateway(")
    .replace(/users: \(\{[\s\S]*?\}\) \}/, "users: () => new Promise(() => {}) }")
    .replace(/const response[\s\S]*/, "");
  await run("slow.ts", begin + timeless + blockWith("gateway.clock.advance"));
});

test("guide: the problem and the authenticator are what they are said to be", async () => {
  const refusal = await run("refusal.ts", `${blockWith("const unknownTenant")}export { refusal };`);
  assert.equal((refusal["refusal"] as { status: number }).status, 404);
  const { default: badge } = await run("badge.ts", blockWith("defineAuthenticator("));
  await using subject = await testPolicy(badge as PolicyDefinition, undefined, {
    document: { consumers: { mobile: {} } },
  });
  const known = await subject.request({ headers: { "x-badge": "mobile" } });
  assert.equal(known.outcome.identity?.consumer?.name, "mobile");
  assert.equal(known.sent?.headers["x-badge"], undefined);
  const unknown = await subject.request({ headers: { "x-badge": "nobody" } });
  assert.equal(unknown.problem?.name, "invalid-credentials");
  const absent = await subject.request();
  assert.equal(absent.headers["www-authenticate"], 'Badge realm="api"');
});

test("guide: the policy that looks into bodies does what is said", async () => {
  const { default: jsonOnly } = await run("json-only.ts", blockWith("new WholeBody("));
  await using subject = await testPolicy(jsonOnly as PolicyDefinition, undefined, {
    service: async (call) => ({ body: await call.text() }),
  });
  const post = async (body: string) => await subject.request({ method: "POST", body });
  assert.equal((await post('{ "a": [1, 2] }')).body, '{"a":[1,2]}');
  assert.equal((await post("{")).problem?.name, "not-json");
  assert.equal((await post(`"${"x".repeat(64 * 1024)}"`)).problem?.name, "json-too-long");
});

test("guide: the policy with a template puts values of the request where they are safe", async () => {
  const { default: trail } = await run("trail.ts", blockWith("compileTemplate("));
  const value = "{request.query.q} by {identity.subject|nobody}";
  await using subject = await testPolicy(trail as PolicyDefinition, { value }, {});
  const { sent } = await subject.request({ path: "/?q=a%0D%0Ab" });
  assert.equal(sent?.headers["x-trail"], "a%0D%0Ab by nobody");
  const without = await subject.request({ headers: { "x-trail": "forged" } });
  assert.equal(without.sent?.headers["x-trail"], undefined);
});
