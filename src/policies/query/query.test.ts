import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { runPolicy, type PolicyScene } from "../../../test/support/policy-run.ts";
import { testGateway, testPolicy } from "../../testing/index.ts";
import query from "./query.ts";

type Options = NonNullable<z.input<typeof query.schema>>;

/** The query that is left of the one that was sent. */
async function left(options: Options, sent: string, scene: PolicyScene = {}): Promise<string> {
  const target = sent === "" ? "/" : `/?${sent}`;
  return (await runPolicy(query, options, { ...scene, target })).exchange.rawQuery;
}

const cases: [what: string, options: Options, sent: string, expected: string][] = [
  ["remove: a name", { remove: "a" }, "a=1&b=2&a=3", "b=2"],
  ["remove: an encoded name", { remove: "a b" }, "a%20b=1&a+b=2&c", "c"],
  ["remove: the beginning of names", { remove: "utm_*" }, "utm_a=1&b&utm_=&%75tm_x=1", "b"],
  ["remove: all", { remove: "*" }, "a&b=1", ""],
  ["remove: names differ by case", { remove: "a" }, "A=1", "A=1"],
  ["remove: brackets are part of a name", { remove: "a" }, "a[]=1&a[b]=2", "a[]=1&a[b]=2"],
  ["remove: from no query", { remove: "a" }, "", ""],
  [
    "keep: only what is listed",
    { keep: ["page", "f.*"] },
    "x=1&page=2&f.a=3&pager",
    "page=2&f.a=3",
  ],
  ["keep: nothing", { keep: [] }, "a=1", ""],
  ["keep: without what is removed", { keep: "f*", remove: "f2" }, "f1&f2&g", "f1"],
  [
    "rename: each, in its place",
    { rename: { p: "pa ge" } },
    "a&p=1%2F&b&p",
    "a&pa%20ge=1%2F&b&pa%20ge",
  ],
  ["rename: what bore the name stays", { rename: { p: "q" } }, "q=1&p=2", "q=1&q=2"],
  ["rename: unless it is removed", { remove: "q", rename: { p: "q" } }, "q=1&p=2", "q=2"],
  ["rename: names change places", { rename: { a: "b", b: "a" } }, "a=1&b=2", "b=1&a=2"],
  ["default: what is missing", { default: { a: "1", b: "2" } }, "a=", "a=&b=2"],
  ["default: what was renamed is there", { rename: { x: "a" }, default: { a: "1" } }, "x", "a"],
  ["default: what was removed is missing", { remove: "a", default: { a: "1" } }, "a=9", "a=1"],
  ["set: instead of all of that name", { set: { a: "1&2" } }, "a=9&b=2&%61", "b=2&a=1%262"],
  ["set: a name that needs encoding", { set: { "a&b": "1" } }, "", "a%26b=1"],
  ["set: what has no value is gone all the same", { set: { a: "{request.headers.x}" } }, "a=9", ""],
  ["add: beside what there is", { add: { a: ["1", "2"], b: "3" } }, "a=0", "a=0&a=1&a=2&b=3"],
  [
    "templates see the query as it came",
    { remove: "a", set: { b: "{request.query.a}" } },
    "a=%26",
    "b=%26",
  ],
  [
    "the rest stays as it was sent",
    { remove: "x" },
    "b=%7e&&c=a+b&=1&\xe9=|",
    "b=%7e&c=a+b&=1&\xe9=|",
  ],
];

for (const [what, options, sent, expected] of cases) {
  test(`query: ${what}`, async () => {
    assert.equal(await left(options, sent), expected);
  });
}

test("query: a value is one value, whatever is in it", async () => {
  const options: Options = { set: { a: "{request.headers.x-a}", b: "{request.path}" } };
  const headers = { "x-a": "1&admin=true#\xe9 x" };
  const { exchange } = await runPolicy(query, options, { headers, target: "/p%20&q?b=1" });
  assert.equal(exchange.rawQuery, "a=1%26admin%3Dtrue%23%E9%20x&b=%2Fp%20%26q");
});

for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
  test(`query: ${protocol}: the service is sent the changed one, with the caller's name`, async () => {
    await using subject = await testPolicy(query, {
      keep: ["page"],
      set: { tenant: "{identity.claims.tenant}" },
    });
    const { sent } = await subject.request({
      protocol,
      path: "/a%20b?tenant=forged&page=%32&x",
      identity: { method: "jwt", subject: "me", claims: { tenant: "a&b" } },
    });
    assert.equal(sent?.target, "/a%20b?page=%32&tenant=a%26b");
  });
}

test("query: rewrites of the route, and services that take paths as they come, get the changed one", async () => {
  const changes: Options = { remove: "x", default: { a: "1" } };
  await using gateway = await testGateway(
    {
      services: {
        plain: "http://plain.test/base",
        raw: { targets: ["http://raw.test"], rawPath: true },
      },
      routes: [
        {
          match: "/plain/*",
          service: "plain",
          rewrite: { path: "/new/*", query: { set: { b: "2" } } },
          policies: [{ query: changes }],
        },
        { match: "/raw/*", service: "raw", policies: [{ query: changes }] },
      ],
    },
    { services: { plain: () => "", raw: () => "" } },
  );
  await gateway.request({ path: "/plain/z?x=1&y" });
  await gateway.request({ path: "/raw/%7ez?x=1&y" });
  assert.deepEqual(
    gateway.calls.map(({ target }) => target),
    ["/base/new/z?y&a=1&b=2", "/raw/%7ez?y&a=1"],
  );
});

test("query: changes that contradict each other are mistakes, and so are none", () => {
  const mistakes = (options: Options) =>
    query.check!(query.schema.parse(options), {} as never).map(({ message }) => message);
  assert.deepEqual(mistakes({}), ["there are no changes"]);
  assert.deepEqual(mistakes({ keep: [] }), []);
  assert.deepEqual(mistakes({ keep: ["a", "b*"], remove: "a" }), ["a is kept and removed"]);
  assert.deepEqual(mistakes({ keep: "b", rename: { a: "b", c: "c" } }), [
    "a is not among what is kept",
    "c keeps its name",
  ]);
  assert.deepEqual(mistakes({ remove: "a", rename: { a: "b" } }), [
    "a is removed before it could be renamed",
  ]);
  assert.match(mistakes({ rename: { "utm_*": "u" } })[0]!, /a \* in a name/);
  assert.deepEqual(mistakes({ rename: { a: "b" }, set: { b: "1" }, default: { b: "2" } }), [
    "b is set, so nothing of a is left",
    "b is set, so it is never missing",
  ]);
});

test("query: a template of the response, a star within a name and an empty name are refused", () => {
  for (const options of [{ set: { a: "{response.status}" } }, { remove: "a*b" }, { remove: "" }]) {
    assert.equal(query.schema.safeParse(options).success, false);
  }
});
