import assert from "node:assert/strict";
import { test } from "node:test";
import { Identity, type IdentityFacts } from "../policy/identity.ts";
import { identityLines } from "./identity-lines.ts";
import { identity } from "./schema/identity.ts";

const consumer = { name: "mobile", groups: [], roles: [], scopes: [], metadata: {}, plan: "" };

function linesOf(facts: Partial<IdentityFacts>, config: object = {}): string[] {
  const parsed = identity.parse(config);
  assert.ok(parsed !== false);
  const lines = identityLines(parsed)(new Identity({ method: "jwt", subject: "7", ...facts }));
  assert.ok(lines.endsWith("\r\n"));
  return lines.slice(0, -2).split("\r\n");
}

test("identity lines: services are told what is known, and nothing of what is not", () => {
  assert.deepEqual(linesOf({}), ["x-identity-subject: 7", "x-identity-method: jwt"]);
  const facts = { consumer, groups: ["a", "b"], roles: ["r"], scopes: ["read", "write"] };
  assert.deepEqual(linesOf({ ...facts, credential: "ci" }), [
    "x-consumer: mobile",
    "x-identity-subject: 7",
    "x-identity-groups: a,b",
    "x-identity-roles: r",
    "x-identity-scopes: read write",
    "x-identity-method: jwt",
  ]);
});

test("identity lines: headers have the names that they are given, or are left out", () => {
  const config = {
    consumer: "X-Customer",
    subject: false,
    method: false,
    credential: "x-key-name",
  };
  const facts = { consumer, credential: "ci" };
  assert.deepEqual(linesOf(facts, config), ["x-customer: mobile", "x-key-name: ci"]);
});

test("identity lines: no name can end a line, add an element, or be read in two ways", () => {
  for (const [subject, value] of [
    ["a\r\nx-consumer: admin", "a%0D%0Ax-consumer: admin"],
    ["a\u0000b\tc\u007f", "a%00b%09c%7F"],
    ["Zoë Ångström", "Zo%C3%AB %C3%85ngstr%C3%B6m"],
    ["\u560d\u560a", "%E5%98%8D%E5%98%8A"],
    ["100%", "100%25"],
    ["%0d%0a", "%250d%250a"],
    [" padded ", "%20padded%20"],
    ["half \ud800", "half %EF%BF%BD"],
    ["o'hara (x)!*", "o'hara (x)!*"],
    ["a, b", "a, b"],
  ] as const) {
    assert.deepEqual(linesOf({ subject }, { method: false }), [`x-identity-subject: ${value}`]);
    if (subject.isWellFormed()) assert.equal(decodeURIComponent(value), subject);
  }
});

test("identity lines: what separates elements is encoded within them", () => {
  const config = { subject: false, method: false };
  assert.deepEqual(linesOf({ groups: ["a,b", "c d", ""] }, config), [
    "x-identity-groups: a%2Cb,c d",
  ]);
  assert.deepEqual(linesOf({ scopes: ["a b", "c,d"] }, config), ["x-identity-scopes: a%20b c,d"]);
});

test("identity lines: claims are found by their name or by the way to them", () => {
  const claims = {
    org: { id: 12, tags: ["x", "y,z"], open: true, nested: { a: "ü" } },
    "https://a.example/tier": "gold",
    "org.id": undefined,
  };
  const config = {
    subject: false,
    method: false,
    claims: {
      "x-org": "org.id",
      "x-tags": "org.tags",
      "x-open": "org.open",
      "x-tier": "https://a.example/tier",
      "x-nested": "org.nested",
      "x-missing": "org.none.deeper",
      "x-prototype": "constructor.name",
    },
  };
  assert.deepEqual(linesOf({ claims }, config), [
    "x-org: 12",
    "x-tags: x,y%2Cz",
    "x-open: true",
    "x-tier: gold",
    'x-nested: {"a":"%C3%BC"}',
  ]);
});

test("identity lines: a value longer than services take is left out, not cut", () => {
  const groups = Array.from({ length: 2000 }, (_, index) => `group-${index}`);
  assert.deepEqual(linesOf({ groups }), ["x-identity-subject: 7", "x-identity-method: jwt"]);
});
