import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import type { Exchange } from "../../../policy/exchange.ts";
import { testEnvironment } from "../../../testing/test-environment.ts";
import type { Json } from "../json-value.ts";
import bodyPolicy from "../body.ts";
import { checkStep, compileStep } from "./compile-steps.ts";
import { stepSchema } from "./step-schema.ts";

type Written = z.input<typeof stepSchema>;

const settings = {
  environment: testEnvironment(bodyPolicy),
  programTimeoutMs: 100,
  direction: "request",
} as const;

function after(step: Written, body: Json): unknown {
  const compiled = compileStep(stepSchema.parse(step), settings);
  const result = compiled(structuredClone(body), {} as Exchange) as Json;
  return JSON.parse(JSON.stringify(result));
}

const cases: [what: string, step: Written, body: Json, expected: Json][] = [
  ["drop", { drop: ["a", "b[].c"] }, { a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2 }] }],
  ["drop of elements", { drop: "a[0]" }, { a: [1, 2] }, { a: [2] }],
  ["drop of all elements", { drop: "a[]" }, { a: [1, 2, 3] }, { a: [] }],
  ["drop in lists of lists", { drop: "[][].x" }, [[{ x: 1 }], [{ y: 2 }]], [[{}], [{ y: 2 }]]],
  ["rename", { rename: { "a[].b": "c" } }, { a: [{ b: 1 }, {}] }, { a: [{ c: 1 }, {}] }],
  ["rename onto another", { rename: { a: "b" } }, { a: 1, b: 2 }, { b: 1 }],
  ["move", { move: { "a.b": "c.d" } }, { a: { b: 1 } }, { a: {}, c: { d: 1 } }],
  ["move in lists", { move: { "a[].b": "a[].c.d" } }, { a: [{ b: 1 }] }, { a: [{ c: { d: 1 } }] }],
  ["move with something in the way", { move: { a: "b.c" } }, { a: 1, b: 2 }, { a: 1, b: 2 }],
  ["move of what is not there", { move: { a: "b" } }, { c: 1 }, { c: 1 }],
  ["set", { set: { "a.b": [1], c: null } }, {}, { a: { b: [1] }, c: null }],
  ["set in lists", { set: { "a[].b": 1 } }, { a: [{}, 2] }, { a: [{ b: 1 }, 2] }],
  ["set below what is no map", { set: { "a.b": 1 } }, { a: 2 }, { a: 2 }],
  [
    "default",
    { default: { a: 1, b: 2, "c.d": 3 } },
    { a: 0, b: null },
    { a: 0, b: null, c: { d: 3 } },
  ],
  ["mask", { mask: { paths: "a" } }, { a: "secret", b: 1 }, { a: "***", b: 1 }],
  ["mask of a map", { mask: { paths: "a", with: "last" } }, { a: { b: 1 } }, { a: "***" }],
  [
    "mask but for the end",
    { mask: { paths: "a", with: "last" } },
    { a: "4111222233334444" },
    { a: "************4444" },
  ],
  [
    "mask of a number",
    { mask: { paths: "a", with: "last", keep: 2 } },
    { a: 123456 },
    { a: "****56" },
  ],
  ["mask of what is short", { mask: { paths: "a", with: "last" } }, { a: "1234567" }, { a: "***" }],
  ["mask of null", { mask: { paths: "a" } }, { a: null }, { a: null }],
  [
    "filter by name",
    { filter: { names: "pin" } },
    [[{ pin: 1, a: { PIN: 2, x: 3 } }]],
    [[{ a: { x: 3 } }]],
  ],
  [
    "filter as written",
    { filter: { names: "pin", ignoreCase: false } },
    { pin: 1, Pin: 2 },
    { Pin: 2 },
  ],
  ["filter by path", { filter: { paths: "a[].b" } }, { a: [{ b: 1, c: 2 }] }, { a: [{ c: 2 }] }],
  ["filter that masks", { filter: { names: "pin", mask: {} } }, { pin: { a: 1 } }, { pin: "***" }],
  [
    "flatten",
    { flatten: {} },
    { a: { b: { c: 1 }, d: [{ e: 2 }] }, f: {} },
    { "a.b.c": 1, "a.d": [{ e: 2 }], f: {} },
  ],
  [
    "flatten of a part",
    { flatten: { path: "a[]", separator: "_" } },
    { a: [{ b: { c: 1 } }] },
    { a: [{ b_c: 1 }] },
  ],
  ["wrap", { wrap: "data.list" }, [1], { data: { list: [1] } }],
  ["unwrap", { unwrap: "data.list" }, { data: { list: [1] } }, [1]],
  ["unwrap of what is not there", { unwrap: "data" }, { a: 1 }, { a: 1 }],
  ["pick of what is no map", { pick: "a" }, "text", {}],
];

