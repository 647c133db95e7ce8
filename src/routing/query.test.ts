import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { readQueryParameter } from "./query.ts";

test("query parameters: the first of a name counts, a name alone is empty", () => {
  assert.equal(readQueryParameter("a=1&b=2&a=3", "a"), "1");
  assert.equal(readQueryParameter("a=1&b=2&a=3", "b"), "2");
  assert.equal(readQueryParameter("a&b=", "a"), "");
  assert.equal(readQueryParameter("a&b=", "b"), "");
  assert.equal(readQueryParameter("ab=1", "a"), undefined);
  assert.equal(readQueryParameter("", "a"), undefined);
  assert.equal(readQueryParameter("&&=1&a=b=c", "a"), "b=c");
  assert.equal(readQueryParameter("=1", ""), "1");
});

test("query parameters: names and values are decoded, broken escapes stand for themselves", () => {
  assert.equal(readQueryParameter("a=x+y%20z%26", "a"), "x y z&");
  assert.equal(readQueryParameter("%61b%3D=1", "ab="), "1");
  assert.equal(readQueryParameter("a=%c3%a9", "a"), "é");
  assert.equal(readQueryParameter("a=\xc3\xa9", "a"), "é");
  assert.equal(readQueryParameter("a=%&b=%4&c=%zz", "a"), "%");
  assert.equal(readQueryParameter("a=%&b=%4&c=%zz", "b"), "%4");
  assert.equal(readQueryParameter("a=%&b=%4&c=%zz", "c"), "%zz");
});

test("query parameters: are read as URLSearchParams reads them", () => {
  const unit = fc.constantFrom("a", "b", "=", "&", "+", "%", "%61", "%C3%A9", "%ff", "%2", ";");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), (query) => {
      const params = new URLSearchParams(query);
      for (const name of [...params.keys(), "a", "b"]) {
        assert.equal(readQueryParameter(query, name), params.get(name) ?? undefined, query);
      }
    }),
    { numRuns: 3000 },
  );
});
