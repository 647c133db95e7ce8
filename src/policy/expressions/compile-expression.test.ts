import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fillResponse, requestOf, type PolicyScene } from "../../../test/support/policy-run.ts";
import type { Consumer } from "../consumers.ts";
import { Identity } from "../identity.ts";
import { Refusal } from "../values/refusal.ts";
import {
  EXPRESSION_LENGTH_MAX,
  Expressions,
  checkExpression,
  type ReportFailure,
} from "./compile-expression.ts";
import { variableNames } from "./variable-names.ts";

const clock = { now: () => Date.parse("2026-03-01T10:30:00Z") };
const expressions = new Expressions(clock);

const consumer: Consumer = {
  name: "shop",
  groups: ["partners"],
  roles: [],
  scopes: ["orders:read"],
  metadata: { tier: "gold", ranges: ["192.0.2.0/24"], limits: { daily: 5 } },
  plan: "pro",
};
const identity = new Identity({
  method: "jwt",
  subject: "anna",
  issuer: "https://id.example",
  consumer,
  roles: ["admin"],
  claims: { level: 3, tier: "free", tags: ["a", "b"], constructor: { name: "x" }, none: null },
});

const scene: PolicyScene = {
  method: "POST",
  target: "/orders/7?page=2&q=a%20b&page=3",
  headers: { "X-Tier": "gold", Cookie: "a=1; b=2", "Content-Length": "12" },
  clientAddress: "192.0.2.7",
};

function exchangeWith(who: Identity | null, given: PolicyScene = scene) {
  const exchange = requestOf(given);
  if (who !== null) exchange.identify(who);
  return exchange;
}

function evaluate(text: string, who: Identity | null = identity, given: PolicyScene = scene) {
  return expressions.compile(text).evaluate(exchangeWith(who, given));
}

function refusalOf(text: string): string {
  try {
    checkExpression(text);
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  }
  assert.fail(`taken: ${text}`);
}

test("expression: it sees the request", () => {
  const values = {
    "request.method": "POST",
    "request.scheme": "http",
    "request.host": "a.example",
    "request.path": "/orders/7",
    "request.protocol": "HTTP/1.1",
    "request.contentLength": 12,
    "request.query.page": "2",
    "request.query.q": "a b",
    'request.headers["x-tier"]': "gold",
    'request.headers["X-Tier"]': "gold",
    "request.cookies.b": "2",
    "client.address": "192.0.2.7",
    route: "a route",
    service: "a service",
    "now.getFullYear()": 2026,
    "now < timestamp('2026-03-01T10:31:00Z')": true,
    "request.query.map(name, name)": ["page", "q"],
    "request.cookies.size()": 2,
    "request.cookies.map(name, request.cookies[name])": ["1", "2"],
    "request.query.map(name, request.query[name])": ["2", "a b"],
    "request.headers.exists(name, name.startsWith('x-'))": true,
  };
  for (const [text, value] of Object.entries(values)) assert.deepEqual(evaluate(text), value, text);
});

test("expression: it sees who is calling, or null", () => {
  const values = {
    "identity.method": "jwt",
    "identity.subject": "anna",
    "identity.issuer": "https://id.example",
    "identity.claims.tier": "free",
    "identity.claims.level >= 3": true,
    "identity.claims.level == 3": true,
    "identity.claims.constructor.name": "x",
    "identity.claims.none": null,
    "'b' in identity.claims.tags": true,
    "'admin' in identity.roles": true,
    "identity.scopes": ["orders:read"],
    "identity.groups.exists(group, group == 'partners')": true,
    "identity.consumer.name": "shop",
    "identity.consumer.plan": "pro",
    "identity.consumer.metadata.limits.daily": 5,
    "identity != null": true,
    "has(identity.claims.tier)": true,
    "has(identity.claims.age)": false,
  };
  for (const [text, value] of Object.entries(values)) assert.deepEqual(evaluate(text), value, text);
  assert.equal(evaluate("identity == null", null), true);
  assert.equal(evaluate("identity == null || identity.subject == 'x'", null), true);
  assert.throws(() => evaluate("identity.subject", null), /field not found/);
  const token = new Identity({ method: "jwt", subject: "x" });
  assert.equal(evaluate("identity.consumer == null", token), true);
});

test("expression: there is a response once the service has answered, and not before", () => {
  const exchange = exchangeWith(null);
  const isBad = expressions.compile("response.status >= 400 && response.headers['x-a'] == '1'");
  assert.throws(() => isBad.evaluate(exchange));
  fillResponse(exchange, { status: 404, responseHeaders: { "X-A": "1" } });
  assert.equal(isBad.evaluate(exchange), true);
});

test("expression: what fails, or is no truth, is not true, and is reported", () => {
  const reports: string[] = [];
  const report: ReportFailure = (text, reason) => reports.push(`${text}: ${reason}`);
  const reporting = new Expressions(clock, report);
  for (const text of ["request.headers.nope == 'a'", "identity.subject == 'x'", "request.path"]) {
    assert.equal(reporting.compile(text).test(exchangeWith(null)), false);
  }
  assert.deepEqual(reports, [
    "request.headers.nope == 'a': field not found: nope",
    "identity.subject == 'x': field not found: subject",
    "request.path: the result is neither true nor false",
  ]);
  assert.equal(expressions.compile("request.method == 'POST'").test(exchangeWith(null)), true);
  assert.equal(expressions.compile("identity.subject == 'x'").test(exchangeWith(null), true), true);
  assert.equal(
    expressions.compile("request.method == 'GET'").test(exchangeWith(null), true),
    false,
  );
});

