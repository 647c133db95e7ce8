import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../policy/values/refusal.ts";
import { compileLinearPattern } from "./linear-pattern.ts";

const sources = [
  "^[a-z]+$",
  "a|^b$",
  "^(a|b)*$",
  "foo",
  "^[a-z]{1,2048}$",
  "\\d{3}-\\d{2}",
  "x\\$",
  "^\\p{L}+$",
  "^(a+)+$",
  "",
  "^$",
];
const texts = ["", "b", "abc", "xbx", "food", "x$", "a".repeat(2000), "123-45", "a\nb", "bäc"];

test("pattern of a schema: it finds what the language's own expression finds", () => {
  for (const source of sources) {
    const { test: matches } = compileLinearPattern(source);
    for (const text of texts)
      assert.equal(matches(text), new RegExp(source, "u").test(text), `${source} ${text}`);
  }
});

test("pattern of a schema: what needs to go back is refused", () => {
  for (const source of ["(a)\\1", "^(?=a)", "a(?<!b)", "(^a)b"]) {
    assert.throws(() => compileLinearPattern(source), Refusal, source);
  }
});
