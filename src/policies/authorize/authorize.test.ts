import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOf, type PolicyScene } from "../../../test/support/policy-run.ts";
import { Fault } from "../../base/faults.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import type { Consumer } from "../../policy/consumers.ts";
import { Identity, type IdentityFacts } from "../../policy/identity.ts";
import type { PolicySurroundings } from "../../policy/policy.ts";
import authorize from "./authorize.ts";

const shop: Consumer = {
  name: "shop",
  groups: ["partners"],
  roles: ["buyer"],
  scopes: ["orders:read"],
  metadata: {},
  plan: "",
};

const surroundings = {
  place: "gateway",
  earlier: [],
  consumers: ["shop"],
} as unknown as PolicySurroundings;

/** "allowed", or the code of the refusal. */
function outcome(options: object, who: Partial<IdentityFacts> | null, scene: PolicyScene = {}) {
  const environment = testEnvironment(authorize);
  const hooks = authorize.compile(authorize.schema.parse(options), environment);
  const exchange = requestOf(scene);
  if (who !== null) exchange.identify(new Identity({ method: "jwt", subject: "anna", ...who }));
  const verdict = hooks.onRequest!(exchange);
  if (verdict === undefined) return "allowed";
  assert.ok(verdict instanceof Fault);
  assert.equal(verdict.name, "forbidden");
  return verdict;
}

function codeOf(options: object, who: Partial<IdentityFacts> | null, scene: PolicyScene = {}) {
  const found = outcome(options, who, scene);
  return found instanceof Fault ? found.code || "denied" : found;
}

function mistakesOf(options: object): string[] {
  const found = authorize.check!(authorize.schema.parse(options), surroundings);
  return found.map(({ message, path = [], isWarning = false }) => {
    return `${isWarning ? "warning " : ""}${path.join(".")}: ${message}`;
  });
}

test("authorize: nobody passes whom no rule allows", () => {
  const options = { allow: [{ roles: "admin" }, { groups: ["staff", "partners"] }] };
  assert.equal(codeOf(options, { roles: ["admin"] }), "allowed");
  assert.equal(codeOf(options, { groups: ["partners"] }), "allowed");
  assert.equal(codeOf(options, { consumer: shop }), "allowed");
  assert.equal(codeOf(options, { roles: ["buyer"], groups: ["others"] }), "denied");
  assert.equal(codeOf(options, null), "anonymous");
});

test("authorize: all that a rule says has to hold", () => {
  const options = { allow: { roles: ["admin"], consumers: ["shop"], methods: ["GET"] } };
  const who = { roles: ["admin"], consumer: shop };
  assert.equal(codeOf(options, who), "allowed");
  assert.equal(codeOf(options, who, { method: "POST" }), "denied");
  assert.equal(codeOf(options, { roles: ["admin"] }), "denied");
  assert.equal(codeOf(options, { consumer: shop }), "denied");
});

test("authorize: every one of scopes is needed, and one of anyScope", () => {
  const all = { allow: { scopes: ["a", "b"] } };
  assert.equal(codeOf(all, { scopes: ["b", "a", "c"] }), "allowed");
  assert.equal(codeOf(all, { scopes: ["a"] }), "insufficient-scope");
  const any = { allow: { anyScope: ["a", "b"] } };
  assert.equal(codeOf(any, { scopes: ["b"] }), "allowed");
  assert.equal(codeOf(any, { scopes: ["ab"] }), "insufficient-scope");
});

test("authorize: a scope that lacks is named, and only where nothing else lacks", () => {
  const options = {
    allow: [{ roles: ["admin"] }, { scopes: ["orders:read", "orders:write"], groups: ["staff"] }],
  };
  const lacking = outcome(options, { groups: ["staff"], scopes: ["orders:read"] });
  assert.ok(lacking instanceof Fault);
  assert.deepEqual(lacking.headers, {
    "www-authenticate": 'Bearer error="insufficient_scope", scope="orders:read orders:write"',
  });
  const other = outcome(options, { scopes: ["orders:read"] });
  assert.ok(other instanceof Fault && other.headers === null);
});

