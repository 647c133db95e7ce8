import assert from "node:assert/strict";
import { test } from "node:test";
import { directiveFields, directiveMs, parseCacheControl } from "./cache-control.ts";

function shown(text: string): Record<string, string> {
  return Object.fromEntries(parseCacheControl(text));
}

test("cache-control: tokens, quoted arguments, odd blanks and letters", () => {
  assert.deepEqual(shown('Max-Age=60 , PUBLIC,no-cache="a, B"'), {
    "max-age": "60",
    public: "",
    "no-cache": "a, B",
  });
});

test("cache-control: what cannot be read is passed over, and what follows is not", () => {
  assert.deepEqual(shown(",, @@, no-store; , max-age=5"), { "no-store": "", "max-age": "5" });
});

test("cache-control: of a directive that is there twice the stricter holds", () => {
  assert.deepEqual(shown("max-age=60, max-age=5, private=x, private"), {
    "max-age": "5",
    private: "",
  });
  assert.deepEqual(shown("max-age=5, max-age=junk"), { "max-age": "junk" });
});

test("cache-control: a time that is none is no time at all", () => {
  const directives = parseCacheControl("max-age=1.5, s-maxage=-1, stale-if-error=99999999999999");
  assert.equal(directiveMs(directives, "max-age", 0), 0);
  assert.equal(directiveMs(directives, "s-maxage", 0), 0);
  assert.equal(directiveMs(directives, "stale-if-error", 0), 2_147_483_648_000);
  assert.equal(directiveMs(directives, "min-fresh", 0), undefined);
});

test("cache-control: fields that no-cache names, in lower case", () => {
  const directives = parseCacheControl('no-cache="X-A, x-b", private');
  assert.deepEqual(directiveFields(directives, "no-cache"), ["x-a", "x-b"]);
  assert.deepEqual(directiveFields(directives, "private"), []);
});
