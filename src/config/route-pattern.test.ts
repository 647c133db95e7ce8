import assert from "node:assert/strict";
import { test } from "node:test";
import { routePattern } from "./route-pattern.ts";

test("route pattern: a plain name is that route, * stands for anything, nothing included", () => {
  for (const [pattern, name, covers] of [
    ["orders", "orders", true],
    ["orders", "orders-v2", false],
    ["*", "GET /users/:id", true],
    ["orders*", "orders", true],
    ["orders-*", "orders", false],
    ["*/orders", "GET /v2/orders", true],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "abc", true],
    ["a*b*c", "ac", false],
    ["ab*ba", "aba", false],
    ["/users/*", "/users/*", true],
  ] as const) {
    assert.equal(routePattern(pattern)(name), covers, `${pattern} ${name}`);
  }
});
