import assert from "node:assert/strict";
import { test } from "node:test";
import { substituteEnvironment } from "./env.ts";

const environment = { PORT: "8080", EMPTY: "", NESTED: "${PORT}", YAML: "a: [1, 2]" };

function substituted(text: string): unknown {
  return substituteEnvironment(text, environment).data;
}

test("environment: a variable stands anywhere in a string, more than once", () => {
  assert.equal(substituted("${PORT}"), "8080");
  assert.equal(substituted("http://a:${PORT}/b/${PORT}"), "http://a:8080/b/8080");
});

test("environment: a default is used when the variable is unset or empty", () => {
  assert.equal(substituted("${NOPE:-http://x:1}"), "http://x:1");
  assert.equal(substituted("${EMPTY:-full}"), "full");
  assert.equal(substituted("${NOPE:-}"), "");
  assert.equal(substituted("${PORT:-1}"), "8080");
});

test("environment: a variable that is set to nothing is nothing", () => {
  assert.equal(substituted("a${EMPTY}b"), "ab");
});

test("environment: what a variable holds is neither expanded nor read as structure", () => {
  assert.equal(substituted("${NESTED}"), "${PORT}");
  assert.equal(substituted("${YAML}"), "a: [1, 2]");
});

test("environment: $${ is a plain ${", () => {
  assert.equal(substituted("$${PORT}"), "${PORT}");
  assert.equal(substituted("a$${b"), "a${b");
  assert.equal(substituted("costs 5$ or {6}"), "costs 5$ or {6}");
});

test("environment: values deep inside are reached, keys are left alone", () => {
  const { data } = substituteEnvironment({ "${PORT}": [{ a: "${PORT}" }, 1, null] }, environment);
  assert.deepEqual(data, { "${PORT}": [{ a: "8080" }, 1, null] });
});

test("environment: a map that stands in two places is changed once", () => {
  const shared = { a: "$${PORT}" };
  const { data } = substituteEnvironment([shared, shared], environment);
  assert.deepEqual(data, [{ a: "${PORT}" }, { a: "${PORT}" }]);
});

test("environment: every missing variable is told with its path", () => {
  const { findings } = substituteEnvironment({ a: ["${POTR}", "${NOPE}"] }, environment);
  assert.deepEqual(
    findings.map(({ path, message, hint }) => [path, message, hint]),
    [
      [["a", 0], "the environment has no POTR", "did you mean PORT?"],
      [["a", 1], "the environment has no NOPE", "set it, or write ${NOPE:-default}"],
    ],
  );
});

for (const text of ["${}", "${1A}", "${A B}", "${A:default}", "${A", "${A-b}"]) {
  test(`environment: ${text} is no variable, and told so`, () => {
    const { findings } = substituteEnvironment(text, { A: "a" });
    assert.match(findings[0]?.message ?? "", /is not a variable$/);
  });
}
