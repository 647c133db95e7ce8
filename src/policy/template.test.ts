import assert from "node:assert/strict";
import { test } from "node:test";
import { fillResponse, requestOf, type PolicyScene } from "../../test/support/policy-run.ts";
import { testEnvironment } from "../testing/test-environment.ts";
import { variableNames, type Members } from "./expressions/variable-names.ts";
import { Identity, type IdentityFacts } from "./identity.ts";
import { compileTemplate, templateNeeds } from "./template.ts";
import { templateNames } from "./template/template-variables.ts";
import { HEADER_VALUE, QUERY_VALUE, type ValueEncoding } from "./template/value-encoding.ts";
import { Refusal } from "./values/refusal.ts";
import { requestTemplate, responseTemplate } from "./values/template.ts";

const environment = testEnvironment({ name: "test" } as never);

interface Scene extends PolicyScene {
  identity?: IdentityFacts;
  encoding?: ValueEncoding;
}

function rendered(
  source: string,
  { identity, encoding, ...scene }: Scene = {},
): string | undefined {
  const exchange = requestOf(scene);
  fillResponse(exchange, scene);
  if (identity !== undefined) exchange.identity = new Identity(identity);
  return compileTemplate(source, encoding ?? HEADER_VALUE, environment).render(exchange);
}

const caller: IdentityFacts = {
  method: "jwt",
  subject: "sub-1",
  issuer: "https://id.example",
  scopes: ["a", "b"],
  roles: ["admin", "ops"],
  groups: ["g"],
  claims: { tenant: "acme", org: { id: 7 }, list: ["x", 2], deep: { a: [{}] }, "dot.ted": "yes" },
  consumer: {
    name: "mobile",
    plan: "gold",
    groups: [],
    roles: ["r"],
    scopes: ["s"],
    metadata: { tier: "one" },
  },
};

const scene: Scene = {
  method: "POST",
  target: "/shop/a%20b?page=2&q=a%20b%26",
  headers: { "X-A": ["1", "2"], Cookie: "sid=abc", "Content-Length": "3" },
  status: 404,
  responseHeaders: { ETag: '"v1"' },
  scheme: "https",
  identity: caller,
};

const values: [source: string, expected: string | undefined][] = [
  ["plain", "plain"],
  ["{{x}} {{{request.method}}}", "{x} {POST}"],
  ["{request.method} {request.scheme} {request.host}", "POST https a.example"],
  ["{request.path}", "/shop/a%20b"],
  ["{request.protocol} {request.contentLength}", "HTTP/1.1 3"],
  ["{request.headers.X-A}", "1, 2"],
  ["{request.headers.x-b}", undefined],
  ["<{request.headers.x-b|none}>", "<none>"],
  ["<{request.headers.x-b|}>", "<>"],
  ["{ request.query.page }", "2"],
  ["{request.query.q}", "a b&"],
  ["{request.cookies.sid}", "abc"],
  ["{client.address}", "192.0.2.1"],
  ["{identity.method} {identity.subject} {identity.issuer}", "jwt sub-1 https://id.example"],
  ["{identity.scopes} {identity.roles} {identity.groups}", "a b s admin,ops,r g"],
  ["{identity.consumer.name} {identity.consumer.plan}", "mobile gold"],
  ["{identity.consumer.roles} {identity.consumer.scopes}", "r s"],
  ["{identity.consumer.groups|no}", "no"],
  ["{identity.consumer.metadata.tier}", "one"],
  ["{identity.claims.tenant} {identity.claims.org.id}", "acme 7"],
  ["{identity.claims.list} {identity.claims.dot.ted}", "x,2 yes"],
  ["{identity.claims.deep}", '{"a":[{}]}'],
  ["{identity.claims.constructor}", undefined],
  ["{route} {service}", "a route a service"],
  ["{response.status} {response.headers.etag}", '404 "v1"'],
  ["{now}", new Date(environment.clock.now()).toISOString()],
  ["{expr: request.method + '}' + string(response.status)}", "POST}404"],
  ["{expr: {'a': 'map'}['a']}!", "map!"],
  ["{expr: 1 + 1}", "2"],
  ["{expr: ['a', 'b']}", "a,b"],
  ["{expr: request.headers['x-b']}", undefined],
];

for (const [source, expected] of values) {
  test(`template: ${source} gives ${String(expected)}`, () => {
    assert.equal(rendered(source, scene), expected);
  });
}

test("template: what can be named is what expressions can name, and the request's id", () => {
  const names = Object.entries(variableNames).flatMap(([name, members]) => leaves(name, members));
  assert.deepEqual(templateNames.toSorted(), [...names, "request.id"].toSorted());
  assert.match(rendered("{request.id}")!, /^[0-9a-f]{32}$/);
});

