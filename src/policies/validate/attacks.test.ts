/** What a stranger may send to keep a worker busy, or to be taken for something else. */
import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { testPolicy } from "../../testing/test-policy.ts";
import { schemaLibrary } from "./schema-library.ts";
import validate from "./validate.ts";

/** Far above what any of these takes, far below what it would take unbounded. */
const LIMIT_MS = 5000;

async function statusOf(schema: object, body: string): Promise<number> {
  await using subject = await testPolicy(validate, { request: { body: schema as never } });
  const headers = { "content-type": "application/json" };
  const started = performance.now();
  const { status } = await subject.request({ method: "POST", headers, body });
  const tookMs = performance.now() - started;
  assert.ok(tookMs < LIMIT_MS, `${tookMs} ms`);
  return status;
}

const patterns = [
  "^(a+)+$",
  "^(a|a)*$",
  "^(a*)*b$",
  "(x+x+)+y",
  "^([a-z]+)*\\d$",
  "^(.*a){20}$",
  "^(?:a?){50}a{50}$",
  "a.*b.*c.*d$",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
];

for (const pattern of patterns) {
  test(`attack: text of 900 kB against the pattern ${pattern} takes one look at each character`, async () => {
    const status = await statusOf(
      { type: "string", pattern },
      JSON.stringify("a".repeat(900_000) + "!"),
    );
    assert.ok(status === 400 || status === 200);
  });
}

test("attack: no known format can be kept busy by text of the longest length it is given", () => {
  const seeds = [
    "a",
    "1",
    "-",
    "a.",
    "a@",
    "%",
    "{",
    "0:",
    ":",
    "::1",
    "/~",
    "1T00:00:00.",
    "a-",
    "\\",
    "A=",
  ];
  for (const [name, format] of Object.entries(schemaLibrary().fullFormats)) {
    const given = format as { test?: unknown; validate?: unknown; type?: string };
    if (given.type === "number") continue;
    const how = typeof format === "object" && "validate" in format ? given.validate : format;
    const run =
      how instanceof RegExp ? (text: string) => how.test(text) : (how as (text: string) => boolean);
    if (typeof run !== "function") continue;
    for (const seed of seeds) {
      const text = `${seed.repeat(8192 / seed.length)}!`;
      const started = performance.now();
      run(text);
      const tookMs = performance.now() - started;
      assert.ok(tookMs < LIMIT_MS, `${name} ${seed}: ${tookMs} ms`);
    }
  }
});

test("attack: many items that have to be unique are not compared each with each", async () => {
  const numbers = Array.from({ length: 120_000 }, (_, index) => index);
  const objects = Array.from({ length: 30_000 }, (_, index) => ({ a: index, b: [index] }));
  for (const list of [numbers, objects]) {
    const schema = { type: "array", uniqueItems: true };
    assert.equal(await statusOf(schema, JSON.stringify(list)), 200);
    assert.equal(await statusOf(schema, JSON.stringify([...list, list[0]])), 400);
  }
});

test("attack: schemas that choose among themselves take no more than so many steps", async () => {
  const either = (name: string) => ({
    type: "object",
    properties: { a: { $ref: "#/$defs/node" } },
    required: ["a", name],
  });
  const schema = (...names: string[]) => ({
    $defs: { node: { anyOf: [...names.map(either), { type: "integer" }] } },
    $ref: "#/$defs/node",
  });
  const nested = (start: string) => `${start.repeat(50)}""${"}".repeat(50)}`;
  // Each level is tried twice only to tell what is wrong; in the other it is for finding that something is.
  assert.equal(await statusOf(schema("x", "y"), nested('{"a":')), 400);
  assert.equal(await statusOf(schema("x", "y"), nested('{"x":0,"y":0,"a":')), 400);
  assert.equal(
    await statusOf(schema("x", "y"), nested('{"x":0,"y":0,"a":').replace('""', "1")),
    200,
  );
});

test("attack: names that objects have by themselves are names like any other", async () => {
  const closed = { type: "object", properties: { a: {} }, additionalProperties: false };
  for (const name of ["constructor", "toString", "hasOwnProperty", "__proto__"]) {
    assert.equal(await statusOf(closed, `{"${name}":{}}`), 400, name);
    assert.equal(await statusOf({ type: "object", required: [name] }, "{}"), 400, name);
  }
});

test("attack: numbers without end, and nesting without end, are refused", async () => {
  assert.equal(await statusOf({ type: "integer" }, `1${"0".repeat(900_000)}`), 400);
  assert.equal(await statusOf({}, `${"[".repeat(400_000)}${"]".repeat(400_000)}`), 400);
});
