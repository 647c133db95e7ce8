import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMediaTypePattern } from "./media-type.ts";

function accepts(pattern: string, ...types: string[]): boolean[] {
  const parsed = parseMediaTypePattern(pattern);
  return types.map((type) => parsed.test(type));
}

test("media types: parameters and case do not count", () => {
  const types = ["application/json", "Application/JSON;charset=utf-8", "application/json \t; a=b"];
  assert.deepEqual(accepts("application/json", ...types), [true, true, true]);
  assert.deepEqual(accepts("Application/Json", "application/json"), [true]);
  assert.deepEqual(accepts("application/json", "application/jsonx", "application/jso", ""), [
    false,
    false,
    false,
  ]);
});

test("media types: one wildcard stands for a part that is not empty", () => {
  assert.deepEqual(accepts("text/*", "text/html", "text/", "texts/html"), [true, false, false]);
  assert.deepEqual(accepts("*+json", "application/problem+json", "a/b+JSON; q=1", "a/json"), [
    true,
    true,
    false,
  ]);
  assert.deepEqual(accepts("application/*+json", "application/x+json", "text/x+json"), [
    true,
    false,
  ]);
  assert.deepEqual(accepts("*/*", "a/b", ""), [true, false]);
});

test("media types: exact is more specific than a wildcard, that than any", () => {
  const ranks = ["a/b", "a/*", "*+json", "*/*"].map((each) => parseMediaTypePattern(each).rank);
  assert.deepEqual(ranks, [5, 3, 3, 1]);
});

test("media types: anything else is refused", () => {
  for (const source of ["json", "", "a/b/c", "a/*b", "*/json", "a/b; c=d", "a /b", "*"]) {
    assert.throws(() => parseMediaTypePattern(source), /not a media type/, source);
  }
});
