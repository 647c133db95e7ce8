import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceKind } from "./environment.ts";
import type { Expression } from "./expression.ts";
import { Identity, type IdentityFacts } from "./identity.ts";
import { compileLimitKey, limitKeyNeeds } from "./limit-key.ts";
import { limitKey } from "./values/limit-key.ts";

interface Scene {
  by: unknown;
  place?: PlaceKind;
  expression?: () => unknown;
}

interface Request {
  identity?: Identity | null;
  clientAddress?: string;
  values?: Record<string, string>;
}

const consumer = { name: "acme", groups: [], roles: [], scopes: [], metadata: {}, plan: "" };

function identity(facts: Partial<IdentityFacts> = {}): Identity {
  return new Identity({ method: "api-key", subject: "acme", consumer, ...facts });
}

/** Function of a request to its key, as `by` says. */
function keysBy({ by, place = "route", expression }: Scene) {
  const key = compileLimitKey(
    { parts: limitKey().parse(by), ipv6Prefix: 64 },
    {
      place: { kind: place, name: "here" },
      expression: () => ({ evaluate: expression }) as unknown as Expression,
    },
  );
  return ({ identity: who = null, clientAddress = "192.0.2.1", values = {} }: Request = {}) => {
    const value = (name: string) => values[name];
    const view = { header: value, cookie: value, query: value, param: value };
    return key({ ...view, identity: who, clientAddress, routeName: "orders" } as never);
  };
}

test("limit key: a client is its consumer where one is known, else its address", () => {
  const key = keysBy({ by: "client" });
  assert.equal(key({ identity: identity() }), key({ identity: identity(), clientAddress: "::1" }));
  assert.notEqual(key(), key({ clientAddress: "192.0.2.2" }));
  assert.equal(key({ clientAddress: "2001:db8::1" }), key({ clientAddress: "2001:db8::ffff" }));
});

test("limit key: no caller can be counted as an address by calling itself so", () => {
  const key = keysBy({ by: "client" });
  const named = identity({ consumer: { ...consumer, name: "192.0.2.1" } });
  assert.notEqual(key({ identity: named }), key({ clientAddress: "192.0.2.1" }));
});

test("limit key: a token's subject is a caller under who vouches for it", () => {
  const key = keysBy({ by: "consumer" });
  const of = (issuer: string, subject: string) =>
    key({ identity: identity({ consumer: null, issuer, subject }) });
  assert.notEqual(of("https://a.example", "7"), of("https://b.example", "7"));
  assert.equal(of("https://a.example", "7"), of("https://a.example", "7"));
  assert.notEqual(of("", "acme"), key({ identity: identity() }));
  assert.equal(key(), "");
});

test("limit key: credentials of one consumer are counted apart", () => {
  const key = keysBy({ by: "credential" });
  const ci = key({ identity: identity({ credential: "ci" }) });
  assert.notEqual(ci, key({ identity: identity({ credential: "web" }) }));
  assert.notEqual(ci, key({ identity: identity({ credential: "ci", method: "basic-auth" }) }));
});

test("limit key: a header, cookie or parameter left out counts as one that is empty", () => {
  for (const from of ["header", "cookie", "query", "param"]) {
    const key = keysBy({ by: { [from]: "x-tenant" } });
    assert.equal(key(), key({ values: { "x-tenant": "" } }), from);
    assert.equal(key({ values: { "x-tenant": "A" } }), "A");
  }
});

test("limit key: names of headers are read in any case", () => {
  const key = keysBy({ by: { header: "X-Tenant" } });
  assert.equal(key({ values: { "x-tenant": "a" } }), "a");
});

test("limit key: claims are found by name, then by their dots; what is no own member is none", () => {
  const claims = { "a.b": 1, org: { id: 7, tags: ["x"] }, big: 12n };
  const by = (claim: string) => keysBy({ by: { claim } })({ identity: identity({ claims }) });
  assert.equal(by("a.b"), "1");
  assert.equal(by("org.id"), "7");
  assert.equal(by("org.tags"), '["x"]');
  assert.equal(by("big"), "12");
  assert.equal(by("org.id.more"), "");
  assert.equal(by("constructor.name"), "");
  assert.equal(keysBy({ by: { claim: "a.b" } })(), "");
});

test("limit key: an expression's result counts as text; one that fails counts as empty", () => {
  const by = { expression: "request.path" };
  assert.equal(keysBy({ by, expression: () => 7n })(), "7");
  assert.equal(keysBy({ by, expression: () => true })(), "true");
  assert.equal(keysBy({ by, expression: () => null })(), "");
  const failing = (): never => {
    throw new Error("no such key");
  };
  assert.equal(keysBy({ by, expression: failing })(), "");
});

test("limit key: combined values cannot be shifted from one to the other", () => {
  const key = keysBy({ by: [{ header: "a" }, { header: "b" }] });
  assert.notEqual(key({ values: { a: "1", b: "11" } }), key({ values: { a: "11", b: "1" } }));
  assert.notEqual(key({ values: { a: "x1:y" } }), key({ values: { a: "x", b: "y" } }));
  assert.equal(keysBy({ by: ["address", "route"] })(), "9:192.0.2.16:orders");
});

test("limit key: plans and consumers count each consumer for itself, unless all are meant", () => {
  const other = identity({ consumer: { ...consumer, name: "other" } });
  for (const place of ["plan", "consumer"] as const) {
    for (const by of ["route", "address", { header: "x" }, { claim: "x" }, "client"]) {
      const key = keysBy({ by, place });
      assert.notEqual(key({ identity: identity() }), key({ identity: other }), JSON.stringify(by));
    }
    const key = keysBy({ by: "all", place });
    assert.equal(key({ identity: identity() }), key({ identity: other }));
  }
});

test("limit key: what is counted by callers needs to know them", () => {
  const needs = (by: unknown) => limitKeyNeeds(limitKey().parse(by));
  assert.deepEqual(needs("client"), []);
  assert.deepEqual(needs(["route", "consumer"]), ["identity"]);
  assert.deepEqual(needs({ claim: "tenant" }), ["identity"]);
});

const refused: readonly unknown[] = [
  "consumr",
  {},
  { header: "a", cookie: "b" },
  { header: "a b" },
  { claims: "x" },
  [],
  ["all", "route"],
  ["route", "route"],
  7,
];

for (const by of refused) {
  test(`limit key: ${JSON.stringify(by)} is refused`, () => {
    assert.equal(limitKey().safeParse(by).success, false);
  });
}
