import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exchange } from "./exchange.ts";
import { ownOrigin } from "./own-origin.ts";

function originOf(facts: Partial<Exchange>, headers: Record<string, string> = {}): string {
  const header = (name: string): string | undefined => headers[name];
  return ownOrigin({ scheme: "https", peerIsTrusted: false, ...facts, header } as Exchange);
}

test("own origin: scheme and host as asked for, in lower case, without the scheme's port", () => {
  assert.equal(originOf({ authority: "App.Example.com" }), "https://app.example.com");
  assert.equal(originOf({ authority: "app.example.com:443" }), "https://app.example.com");
  assert.equal(originOf({ authority: "app.example.com:8443" }), "https://app.example.com:8443");
  assert.equal(originOf({ scheme: "http", authority: "a.example:80" }), "http://a.example");
  assert.equal(originOf({ scheme: "http", authority: "a.example:443" }), "http://a.example:443");
  assert.equal(originOf({ authority: "[::1]:9000" }), "https://[::1]:9000");
  assert.equal(originOf({ authority: "" }), "");
});

test("own origin: only a trusted proxy may tell another host, and only a host", () => {
  const headers = { "x-forwarded-host": "shop.example, inner.example" };
  const authority = "inner:8080";
  assert.equal(originOf({ authority }, headers), "https://inner:8080");
  assert.equal(originOf({ authority, peerIsTrusted: true }, headers), "https://shop.example");
  for (const host of ["a.example/evil", "user@a.example", "a.example:x", "a b", ""]) {
    const forged = { "x-forwarded-host": host };
    assert.equal(originOf({ authority, peerIsTrusted: true }, forged), "", host);
  }
});
