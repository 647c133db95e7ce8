import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicySurroundings } from "../../policy/policy.ts";
import { definePolicy } from "../../policy/policy.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { formatPath } from "../mistake.ts";
import type { PolicySchemas } from "../schema/policy-use.ts";
import { validate } from "../validate.ts";

const schema = section({ consumer: flag().prefault(true) }).prefault({});
const summary = "Stands for one of its kind.";
const compile = () => ({});

const badge = definePolicy({
  name: "badge",
  summary,
  schema,
  provides: ["identity"],
  compile,
  compileAuthenticator: () => ({ authenticate: () => null, challenge: "" }),
});
const limit = definePolicy({
  name: "limit",
  summary,
  schema,
  needs: ({ consumer }) => (consumer ? ["identity"] : []),
  compile,
});

/** Notes what it is asked about. */
function watcher(seen: PolicySurroundings[]) {
  return definePolicy({
    name: "watcher",
    summary,
    schema,
    check(_, surroundings) {
      seen.push(surroundings);
      return [];
    },
    compile,
  });
}

function sentences(document: unknown, more: PolicySchemas = {}): string[] {
  const { findings } = validate(document, { badge, limit, ...more });
  return findings
    .filter(({ level, message }) => level === "error" || !/^(no routes|nothing uses)/.test(message))
    .map(({ path, message, hint }) => `${formatPath(path)}: ${message}; ${hint ?? ""}`);
}

const MISSING =
  "limit needs to know who is calling, and no policy before it finds that out; put badge before it";
const services = (policies: unknown[]) => ({ a: { targets: ["http://127.0.0.1:1"], policies } });
const route = (policies: unknown[], handler: object = { service: "a" }) => ({
  match: "/a",
  ...handler,
  policies,
});

test("order: what a policy needs may be found out in any list before its own", () => {
  for (const document of [
    { policies: ["badge", "limit"] },
    { policies: ["badge"], services: services(["limit"]) },
    { policies: ["badge"], services: services([]), routes: [route(["limit"])] },
    { services: services(["badge"]), routes: [route(["limit"])] },
    { services: services([]), routes: [route(["badge", { limit: {} }])] },
    { policies: [{ "any-of": ["badge", "anonymous"] }, "limit"] },
    { policies: [{ badge: {}, when: "/x" }, { badge: {}, unless: "/x" }, "limit"] },
  ]) {
    assert.deepEqual(sentences({ routes: [route([], { respond: {} })], ...document }), []);
  }
});

test("order: what nobody has found out is a mistake where it is needed, once for each list", () => {
  const routes = [route(["limit"], { respond: {} }), route([{ limit: {} }])];
  const document = { services: services(["badge"]), policies: ["limit"], routes };
  routes[1]!.match = "/b";
  assert.deepEqual(sentences(document), [
    `policies[0]: ${MISSING}`,
    `routes[0].policies[0]: ${MISSING}`,
  ]);
  assert.deepEqual(sentences({ policies: [{ limit: {} }, "badge"], routes: [] }), [
    `policies[0].limit: ${MISSING}`,
  ]);
});

test("order: options that need nothing are asked for nothing", () => {
  const routes = [route([{ limit: { consumer: false } }], { respond: {} })];
  assert.deepEqual(sentences({ routes }), []);
});

test("order: what another mistake hides is not guessed at", () => {
  const routes = [route(["limit"], { respond: {} })];
  assert.deepEqual(sentences({ policies: [{ badge: { wrong: 1 } }], routes }), [
    'policies[0].badge.wrong: unknown key "wrong"; there is only consumer',
  ]);
  const broken = { a: { targets: ["http://127.0.0.1:1"], policies: ["badge"], timeout: "soon" } };
  assert.equal(sentences({ services: broken, routes: [route(["limit"])] }).length, 1);
});

test("order: mistakes of a route have its place in a document of which only a part is sound", () => {
  const routes = [{ match: "/x" }, route(["limit"], { respond: {} })];
  assert.deepEqual(sentences({ routes }), [
    "routes[0]: nothing answers this route; write one of service, split, redirect, respond",
    `routes[1].policies[0]: ${MISSING}`,
  ]);
});

test("check: a policy is told what every request has met before it, and what the document holds", () => {
  const seen: PolicySurroundings[] = [];
  const document = {
    policies: ["badge", { limit: {}, unless: "/b" }],
    services: services(["watcher"]),
    routes: [
      route(["watcher", "limit", { watcher: {}, unless: "/b" }]),
      { ...route(["watcher"], { respond: {} }), match: "/b" },
    ],
  };
  assert.deepEqual(sentences(document, { watcher: watcher(seen) }), []);
  const names = seen.map(({ place, earlier }) => [place, ...earlier.map(({ name }) => name)]);
  assert.deepEqual(names, [
    ["service", "badge"],
    ["route", "badge", "watcher"],
    ["route", "badge", "limit", "watcher", "watcher", "limit"],
    ["route", "badge"],
  ]);
  assert.deepEqual(seen[0]!.services, ["a"]);
  assert.deepEqual(seen[0]!.earlier[0]!.provides, ["identity"]);
  assert.equal(seen[0]!.hasRedis, false);
});

test("check: its findings stand at the option they name, warnings too, and a failure is a finding", () => {
  const strict = definePolicy({
    name: "strict",
    summary,
    schema,
    check({ consumer }) {
      if (!consumer) throw new Error("out of ideas");
      return [
        { path: ["consumer"], message: "pointless", hint: "drop it" },
        { message: "odd", isWarning: true },
      ];
    },
    compile,
  });
  const check = (use: unknown) =>
    sentences({ policies: [use], routes: [route([], { respond: {} })] }, { strict });
  assert.deepEqual(check({ strict: { consumer: true } }), [
    "policies[0].strict.consumer: pointless; drop it",
    "policies[0].strict: odd; ",
  ]);
  assert.deepEqual(check("strict"), ["policies[0]: pointless; drop it", "policies[0]: odd; "]);
  assert.deepEqual(check({ strict: { consumer: false } }), [
    "policies[0].strict: strict cannot be checked: out of ideas; ",
  ]);
});

test("check: ten thousand routes with policies are judged in a moment", () => {
  const routes = Array.from({ length: 10_000 }, (_, index) => ({
    ...route(["limit", "limit"], { respond: {} }),
    match: `/${index}`,
  }));
  const document = { policies: ["badge"], routes };
  const startedAt = process.cpuUsage();
  assert.deepEqual(sentences(document), []);
  // A quarter of a second where nothing else runs; a quadratic way takes minutes.
  assert.ok(process.cpuUsage(startedAt).user < 20_000_000);
});
