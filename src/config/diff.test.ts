import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigInput } from "./config.ts";
import { describeChanges, isSameConfig } from "./diff.ts";
import { knownPolicies } from "./known-policies.ts";
import type { LoadedConfig } from "./load-config.ts";
import type { Materials } from "./load/materials.ts";
import { documentSchema } from "./schema/document.ts";

function loaded(input: ConfigInput, materials: Materials = {}): LoadedConfig {
  const config = documentSchema(knownPolicies).parse(input);
  return { file: "gateward.yaml", config, materials, policies: {}, prepared: materials };
}

const before = loaded({
  services: { a: "http://a", b: "http://b" },
  routes: [
    { match: "/a", service: "a" },
    { match: "/b", service: "b" },
  ],
});

test("changes: equal documents are the same, however they are written", () => {
  const same = loaded({
    listen: { port: 8080 },
    services: { a: { targets: ["http://a"] }, b: "http://b" },
    routes: [
      { match: { path: "/a" }, service: "a" },
      { match: "/b", service: "b" },
    ],
  });
  assert.ok(isSameConfig(before, same));
  assert.equal(describeChanges(before, same), "");
});

test("changes: a renewed certificate is a change", () => {
  const left = loaded({}, { "a.pem": "old" });
  const right = loaded({}, { "a.pem": "new" });
  assert.ok(!isSameConfig(left, right));
  assert.equal(describeChanges(left, right), "files: a.pem changed");
});

test("changes: are told by what they are about", () => {
  const after = loaded({
    listen: 8081,
    timeouts: { idle: "10s" },
    services: { a: "http://a:81", c: "http://c" },
    routes: [
      { match: "/a", service: "a", timeout: "1s" },
      { match: "/c", service: "c" },
      { match: "/d", service: "c" },
    ],
  });
  assert.ok(!isSameConfig(before, after));
  assert.equal(
    describeChanges(before, after),
    "routes: 2 added, 1 removed, 1 changed; services: c added, b removed, a changed; " +
      "listeners: 0.0.0.0:8081 added, 0.0.0.0:8080 removed; timeouts changed",
  );
});

test("changes: many services are counted, not named", () => {
  const services = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`s${index}`, "http://s"]),
  );
  assert.equal(describeChanges(loaded({}), loaded({ services })), "services: 10 added");
});
