import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress, parseHostHeader } from "./address.ts";
import { Refusal } from "../../policy/values/refusal.ts";

const written: readonly (readonly [string, string])[] = [
  ["8080", "0.0.0.0:8080"],
  ["0", "0.0.0.0:0"],
  [":8080", "0.0.0.0:8080"],
  ["127.0.0.1:8080", "127.0.0.1:8080"],
  ["[::1]:8080", "[::1]:8080"],
  ["[::]:443", "[::]:443"],
  ["LocalHost:8080", "localhost:8080"],
  ["unix:/run/gateward.sock", "unix:/run/gateward.sock"],
];

for (const [text, key] of written) {
  test(`addresses: ${text} is ${key}`, () => {
    assert.equal(formatAddress(parseAddress(text, "0.0.0.0")), key);
  });
}

for (const text of [
  "localhost",
  "65536",
  "host:65536",
  "host:",
  "host:x",
  "::1:8080",
  "[::1:8080",
  "[1.2.3.4]:80",
  "1.2.3:80",
  "1.2.3.400:80",
  "ho st:80",
  "-host:80",
  "http://host:80",
  "unix:",
  `unix:/${"x".repeat(107)}`,
]) {
  test(`addresses: ${text.slice(0, 20)} is refused`, () => {
    assert.throws(() => parseAddress(text, "0.0.0.0"), Refusal);
  });
}

test("addresses: an IPv6 address without brackets is told how to be written", () => {
  assert.throws(
    () => parseAddress("::1:8080", "0.0.0.0"),
    (error: unknown) => error instanceof Refusal && error.hint === "write IPv6 as [::1]:8080",
  );
});

test("addresses: a Host header has a port or none, and IPv6 in brackets", () => {
  assert.equal(parseHostHeader("API.internal"), "api.internal");
  assert.equal(parseHostHeader("api.internal:8080"), "api.internal:8080");
  assert.equal(parseHostHeader("[::1]:8080"), "[::1]:8080");
  assert.equal(parseHostHeader("[::1]"), "[::1]");
  assert.throws(() => parseHostHeader("api internal"), Refusal);
});
