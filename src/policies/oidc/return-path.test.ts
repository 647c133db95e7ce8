import assert from "node:assert/strict";
import { test } from "node:test";
import { returnPath } from "./return-path.ts";

test("return path: a path of this origin stays, with its query", () => {
  for (const path of [
    "/",
    "/orders/7?sort=a&next=//x",
    "/a%20b",
    "/a//b",
    "/@evil.example",
    "/a:b",
  ]) {
    assert.equal(returnPath(path), path);
  }
});

test("return path: what may lead elsewhere leads home", () => {
  for (const path of [
    ...[
      "//evil.example",
      "///evil.example",
      "/\\evil.example",
      "\\/evil.example",
      "/\\/evil.example",
    ],
    ...["https://evil.example", "https:evil.example", "javascript:alert(1)", "evil.example", ""],
    ...["/\t/evil.example", "/\n/evil.example", "/a\r\nlocation: x", "\u0000/", " /", "/ /", "/é"],
    ...["/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/%2e//evil.example"],
    `/${"x".repeat(2000)}`,
  ]) {
    assert.equal(returnPath(path), "/", JSON.stringify(path));
  }
});
