import assert from "node:assert/strict";
import { test } from "node:test";
import { balance } from "./balance.ts";

const stickyDefaults = {
  name: "sticky",
  cookie: "gw-sticky",
  ttlMs: 0,
  path: "/",
  secure: false,
  httpOnly: true,
  sameSite: "lax",
  secret: "",
  fallback: { name: "round-robin" },
};

test("balance: each way by its name alone has the defaults of its options", () => {
  for (const name of ["round-robin", "least-requests", "random"]) {
    assert.deepEqual(balance.parse(name), { name });
  }
  assert.deepEqual(balance.parse("peak-ewma"), { name: "peak-ewma", decayMs: 10_000 });
  const by = { from: "client", name: "" };
  assert.deepEqual(balance.parse("hash"), { name: "hash", by, boundedLoad: 1.25 });
  assert.deepEqual(balance.parse("sticky"), stickyDefaults);
});

test("balance: options are what they say", () => {
  assert.deepEqual(balance.parse({ name: "peak-ewma", decay: "1m" }), {
    name: "peak-ewma",
    decayMs: 60_000,
  });
  const sticky = balance.parse({
    name: "sticky",
    cookie: "__Host-shop",
    ttl: "1h",
    secure: "true",
    httpOnly: false,
    sameSite: "none",
    secret: "0123456789abcdef",
    fallback: { name: "peak-ewma", decay: "5s" },
  });
  assert.deepEqual(sticky, {
    ...stickyDefaults,
    cookie: "__Host-shop",
    ttlMs: 3_600_000,
    secure: true,
    httpOnly: false,
    sameSite: "none",
    secret: "0123456789abcdef",
    fallback: { name: "peak-ewma", decayMs: 5000 },
  });
});

test("balance: a new client of a sticky service can be spread by any other way, hash included", () => {
  const by = { from: "header", name: "x-user" };
  const hash = { name: "hash", by: { header: "X-User" } };
  const sticky = { name: "sticky", fallback: hash };
  assert.deepEqual(balance.parse(sticky), {
    ...stickyDefaults,
    fallback: { name: "hash", by, boundedLoad: 1.25 },
  });
});
