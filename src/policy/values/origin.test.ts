import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOrigin } from "./origin.ts";
import { Refusal } from "./refusal.ts";

test("origin: as browsers write it", () => {
  assert.equal(parseOrigin("https://App.Example.com"), "https://app.example.com");
  assert.equal(parseOrigin("https://app.example.com:443"), "https://app.example.com");
  assert.equal(parseOrigin("http://localhost:3000"), "http://localhost:3000");
  assert.equal(parseOrigin("http://[::1]:80"), "http://[::1]");
});

test("origin: nothing more and nothing else", () => {
  const refused = ["app.example.com", "null", "*", "ftp://a.example", "https://*.a.example", ""];
  const longer = [
    "https://a.example/",
    "https://a.example/x",
    "https://a.example?x",
    "https://u@a.b",
  ];
  for (const written of [...refused, ...longer]) {
    assert.throws(() => parseOrigin(written), Refusal, written);
  }
});
