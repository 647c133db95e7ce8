import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { defineAuthenticator } from "../../policy/authenticator.ts";
import { section } from "../../policy/values/section.ts";
import { formatPath } from "../mistake.ts";
import { validate } from "../validate.ts";

const KEY = "Kq8ZrT4wXn2VbY6mJd0sFgHc";
const OTHER_KEY = "Pz5LhW9eRt1UoI7aSx3CvBnM";

const named = defineAuthenticator({
  name: "named",
  summary: "Stands for an authenticator.",
  schema: section({}).prefault({}),
  compile: () => ({ challenge: "", authenticate: () => null }),
});

const ROUTES = `
services: { a: http://127.0.0.1:1 }
routes: [{ name: orders, match: /orders, service: a }, { name: users, match: /users, service: a }]
`;

/** What is wrong with it, each with its place. */
function findingsIn(document: string): string[] {
  const { findings } = validate(parse(document + ROUTES), { named });
  return findings.map(({ path, message, hint, level }) => {
    const kind = level === "warning" ? "warning: " : "";
    return `${kind}${formatPath(path)}: ${message}${hint ? `; ${hint}` : ""}`;
  });
}

test("consumers: a plan that is nowhere is a mistake; one that is mistaken itself is there", () => {
  assert.deepEqual(findingsIn("plans: { free: }\nconsumers: { web: { plan: fre } }"), [
    'consumers.web.plan: no plan named "fre"; did you mean "free"?',
  ]);
  assert.deepEqual(findingsIn("consumers: { web: { plan: free } }"), [
    'consumers.web.plan: no plan named "free"; the document declares no plans',
  ]);
  const broken = findingsIn("plans: { free: { limit: 5 } }\nconsumers: { web: { plan: free } }");
  assert.deepEqual(broken, [
    'plans.free.limit: unknown key "limit"; one of routes, priority, policies',
  ]);
});

test("plans: the routes that they name are there", () => {
  assert.deepEqual(findingsIn("plans: { free: { routes: [orders, '*ers', 'user*'] } }"), []);
  assert.deepEqual(findingsIn("plans: { free: { routes: [ordres, 'x*'] } }"), [
    'plans.free.routes[0]: no route named "ordres"; did you mean "orders"?',
    'plans.free.routes[1]: no route named "x*"; one of orders, users',
  ]);
});

test("consumers: no credential is of two, and none is there twice", () => {
  const document = `
consumers:
  web: { keys: [${KEY}, ${OTHER_KEY}], basic: { username: x, password: long enough } }
  app: { keys: ${KEY}, tokens: { subject: s }, certificates: { san: "DNS:a" } }
  x: { basic: { password: also long enough }, tokens: [{ subject: s, issuer: i }, { subject: s }] }
  y: { keys: [{ value: ${OTHER_KEY} }], certificates: [{ subject: CN=a }, { san: "DNS:a" }] }
`;
  assert.deepEqual(findingsIn(document), [
    "consumers.app.keys: is the credential of consumers.web.keys[0] too; give each its own",
    "consumers.x.basic: is the credential of consumers.web.basic too; give each its own",
    "consumers.x.tokens[1]: is the credential of consumers.app.tokens[0] too; give each its own",
    "consumers.y.keys[0]: is the credential of consumers.web.keys[1] too; give each its own",
    "consumers.y.certificates[1]: is the credential of consumers.app.certificates[0] too; give each its own",
  ]);
});

test("consumers: a key that has expired is told, and one cannot have scopes that its consumer has not", () => {
  const document = `
consumers:
  web: { scopes: [read], keys: [{ value: ${KEY}, expires: 2020-01-01, scopes: [read, wrte] }] }
  app: { keys: [{ value: ${OTHER_KEY}, scopes: [anything] }] }
`;
  assert.deepEqual(findingsIn(document), [
    "warning: consumers.web.keys[0].expires: the key has expired; drop it",
    'consumers.web.keys[0].scopes: the consumer has no scope "wrte" to narrow the key to; there is only read',
  ]);
});

test("consumers, plans: an authenticator there comes too late", () => {
  const hint = "move it to the route, its service or the top of the document";
  const document = `
consumers: { web: { policies: [{ any-of: [named, anonymous] }] } }
plans: { free: { policies: [named] } }
`;
  assert.deepEqual(findingsIn(document), [
    `plans.free.policies[0]: named finds out who is calling, which is known before policies of a plan run; ${hint}`,
    `consumers.web.policies[0].any-of[0]: named finds out who is calling, which is known before policies of a consumer run; ${hint}`,
  ]);
});

test("identity: each header says one thing, and none that has a meaning of its own", () => {
  assert.deepEqual(
    findingsIn("identity: { consumer: X-User, subject: x-user, claims: { x-user: a } }"),
    [
      "identity.subject: x-user carries consumer already; give each its own header, or false",
      "identity.claims.x-user: x-user carries consumer already; give each its own header",
    ],
  );
  for (const header of ["Authorization", "x-forwarded-for", "Host", "cookie", "x-request-id"]) {
    assert.equal(findingsIn(`identity: { consumer: ${header} }`).length, 1, header);
  }
  assert.deepEqual(findingsIn("identity: false"), []);
});

test("consumers: names are such as headers and logs can hold", () => {
  assert.deepEqual(findingsIn("consumers: { 'team a': , mobile-app.v2@example: , __x: }"), [
    'consumers["team a"]: not a consumer\'s name; letters, digits, dots, dashes, underscores and @, at most 100',
    "consumers.__x: not a consumer's name; letters, digits, dots, dashes, underscores and @, at most 100",
  ]);
});

test("consumers: where one is mistaken, the others are still checked", () => {
  assert.deepEqual(findingsIn("consumers: { web: { plan: free, key: x }, app: { plan: free } }"), [
    'consumers.web.key: unknown key "key"; did you mean "keys"?',
    'consumers.app.plan: no plan named "free"; the document declares no plans',
  ]);
});
