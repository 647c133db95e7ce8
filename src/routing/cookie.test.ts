import assert from "node:assert/strict";
import { test } from "node:test";
import { readCookie, withoutCookie } from "./cookie.ts";

test("cookies: are found by their whole name, the first one counts", () => {
  const header = "a=1; ab=2; b=3; a=4";
  assert.equal(readCookie(header, "a"), "1");
  assert.equal(readCookie(header, "ab"), "2");
  assert.equal(readCookie(header, "b"), "3");
  assert.equal(readCookie(header, "A"), undefined);
  assert.equal(readCookie(header, "c"), undefined);
  assert.equal(readCookie("", "a"), undefined);
});

test("cookies: values are taken as they are sent", () => {
  assert.equal(readCookie('a="x y"; b=%20; c=d=e; d=', "a"), '"x y"');
  assert.equal(readCookie('a="x y"; b=%20; c=d=e; d=', "b"), "%20");
  assert.equal(readCookie('a="x y"; b=%20; c=d=e; d=', "c"), "d=e");
  assert.equal(readCookie('a="x y"; b=%20; c=d=e; d=', "d"), "");
});

test("cookies: blanks around names and values do not belong to them", () => {
  assert.equal(readCookie(" a = 1 ;\tb=2\t;c=3", "a"), "1");
  assert.equal(readCookie(" a = 1 ;\tb=2\t;c=3", "b"), "2");
  assert.equal(readCookie(" a = 1 ;\tb=2\t;c=3", "c"), "3");
});

test("cookies: pairs without a name are passed over", () => {
  assert.equal(readCookie("x; =1; ;; a=2", "a"), "2");
  assert.equal(readCookie("a; b=a=1", "a"), undefined);
});

test("cookies: one is taken out, every one of its name, and the others stay", () => {
  for (const [header, kept] of [
    ["a=1", ""],
    ["a=1; b=2", "b=2"],
    ["b=2; a=1", "b=2"],
    ["b=2;a=1;c=3", "b=2; c=3"],
    ["a=1; b=2; a=3", "b=2"],
    ["a = 1; b=2", "b=2"],
    ["a; b=2", "b=2"],
    ["b=a=1; aa=1; A=2", "b=a=1; aa=1; A=2"],
    ["b=2;;c", "b=2;;c"],
  ] as const) {
    assert.equal(withoutCookie(header, "a"), kept, header);
  }
});