test("expression: lists and maps come as JavaScript has them", () => {
  assert.deepEqual(evaluate("[1, 2.5, 'a', null, true]"), [1, 2.5, "a", null, true]);
  assert.deepEqual(evaluate("{'a': [1]}"), new Map([["a", [1]]]));
  assert.deepEqual(
    evaluate("request.cookies"),
    new Map([
      ["a", "1"],
      ["b", "2"],
    ]),
  );
});

test("expression: addresses are compared with ranges of both families", () => {
  assert.equal(evaluate("inRange(client.address, '192.0.2.0/24')"), true);
  assert.equal(evaluate("inRange(client.address, ['10.0.0.0/8', '192.0.2.7'])"), true);
  assert.equal(evaluate("inRange(client.address, identity.consumer.metadata.ranges)"), true);
  assert.equal(evaluate("inRange(client.address, '10.0.0.0/8')"), false);
  const mapped = { ...scene, clientAddress: "::ffff:10.1.1.1" };
  assert.equal(evaluate("inRange(client.address, '10.0.0.0/8')", null, mapped), true);
  const socket = { ...scene, clientAddress: "" };
  assert.equal(evaluate("inRange(client.address, '0.0.0.0/0')", null, socket), false);
});

test("expression: a pattern takes linear time, whatever the client sends", () => {
  const evil = { ...scene, headers: { "x-evil": `${"a".repeat(20_000)}!` } };
  const slow = expressions.compile("request.headers['x-evil'].matches('^(a+)+$')");
  const before = process.cpuUsage().user;
  assert.equal(slow.test(exchangeWith(null, evil)), false);
  // A backtracking engine would be at it for years.
  assert.ok(process.cpuUsage().user - before < 2_000_000);
});

test("expression: functions of the strings extension are there", () => {
  assert.equal(evaluate("request.headers['x-tier'].upperAscii()"), "GOLD");
  assert.deepEqual(evaluate("'a,b'.split(',')"), ["a", "b"]);
});

test("expression: what does not parse is refused with its place", () => {
  const refusals = {
    "": /^not an expression: it ends too early/,
    "request.method = 'GET'": /"= 'GET'" at column 16 does not fit; write == to compare/,
    "request.method == 'GET' and true": /"and true" at column 25 does not fit; write &&, /,
    "request.": /column 8/,
    "(request.path": /it ends too early/,
  };
  for (const [text, message] of Object.entries(refusals)) assert.match(refusalOf(text), message);
  assert.match(refusalOf(`${"(".repeat(2000)}true${")".repeat(2000)}`), /not an expression/);
  assert.match(refusalOf(`'${"a".repeat(EXPRESSION_LENGTH_MAX)}'`), /has 4098 characters; at most/);
});

test("expression: unknown names are refused with the one most like it", () => {
  const refusals = {
    "reqest.method": /no variable "reqest", at column 1; did you mean "request"/,
    "request.metod == 'GET'": /request has no member "metod", at column 8; did you mean "method"/,
    "identity.consumer.grops": /identity.consumer has no member "grops".*did you mean "groups"/,
    "request.path.startWith('/a')": /no function "startWith".*did you mean "startsWith"/,
    "true && foo": /no variable "foo", at column 9/,
    "has(request)": /has\(\) is not called like this/,
    "[1].exists(x, y == x)": /no variable "y"/,
    "client.ip": /client has no member "ip".*there is only address/,
    "{'a': bar}": /no variable "bar"/,
    constructor: /no variable/,
    "_x(1)": /no function "_x"/,
    "x_(1)": /no function "x_"/,
  };
  for (const [text, message] of Object.entries(refusals)) assert.match(refusalOf(text), message);
});

test("expression: patterns and ranges that are none, and nested macros, are refused", () => {
  assert.match(refusalOf("request.path.matches('(')"), /"\(" is not a pattern of RE2/);
  assert.match(refusalOf("request.path.matches('a(?=b)')"), /is not a pattern/);
  assert.match(
    refusalOf("inRange(client.address, '10.0.0.1/8')"),
    /beyond its prefix.*10\.0\.0\.0/,
  );
  assert.match(refusalOf("inRange(client.address, ['10.0.0.0/8', 'x'])"), /"x" is not an address/);
  const nested = "[1].all(a, [1].all(b, [1].all(c, true)))";
  assert.match(refusalOf(nested), /nested too deeply/);
  checkExpression("[1].all(a, [a].all(b, b == a)) && [1].map(a, a + 1) == [2]");
});

test("expression: one that keeps nothing of an exchange leaves nothing to the next", () => {
  const path = expressions.compile("request.headers");
  const first = path.evaluate(exchangeWith(null)) as Map<string, unknown>;
  assert.equal(first.get("x-tier"), "gold");
  const second = path.evaluate(exchangeWith(null, {})) as Map<string, unknown>;
  assert.equal(second.has("x-tier"), false);
  assert.equal(first.get("x-tier"), "gold");
});

test("expression: the page's examples compile, and it names every variable", () => {
  const page = new URL("../../../docs/reference/expressions.md", import.meta.url);
  const text = readFileSync(page, "utf8");
  const examples = /^```cel\n([\s\S]*?)^```$/m.exec(text)![1]!.trim().split("\n");
  assert.ok(examples.length > 5);
  for (const example of examples) checkExpression(example);
  const known = Object.entries(variableNames).flatMap(([name, members]) => {
    if (typeof members === "string") return [name];
    return Object.keys(members).map((member) => `${name}.${member}`);
  });
  for (const name of known) assert.ok(text.includes(`\`${name}\``), name);
});