function leaves(name: string, members: Members | string): string[] {
  if (members === "any") return [`${name}.`];
  if (typeof members === "string") return [name];
  return Object.entries(members).flatMap(([member, below]) => leaves(`${name}.${member}`, below));
}

test("template: without a caller nothing is said of one", () => {
  assert.equal(rendered("{identity.subject}"), undefined);
  assert.equal(rendered("{identity.consumer.name}"), undefined);
  assert.equal(rendered("{identity.claims.tenant|nobody}"), "nobody");
});

test("template: in a header no decoded value makes a line of its own, or a character that is none", () => {
  const attack = { target: "/?a=x%0D%0Aset-cookie:%20b%00%7F&u=%C3%A9%E2%82%AC&c=%C4%8A" };
  assert.equal(rendered("{request.query.a}", attack), "x%0D%0Aset-cookie: b%00%7F");
  assert.equal(rendered("{request.query.u}", attack), "%C3%A9%E2%82%AC");
  // U+010A: its low byte is a line feed.
  assert.equal(rendered("{request.query.c}", attack), "%C4%8A");
  const claims = { name: "a\r\nb\ud800", n: "\u{1F600}" };
  const identity = { ...caller, claims };
  assert.equal(rendered("{identity.claims.name}", { identity }), "a%0D%0Ab%EF%BF%BD");
  assert.equal(rendered("{identity.claims.n}", { identity }), "%F0%9F%98%80");
});

test("template: in a header what came in a header is what goes on, and blanks at the ends do not", () => {
  const headers = { "x-a": "caf\xe9\t50%" };
  assert.equal(rendered("{request.headers.x-a}", { headers }), "caf\xe9\t50%");
  assert.equal(rendered("{request.query.q}", { target: "/?q=%20a%20" }), "a");
  assert.equal(rendered("é "), "%C3%A9");
});

test("template: in a query each value is encoded, once", () => {
  const into = (source: string, more: Scene) =>
    rendered(source, { ...more, encoding: QUERY_VALUE });
  assert.equal(into("{request.query.q}", { target: "/?q=a%26b=c+d%C3%A9" }), "a%26b%3Dc%20d%C3%A9");
  assert.equal(
    into("{request.headers.x-a}", { headers: { "x-a": "a&b \xe9#" } }),
    "a%26b%20%E9%23",
  );
  assert.equal(into("{request.path}", { target: "/a%20b&c=d" }), "%2Fa%20b%26c%3Dd");
  assert.equal(into("a&{request.method}", {}), "a%26GET");
});

const mistakes: [source: string, message: RegExp, hint: RegExp][] = [
  ["{request.header.x-a}", /there is no \{request\.header\.x-a\}/, /\{request\.headers\.x-a\}/],
  ["{identity.consumer}", /there is no/, /identity\.consumer\.name/],
  ["{request.pth}", /there is no/, /\{request\.path\}/],
  ["{rout}", /there is no/, /\{route\}/],
  ["{request.headers.}", /there is no/, /request\.headers\.NAME/],
  ["{request.headers.a b}", /is not a header name/, /./],
  ["{}", /there is no/, /write a name such as/],
  ["{request.path", /the \{ at column 1 is not closed/, /\{\{/],
  ["a}", /the } at column 2 closes nothing/, /\}\}/],
  ["{expr: request.pth}", /no member "pth"/, /path/],
  ["{expr: 'a}", /the \{ at column 1/, /./],
  ["{request.path|{route}}", /a default is plain text/, /expr/],
  ["{response.status}", /there is no response yet/, /./],
];

for (const [source, message, hint] of mistakes) {
  test(`template: ${source} is refused`, () => {
    const { error } = requestTemplate().safeParse(source);
    assert.match(error!.issues[0]!.message, message);
    const { params } = error!.issues[0] as unknown as { params: { hint: string } };
    assert.match(params.hint, hint);
  });
}

test("template: a line break, an empty text and too many placeholders are refused", () => {
  for (const source of ["a\nb", "", "{route} ".repeat(101)]) {
    assert.equal(requestTemplate().safeParse(source).success, false);
  }
  assert.equal(responseTemplate().parse("{response.status}"), "{response.status}");
  assert.throws(() => compileTemplate("{rout}", HEADER_VALUE, environment), Refusal);
});

test("template: who names the caller without a default needs to know one", () => {
  assert.deepEqual(templateNeeds(["{route}", "{identity.subject|none}"]), []);
  assert.deepEqual(templateNeeds(["{route}", "a {identity.claims.tenant}"]), ["identity"]);
});
