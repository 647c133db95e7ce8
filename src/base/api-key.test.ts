import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKeyForm, createApiKey, randomWord } from "./api-key.ts";

test("api key: each is another, and of one form", () => {
  const keys = new Set(Array.from({ length: 1000 }, createApiKey));
  assert.equal(keys.size, 1000);
  for (const key of keys) {
    assert.match(key, /^gw_[0-9A-Za-z]{28}_[0-9A-Za-z]{6}$/);
    assert.equal(apiKeyForm(key), "intact");
  }
});

test("api key: every letter and digit comes, about as often", () => {
  const counts = new Map<string, number>();
  for (const digit of randomWord(62_000)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  assert.equal(counts.size, 62);
  // 1000 are expected of each; seven standard deviations away is no chance.
  for (const [digit, count] of counts) assert.ok(Math.abs(count - 1000) < 230, `${digit} ${count}`);
});

test("api key: a wrong, missing or exchanged character shows", () => {
  const key = createApiKey();
  for (let index = 3; index < key.length; index++) {
    const other = key[index] === "x" ? "y" : "x";
    assert.equal(apiKeyForm(key.slice(0, index) + other + key.slice(index + 1)), "mistyped");
  }
  assert.equal(apiKeyForm(key.slice(0, -1)), "mistyped");
  assert.equal(apiKeyForm(`${key} `), "mistyped");
  assert.equal(apiKeyForm("sk_live_something"), "other");
});
