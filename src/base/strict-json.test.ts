import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { parseStrictJson, readStrictJson } from "./strict-json.ts";

const parse = (text: string) => parseStrictJson(Buffer.from(text));

test("strict JSON: only objects are read", () => {
  assert.deepEqual(parse(' {"a": [1, {"b": "}"}], "c": {}} '), { a: [1, { b: "}" }], c: {} });
  for (const text of [
    "",
    "1",
    "null",
    "[]",
    '"{}"',
    "{",
    "{} {}",
    "{'a':1}",
    "\ufeff{}",
    "{a:1}",
  ]) {
    assert.equal(parse(text), null, text);
  }
});

test("strict JSON: a name that stands twice is refused, however it is spelled", () => {
  for (const text of [
    '{"sub":"a","sub":"b"}',
    '{"sub":"a","s\\u0075b":"b"}',
    '{"x":{"a":1,"b":[{"c":1}],"a":2}}',
    '{"x":[{},{"a":1,"a":1}]}',
    '{"\\"":1,"\\u0022":2}',
    '{"a":{"b":1,"c":[{"d":1}]},"a":1}',
    '{"a":"\\\\","a":":"}',
    '{"1":1,"1":{}}',
  ]) {
    assert.equal(parse(text), null, text);
  }
  assert.notEqual(parse('{"a":"a","b":{"a":"a"},"c":[{"a":1},{"a":1}],"A":"\\",\\"a\\":"}'), null);
});

test("strict JSON: a prototype cannot be named", () => {
  assert.equal(parse('{"__proto__":{"admin":true}}'), null);
  assert.equal(parse('{"a":[{"__pr\\u006fto__":1}]}'), null);
});

test("strict JSON: nesting and bytes have bounds", () => {
  const nested = (depth: number): string => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  assert.notEqual(parse(nested(15)), null);
  assert.equal(parse(nested(16)), null);
  assert.equal(parse(nested(100_000)), null);
  assert.equal(parseStrictJson(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), null);
});

test("strict JSON: what is read cannot be changed", () => {
  const value = parse('{"roles":["a"]}') as { roles: string[] };
  assert.throws(() => value.roles.push("admin"), TypeError);
});

test("strict JSON: otherwise it reads what JSON.parse reads", () => {
  const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
  fc.assert(
    fc.property(values, (value) => {
      const text = JSON.stringify(value);
      fc.pre(!text.includes("__proto__"));
      assert.deepEqual(parse(text), JSON.parse(text));
    }),
  );
});

test("strict JSON: why text is refused is told", () => {
  const flawOf = (text: string) => readStrictJson(Buffer.from(text), 3).flaw;
  assert.equal(flawOf('[{"a": [1]}]'), undefined);
  assert.equal(flawOf('[{"a": [[]]}]'), "is nested too deeply");
  assert.equal(flawOf('[{"a": 1, "a": 1}]'), "has a name twice in one object");
  assert.equal(flawOf('[{"__proto__": 1}]'), "has the name __proto__");
  assert.equal(flawOf("[1,]"), "is not JSON");
});

test("strict JSON: text with a name more than once is refused wherever that stands", () => {
  const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { minKeys: 1 });
  fc.assert(
    fc.property(values, fc.nat(), fc.jsonValue({ maxDepth: 1 }), (value, which, other) => {
      const text = JSON.stringify({ list: [value] });
      fc.pre(!text.includes("__proto__"));
      const names = Object.keys(value);
      const member = `${JSON.stringify(names[which % names.length])}:${JSON.stringify(other)}`;
      assert.notEqual(parse(text), null);
      assert.equal(parse(text.replace("[{", () => `[{${member},`)), null);
    }),
  );
});
