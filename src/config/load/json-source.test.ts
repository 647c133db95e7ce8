import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { readJson } from "./json-source.ts";

test("JSON: means what the platform's own parser says", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(readJson(text).data, JSON.parse(text));
    }),
  );
});

test("JSON: the key __proto__ is an ordinary key", () => {
  const { data } = readJson('{"__proto__": {"admin": false}}');
  assert.ok(Object.hasOwn(data as object, "__proto__"));
  assert.equal((data as { admin?: boolean }).admin, undefined);
});

test("JSON: a byte order mark is skipped", () => {
  assert.deepEqual(readJson("\ufeff[1]").data, [1]);
});

const broken: readonly (readonly [string, string, string])[] = [
  ['{\n  "a": 1,\n  "a": 2\n}', "3:3", 'the key "a" stands here twice; merge the two'],
  ['{\n  // listen\n  "a": 1\n}', "2:3", "JSON has no comments; drop it, or write YAML"],
  ['{ "a": 1 /* one */ }', "1:10", "JSON has no comments; drop it, or write YAML"],
  ['# top\n{ "a": 1 }', "1:1", "JSON has no comments; drop it, or write YAML"],
  ['{\n  "a": [1, 2,]\n}', "2:13", "a comma before ]; drop the comma"],
  ['{ "a": 1, }', "1:9", "a comma before }; drop the comma"],
  ["{ a: 1 }", "1:3", 'expected a key in double quotes, found "a"'],
  ['{ "a" 1 }', "1:7", 'expected a colon after the key, found "1"'],
  ['{ "a": 1 "b": 2 }', "1:10", 'expected a comma or }, found "\\""'],
  ['{ "a": yes }', "1:8", "yes is not a JSON value; put text in double quotes"],
  ['{ "a": 01 }', "1:8", "01 is not a JSON value; put text in double quotes"],
  ["{ \"a\": 'x' }", "1:8", 'expected a value, found "\'"'],
  ['{ "a": "x\n" }', "1:10", "a line break or control character in a string"],
  ['{ "a": "x', "1:8", "a string without its closing quote"],
  ['{ "a": "\\d+" }', "1:8", "a string with an escape JSON does not have; write \\\\ for \\"],
  ['{ "a": 1 } x', "1:12", "text after the end of the document"],
  ["", "1:1", "expected a value, found the end of the file"],
  ["[".repeat(300), "1:201", "more than 200 levels deep"],
];

for (const [text, place, sentence] of broken) {
  test(`JSON: ${JSON.stringify(text).slice(0, 40)} is refused at ${place}`, () => {
    const [mistake] = readJson(text).mistakes;
    const { line, column, message = "", hint } = mistake ?? {};
    assert.equal(`${line}:${column}`, place);
    assert.equal(hint === undefined ? message : `${message}; ${hint}`, sentence);
  });
}

test("JSON: values and keys have places", () => {
  const { locate } = readJson('{\n  "routes": [\n    { "match": "/", "k\\u0065y": 1 }\n  ]\n}');
  assert.deepEqual(locate([], false), { line: 1, column: 1 });
  assert.deepEqual(locate(["routes", 0], false), { line: 3, column: 5 });
  assert.deepEqual(locate(["routes", 0, "match"], false), { line: 3, column: 16 });
  assert.deepEqual(locate(["routes", 0, "match"], true), { line: 3, column: 7 });
  assert.deepEqual(locate(["routes", 0, "key"], true), { line: 3, column: 21 });
  assert.deepEqual(locate(["routes", 0, "absent", "x"], false), { line: 3, column: 5 });
});
