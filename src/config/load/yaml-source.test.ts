import assert from "node:assert/strict";
import { test } from "node:test";
import type { DocumentPath } from "../mistake.ts";
import { readYaml } from "./yaml-source.ts";

const DOCUMENT = `listen: 8080
common: &common
  timeout: 1s
services:
  users: # a comment
    <<: *common
    targets:
      - http://a:1
      - { url: http://b:1, weight: 2 }
  empty:
routes: []
`;

const places: readonly (readonly [string, DocumentPath, boolean, string])[] = [
  ["the document", [], false, "1:1"],
  ["a scalar", ["listen"], false, "1:9"],
  ["a key", ["listen"], true, "1:1"],
  ["a map in block style", ["services", "users"], false, "6:5"],
  ["the key of a map", ["services", "users"], true, "5:3"],
  ["an element of a list", ["services", "users", "targets", 1], false, "9:9"],
  ["a value in flow style", ["services", "users", "targets", 1, "weight"], false, "9:36"],
  ["an empty value, at its key", ["services", "empty"], false, "10:3"],
  ["what is not there, at its parent", ["services", "users", "tls", "ca"], false, "6:5"],
  ["an element that is not there", ["routes", 3], false, "11:9"],
];

for (const [what, path, atKey, place] of places) {
  test(`YAML: ${what} has a place`, () => {
    const { line, column } = readYaml(DOCUMENT).locate(path, atKey);
    assert.equal(`${line}:${column}`, place);
  });
}

test("YAML: merge keys and aliases are followed", () => {
  const { data, mistakes } = readYaml(DOCUMENT);
  assert.deepEqual(mistakes, []);
  const { users } = (data as { services: { users: { timeout: string } } }).services;
  assert.equal(users.timeout, "1s");
});

const broken: readonly (readonly [string, string, RegExp])[] = [
  ["hosts:\n  - *.example.com\n", "2:5", /alias of nothing; put it in quotes: "\*\.example\.com"/],
  ["a: 1\nb: 2\na: 3\n", "3:1", /unique; each key once/],
  ["a:\n\tb: 1\n", "2:1", /indent with spaces/],
  ["a: 1\n---\nb: 2\n", "2:1", /one document for each file/],
  ["a: [1, 2\nb: 3\n", "2:1", /./],
  ['a: "x\n', "2:1", /Missing closing "quote/],
  ["a: &a [*a]\n", "1:8", /contains itself/],
  ["a: !env PORT\n", "1:4", /Unresolved tag: !env/],
];

for (const [text, place, sentence] of broken) {
  test(`YAML: ${JSON.stringify(text)} is refused at ${place}`, () => {
    const [mistake] = readYaml(text).mistakes;
    const { line, column, message = "", hint = "" } = mistake ?? {};
    assert.match(`${message}; ${hint}`, sentence);
    assert.equal(`${line}:${column}`, place);
  });
}

test("YAML: aliases that unfold to a flood are refused", () => {
  let text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let level = 1; level < 8; level++) {
    const inner = Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ");
    text += `a${level}: &a${level} [${inner}]\n`;
  }
  assert.match(readYaml(text).mistakes[0]?.message ?? "", /alias/i);
});

test("YAML: several mistakes are told at once", () => {
  assert.equal(readYaml("a: 1\na: 2\nb: 1\nb: 2\n").mistakes.length, 2);
});
