import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import type { DocumentPath } from "../mistake.ts";
import { literalPositions } from "./literal-positions.ts";

/** What stands at the place of a path. */
function at(text: string, path: DocumentPath, atKey = false): string {
  const start = text.indexOf("{");
  return text.slice(literalPositions(text, start)(path, atKey));
}

const SOURCE = `{
  // a comment with { and "
  listen: 8080, /* : */ 'quoted': [1, { deep: true }],
  template: \`a \${ { x: "}" }.x } b\`,
  regex: /[/}]{1}"/.source,
  call: make({ inner: 1 }, [2]),
  "after": -1,
  ...spread,
  shorthand,
  method() { return { a: 1 }; },
  list: [1, ...others, 3],
  mapped: [{ a: 1 }].map((one) => one),
  cast: [{ a: 1 }] as const,
  last: { a: { b: "x" } }
}`;

const parts: readonly (readonly [string, DocumentPath, string])[] = [
  ["a value after a comment", ["listen"], "8080"],
  ["a key in single quotes", ["quoted", 1, "deep"], "true"],
  ["what follows a template with braces in it", ["regex"], "/[/}]"],
  ["what follows a regular expression with quotes", ["call"], "make("],
  ["what follows a call", ["after"], "-1"],
  ["a shorthand", ["shorthand"], "shorthand"],
  ["a list before its spread", ["list", 0], "1,"],
  ["a list behind a cast", ["cast", 0, "a"], "1 }] as"],
  ["a value deep inside", ["last", "a", "b"], '"x"'],
];

for (const [what, path, text] of parts) {
  test(`literal positions: ${what} is found`, () => {
    assert.ok(at(SOURCE, path).startsWith(text), at(SOURCE, path).slice(0, 20));
  });
}

test("literal positions: what cannot be known has the place of the literal around it", () => {
  assert.ok(at(SOURCE, ["call", "inner"]).startsWith("make("));
  assert.ok(at(SOURCE, ["list", 2]).startsWith("[1, ..."));
  assert.ok(at(SOURCE, ["mapped", 0, "a"]).startsWith("[{ a: 1 }].map"));
  assert.ok(at(SOURCE, ["nowhere", 1]).startsWith("{\n  // a comment"));
});

test("literal positions: keys have places of their own", () => {
  assert.ok(at(SOURCE, ["last", "a", "b"], true).startsWith('b: "x"'));
  assert.ok(at(SOURCE, ["after"], true).startsWith('"after"'));
});

test("literal positions: every value of any JSON is found", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.boolean(), (value, isSpaced) => {
      const text = JSON.stringify(value, null, isSpaced ? 2 : 0);
      const locate = literalPositions(text, 0);
      for (const [path, part] of everyPart(value, [])) {
        const found = text.slice(locate(path, false));
        const written = JSON.stringify(part, null, isSpaced ? 2 : 0);
        assert.equal(found.slice(0, 1), written.slice(0, 1), path.join("."));
      }
    }),
  );
});

function* everyPart(value: unknown, path: DocumentPath): Generator<[DocumentPath, unknown]> {
  yield [path, value];
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    yield* everyPart(part, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

test("literal positions: no text makes it fail or hang", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    "a",
    ":",
    ",",
    '"',
    "'",
    "`",
    "${",
    "/",
    "/*",
    "//",
    "\n",
    "\\",
    "(",
    ")",
  ];
  const anyText = fc.array(fc.constantFrom(...pieces), { maxLength: 40 });
  fc.assert(
    fc.property(anyText, (chosen) => {
      literalPositions(chosen.join(""), 0)(["a", 0, "b"], true);
    }),
    { numRuns: 2000 },
  );
});
