import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyFlaw } from "../body-flaw.ts";
import type { Json } from "../json-value.ts";
import { formFormat } from "./form-format.ts";

const TYPE = "application/x-www-form-urlencoded";

function read(text: string, brackets = false): Json {
  return formFormat({ brackets }).read(Buffer.from(text), TYPE);
}

function write(value: Json, brackets = false): string {
  return formFormat({ brackets }).write(value).toString();
}

function flawOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof BodyFlaw, String(error));
    return `${error.kind} ${error.code}`;
  }
  return "";
}

test("form: fields are texts, and those that repeat are lists", () => {
  assert.deepEqual(read("a=1&b=&c&a=2&a=3&&d=x%20y+z&e=%C3%A9%26"), {
    a: ["1", "2", "3"],
    b: "",
    c: "",
    d: "x y z",
    e: "é&",
  });
  assert.deepEqual(read("a[b]=1&constructor=2"), { "a[b]": "1", constructor: "2" });
});

test("form: brackets are maps and lists where that is asked for", () => {
  const value = { a: { b: { c: "1" }, d: ["2", "3"] }, e: ["4"], f: "5" };
  const text = "a[b][c]=1&a[d][]=2&a[d][]=3&e[]=4&f=5";
  assert.deepEqual(read(text, true), value);
  assert.equal(decodeURIComponent(write(value, true)), text);
  assert.deepEqual(read(write(value, true), true), value);
});

test("form: names that count from 0 are lists, whose elements may be maps and lists", () => {
  const value = { a: [{ b: "1", c: ["2"] }, { b: "3" }], d: [["4"], ["5", "6"]] };
  const text = "a[0][b]=1&a[0][c][]=2&a[1][b]=3&d[0][]=4&d[1][]=5&d[1][]=6";
  assert.deepEqual(read(text, true), value);
  assert.equal(decodeURIComponent(write(value, true)), text);
  assert.deepEqual(read("a[1]=y&a[0]=x", true), { a: ["x", "y"] });
  for (const other of [{ "1": "x" }, { "00": "x" }, { "0": "x", b: "y" }, { "0": "x", "2": "y" }]) {
    assert.deepEqual(read(write({ a: other }, true), true), { a: other });
  }
  assert.deepEqual(read("0=x&1=y", true), { "0": "x", "1": "y" }, "a form is a map itself");
  assert.equal(
    flawOf(() => read("a[]=1&a[0]=2", true)),
    "malformed contradiction",
  );
});

test("form: what is written reads as it was", () => {
  const value = { a: "x y+z%&=é😀", "b&c=": ["1", "2"], d: "'()!~*" };
  assert.deepEqual(read(write(value)), value);
  assert.equal(write({ a: null, b: 1.5, c: true }), "a=&b=1.5&c=true");
});

test("form: what servers read differently is refused", () => {
  const many = "a=1&".repeat(10_001);
  const cases: [string, string][] = [
    ["a=%", "malformed not-a-form"],
    ["a=%zz", "malformed not-a-form"],
    ["a=%ff", "malformed not-a-form"],
    ["__proto__=1", "malformed reserved-name"],
    ["a[__proto__][x]=1", "malformed reserved-name"],
    ["a[b=1", "malformed brackets"],
    ["a[][b]=1", "malformed brackets"],
    ["[a]=1", "malformed brackets"],
    ["a=1&a[b]=2", "malformed contradiction"],
    ["a[b]=1&a=2", "malformed contradiction"],
    [`a${"[b]".repeat(9)}=1`, "malformed too-deep"],
    [many, "malformed too-many-pairs"],
  ];
  for (const [text, flaw] of cases) {
    assert.equal(
      flawOf(() => read(text, true)),
      flaw,
      text.slice(0, 20),
    );
  }
});

test("form: what has no place in a form is not written", () => {
  for (const value of [[1], "a", { a: { b: 1 } }, { a: [[1]] }, { a: "\ud800" }] as Json[]) {
    assert.equal(
      flawOf(() => write(value)),
      "unmappable not-a-form",
    );
  }
  assert.equal(
    flawOf(() => write({ a: { "b]": 1 } }, true)),
    "unmappable not-a-form",
  );
});