for (const [what, step, body, expected] of cases) {
  test(`steps: ${what}`, () => {
    assert.deepEqual(after(step, body), expected);
  });
}

test("filter: names that differ in case, marks or width alone are one name", () => {
  const names = ["passWord", "PASS_WORD", "pass-word", "ｐａｓｓｗｏｒｄ", "Pass word"];
  const body = Object.fromEntries(names.map((name) => [name, "x"]));
  assert.deepEqual(after({ filter: { names: ["password"] } }, body), {});
});

test("mask: a hash is the same for the same value, and another under another secret", () => {
  const hashed = (value: Json, secret: string): unknown => {
    const step: Written = { mask: { paths: "a", with: "hash", secret: secret.repeat(32) } };
    return (after(step, { a: value }) as { a: unknown }).a;
  };
  assert.match(String(hashed("x", "s")), /^[0-9a-f]{32}$/);
  assert.equal(hashed("x", "s"), hashed("x", "s"));
  assert.notEqual(hashed("x", "s"), hashed("x", "t"));
  assert.notEqual(hashed("x", "s"), hashed("y", "s"));
});

test("steps: constants are not shared between bodies", () => {
  const step = compileStep(stepSchema.parse({ set: { a: { list: [] } } }), settings);
  const first = step({}, {} as Exchange) as { a: { list: number[] } };
  first.a.list.push(1);
  assert.deepEqual(step({}, {} as Exchange), { a: { list: [] } });
});

test("steps: those that make no sense are refused", () => {
  const wrong: Written[] = [
    { rename: { "a[]": "b" } },
    { rename: { a: "__proto__" } },
    { move: { "a[].b": "c" } },
    { move: { "a[].b": "d[].b" } },
    { mask: { paths: "a", with: "hash" } },
    { mask: { paths: "a", with: "hash", secret: "short" } },
    { filter: {} },
    { set: { "a..b": 1 } },
    { wrap: "a[]" },
    { headers: { "x-a": "items[].id" } },
    { headers: { "content-type": "type" } },
    { headers: { host: "tenant" } },
    { headers: { "x-*": "tenant" } },
    { query: { a: "**.id" } },
  ];
  for (const step of wrong) {
    const parsed = stepSchema.safeParse(step);
    if (parsed.success) {
      assert.throws(
        () => checkStep(parsed.data, "request"),
        { name: "Refusal" },
        JSON.stringify(step),
      );
    }
  }
  assert.equal(stepSchema.safeParse({ drop: "a", pick: "b" }).success, false);
  assert.equal(stepSchema.safeParse({}).success, false);
});

test("steps: names of prototypes are names like others", () => {
  const body = { constructor: { prototype: { x: 1 } }, toString: 2 };
  assert.deepEqual(after({ drop: "constructor.prototype.x" }, body), {
    constructor: { prototype: {} },
    toString: 2,
  });
  assert.deepEqual(after({ set: { "constructor.prototype.polluted": 1 } }, {}), {
    constructor: { prototype: { polluted: 1 } },
  });
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});
