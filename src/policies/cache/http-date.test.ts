import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHttpDate } from "./http-date.ts";

test("http date: all three forms of RFC 9110", () => {
  const expected = Date.UTC(1994, 10, 6, 8, 49, 37);
  for (const text of [
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
  ]) {
    assert.equal(parseHttpDate(text), expected, text);
  }
});

test("http date: what is none is none, though Date.parse takes it", () => {
  for (const text of [undefined, "", "0", "-1", "2026-01-01", "Sun, 06 Nov 1994 08:49:37 PST"]) {
    assert.equal(parseHttpDate(text), undefined, String(text));
  }
});
