import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { configJsonSchema } from "./json-schema.ts";
import { knownPolicies } from "./known-policies.ts";

const schema = configJsonSchema(knownPolicies);
const text = JSON.stringify(schema);
/** What an editor would say; the library reads its own output back. */
const editor = z.fromJSONSchema(schema);

const right: readonly unknown[] = [
  {},
  { $schema: "./gateward.schema.json", listen: 8080, admin: false },
  { listen: ["127.0.0.1:8080", { port: 8443, tls: { cert: "a", key: "b" } }] },
  { listen: "${ADDRESS}", workers: "${WORKERS:-auto}", log: { level: "${LEVEL}" } },
  { timeouts: { idle: "${IDLE:-10s}", head: "1m30s" }, limits: { bodyBytes: "none" } },
  { services: { a: { targets: ["http://a"], balance: { name: "hash", by: { header: "x" } } } } },
  { policies: ["./own.ts", { "../own.ts": { any: 1 }, when: "/a" }, "@acme/gateward-geo"] },
  {
    policies: ["request-id", { "request-id": { header: "x-id" } }],
    routes: [
      {
        match: { path: "/", headers: { a: ["x", { not: { regex: "y" } }] } },
        respond: { body: { a: 1 } },
      },
    ],
  },
];

for (const document of right) {
  test(`JSON Schema: an editor accepts ${JSON.stringify(document).slice(0, 60)}`, () => {
    assert.deepEqual(editor.safeParse(document).error?.issues, undefined);
  });
}

const wrong: readonly unknown[] = [
  { listn: 8080 },
  { listen: 99_999 },
  { log: { level: "loud" } },
  { timeouts: { head: 10 } },
  { timeouts: { head: "10" } },
  { limits: { headBytes: "10xb" } },
  { services: { a: { targets: ["http://a"], balance: "rnadom" } } },
  { services: { a: {} } },
  { policies: ["no-such-policy"] },
  { policies: [{ "no-such-policy": {} }] },
  { routes: [{ match: "/", respond: {}, policies: [{ "request-id": { heder: "x" } }] }] },
  { routes: [{ service: "a" }] },
  { routes: [{ match: "GET users", service: "a" }] },
];

for (const document of wrong) {
  test(`JSON Schema: an editor refuses ${JSON.stringify(document).slice(0, 60)}`, () => {
    assert.equal(editor.safeParse(document).success, false);
  });
}

test("JSON Schema: holds nothing that only our own tools understand", () => {
  for (const word of ["editorPattern", "editorChoices", '"sample"', '"kind"', "9007199254740991"]) {
    assert.ok(!text.includes(word), word);
  }
});

test("JSON Schema: the options of a policy stand in it once", () => {
  assert.equal(text.split(knownPolicies["request-id"]!.summary).length, 2);
});

test("JSON Schema: every key says what it is for", () => {
  const silent: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      if (key === "properties") {
        for (const [name, property] of Object.entries(part as Record<string, object>)) {
          const isSaidElsewhere = "$ref" in property;
          if (!isSaidElsewhere && !("description" in property)) silent.push(`${path}.${name}`);
        }
      }
      visit(part, `${path}.${key}`);
    }
  };
  visit(schema, "");
  assert.deepEqual(silent, []);
});
