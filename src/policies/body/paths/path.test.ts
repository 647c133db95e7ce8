import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../json-value.ts";
import { compilePick } from "./compile-pick.ts";
import { compilePlaces } from "./compile-places.ts";
import { parsePath } from "./path.ts";

/** Values at a path, in the order of visits. */
function valuesAt(path: string, value: Json): Json[] {
  const found: Json[] = [];
  const places = compilePlaces<undefined>(parsePath(path), (holder, key) => {
    found.push((holder as Record<string, Json>)[key]!);
  });
  places(value, undefined);
  return found;
}

const body = {
  id: 1,
  "a.b": 2,
  user: { id: 3, constructor: 4 },
  rows: [[{ id: 5 }, { id: 6 }], [{ id: 7 }], 8],
};

const reached: [path: string, expected: Json[]][] = [
  ["id", [1]],
  ["a\\.b", [2]],
  ["a.b", []],
  ["user.id", [3]],
  ["user.constructor", [4]],
  ["rows.constructor", []],
  ["toString", []],
  ["rows[][].id", [7, 6, 5]],
  ["rows[0][1].id", [6]],
  ["rows[9]", []],
  ["*.id", [3]],
  ["user.*", [3, 4]],
  ["rows.*.*.id", [7, 6, 5]],
  ["id[]", []],
  ["**.id", [3, 5, 6, 7, 1]],
  ["**.rows[][0].id", [7, 5]],
];

for (const [path, expected] of reached) {
  test(`path: ${path} leads to ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(valuesAt(path, body), expected);
  });
}

test("path: a list without a name is the body itself", () => {
  assert.deepEqual(valuesAt("[].id", [{ id: 1 }, { id: 2 }]), [2, 1]);
  assert.deepEqual(valuesAt("[1]", [1, 2]), [2]);
});

test("path: what cannot be read, or would cost too much, is refused", () => {
  const wrong = [
    "",
    "a..b",
    "a.",
    ".a",
    "a[x]",
    "a[",
    "a]",
    "**",
    "a.**",
    "**.a.**.b",
    "a.__proto__",
  ];
  for (const path of wrong) assert.throws(() => parsePath(path), /path/, path);
});

const picked: [paths: string[], expected: Json | undefined][] = [
  [["id"], { id: 1 }],
  [["user"], { user: body.user }],
  [["user.id", "user"], { user: body.user }],
  [["user.none"], { user: {} }],
  [["id.deeper"], {}],
  [["*.none"], {}],
  [["rows[][].id"], { rows: [[{ id: 5 }, { id: 6 }], [{ id: 7 }]] }],
  [["rows[1]"], { rows: [[{ id: 7 }]] }],
  [["**.constructor"], { user: { constructor: 4 } }],
  [
    ["**.id", "a\\.b"],
    { id: 1, "a.b": 2, user: { id: 3 }, rows: [[{ id: 5 }, { id: 6 }], [{ id: 7 }]] },
  ],
];

for (const [paths, expected] of picked) {
  test(`pick: ${paths.join(", ")} leaves ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(compilePick(paths.map(parsePath))(structuredClone(body)), expected);
  });
}

test("pick: empty lists stay, because clients go through them", () => {
  assert.deepEqual(compilePick([parsePath("items[].id")])({ items: [], x: 1 }), { items: [] });
});
