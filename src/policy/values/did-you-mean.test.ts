import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest, suggestion } from "./did-you-mean.ts";

const distances: readonly (readonly [string, string, number])[] = [
  ["", "", 0],
  ["orders", "orders", 0],
  ["order", "orders", 1],
  ["oders", "orders", 1],
  ["ordres", "orders", 1],
  ["wieght", "weight", 1],
  ["kitten", "sitting", 3],
  ["", "abc", 3],
];

for (const [left, right, distance] of distances) {
  test(`edit distance: ${left || "nothing"} to ${right || "nothing"} is ${distance}`, () => {
    assert.equal(editDistance(left, right), distance);
    assert.equal(editDistance(right, left), distance);
  });
}

test("did you mean: finds the nearest name, whatever its case", () => {
  assert.equal(nearest("order", ["users", "orders", "odor"]), "orders");
  assert.equal(nearest("LISTEN", ["listen", "limits"]), "listen");
  assert.equal(nearest("proxyprotocol", ["proxyProtocol"]), "proxyProtocol");
});

test("did you mean: keeps silent about names that are too far", () => {
  assert.equal(nearest("payments", ["users", "orders"]), undefined);
  assert.equal(nearest("ab", ["cd"]), undefined);
  assert.equal(nearest("x", ["y"]), undefined);
  assert.equal(nearest("x", []), undefined);
});

test("did you mean: lists the choice when it is short and nothing is near", () => {
  assert.equal(suggestion("zzz", ["users", "orders"]), "one of users, orders");
  const many = Array.from({ length: 13 }, (_, index) => `service-${index}`);
  assert.equal(suggestion("zzz", many), undefined);
});
