import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword, isPasswordHash, nobodysHash, verifyPassword } from "./password-hash.ts";

test("password hash: is of its password only, and another each time", async () => {
  const [one, other] = await Promise.all([
    hashPassword("correct horse"),
    hashPassword("correct horse"),
  ]);
  assert.notEqual(one, other);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.equal(await verifyPassword("correct horse", one), true);
  assert.equal(await verifyPassword("correct horse", other), true);
  assert.equal(await verifyPassword("correct hors", one), false);
  assert.equal(await verifyPassword("", one), false);
});

test("password hash: one that another program has made is read", async () => {
  // Made by the reference implementation: argon2 somesalt -id -t 2 -m 16 -p 1 -l 32, with `password`.
  const hash =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  assert.equal(await verifyPassword("password", hash), true);
  assert.equal(await verifyPassword("passwore", hash), false);
});

test("password hash: two ways to type one character are one password", async () => {
  const hash = await hashPassword("Zo\u00eb");
  assert.equal(await verifyPassword("Zoe\u0308", hash), true);
});

test("password hash: what is none, or would cost too much to verify, verifies nothing", async () => {
  assert.equal(isPasswordHash(nobodysHash), true);
  for (const [good, bad] of [
    ["argon2id", "argon2i"],
    ["v=19", "v=16"],
    ["m=19456", "m=9999999"],
    ["m=19456", "m=4"],
    ["t=2", "t=0"],
    ["t=2", "t=999"],
    ["p=1", "p=99"],
    ["AAAA$", "AAAA"],
  ] as const) {
    const hash = nobodysHash.replace(good, bad);
    assert.equal(isPasswordHash(hash), false, hash);
    assert.equal(await verifyPassword("x", hash), false);
  }
});