test("authorize: claims are values, lists that hold them, and maps", () => {
  const claims = {
    tier: "gold",
    level: 3,
    "https://a.example/roles": ["x", "y"],
    realm_access: { roles: ["admin"] },
    verified: true,
  };
  const rules: [object, string][] = [
    [{ tier: "gold" }, "allowed"],
    [{ tier: ["silver", "gold"] }, "allowed"],
    [{ tier: "silver" }, "denied"],
    [{ level: 3 }, "allowed"],
    [{ level: "3" }, "denied"],
    [{ verified: true, tier: "gold" }, "allowed"],
    [{ verified: true, tier: "lead" }, "denied"],
    [{ "https://a.example/roles": "y" }, "allowed"],
    [{ "realm_access.roles": "admin" }, "allowed"],
    [{ "realm_access.roles.length": 1 }, "denied"],
    [{ "https://a.example/roles": { all: ["x", "y"] } }, "allowed"],
    [{ "https://a.example/roles": { all: ["x", "z"] } }, "denied"],
    [{ tier: { present: true } }, "allowed"],
    [{ age: { present: false } }, "allowed"],
    [{ tier: { present: false } }, "denied"],
    [{ "constructor.name": "Object" }, "denied"],
    [{ toString: { present: true } }, "denied"],
  ];
  for (const [rule, expected] of rules) {
    assert.equal(codeOf({ allow: { claims: rule } }, { claims }), expected, JSON.stringify(rule));
  }
});

test("authorize: expressions see the request and, where there is one, the identity", () => {
  const options = { allow: { expression: "identity == null ? request.method == 'GET' : true" } };
  assert.equal(codeOf(options, null), "allowed");
  assert.equal(codeOf(options, null, { method: "PUT" }), "anonymous");
  assert.equal(codeOf(options, {}, { method: "PUT" }), "allowed");
});

test("authorize: an expression that fails allows nothing, and denies", () => {
  const expression = "identity.claims.tier == 'gold'";
  assert.equal(codeOf({ allow: { expression } }, {}), "denied");
  const claims = { tier: "silver" };
  assert.equal(codeOf({ allow: "authenticated", deny: { expression } }, { claims }), "allowed");
  assert.equal(codeOf({ allow: "authenticated", deny: { expression } }, {}), "denied");
});

test("authorize: deny comes first", () => {
  const options = {
    allow: "authenticated",
    deny: [{ groups: ["suspended"] }, { methods: "DELETE" }],
  };
  assert.equal(codeOf(options, {}), "allowed");
  assert.equal(codeOf(options, { groups: ["suspended"] }), "denied");
  assert.equal(codeOf(options, {}, { method: "DELETE" }), "denied");
  assert.equal(codeOf(options, null), "anonymous");
});

test("authorize: a dry run refuses nobody", () => {
  assert.equal(codeOf({ allow: { roles: ["admin"] }, dryRun: true }, null), "allowed");
});

test("authorize: it needs to know who is calling, unless its rules ask something else only", () => {
  const needs = (options: object) => authorize.needs!(authorize.schema.parse(options));
  assert.deepEqual(needs({ allow: "authenticated" }), ["identity"]);
  assert.deepEqual(needs({ allow: { claims: { a: 1 } } }), ["identity"]);
  assert.deepEqual(needs({ allow: { methods: "GET" }, deny: { groups: "a" } }), ["identity"]);
  assert.deepEqual(needs({ allow: { expression: "request.path == '/'", methods: "GET" } }), []);
});

test("authorize: rules that say nothing or name nobody are told", () => {
  assert.deepEqual(mistakesOf({ allow: [] }), ["allow: nobody may pass"]);
  assert.deepEqual(mistakesOf({ allow: [{}, { roles: [] }], deny: {} }), [
    "allow.0: the rule says nothing",
    "allow.1: the rule says nothing",
    "deny.0: the rule says nothing",
  ]);
  assert.deepEqual(mistakesOf({ allow: { consumers: ["shop", "shpo"] } }), [
    'warning allow.0.consumers.1: the document has no consumer "shpo"',
  ]);
  assert.deepEqual(mistakesOf({ allow: ["authenticated", { roles: ["a"] }] }), [
    "warning allow.0: everyone known may pass already: the other rules allow nobody else",
  ]);
  for (const allow of [undefined, "everyone", { scopes: ["a b"] }, { expression: "1 +" }, 5]) {
    assert.equal(authorize.schema.safeParse({ allow }).success, false, JSON.stringify(allow));
  }
});
