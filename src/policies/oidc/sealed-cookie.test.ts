import assert from "node:assert/strict";
import { test } from "node:test";
import { CookieSealer } from "./sealed-cookie.ts";

const secret = "a secret of at least thirty-two characters";
const other = "another secret of as many characters, or more";
const sealer = new CookieSealer([secret], "session");
const sealed = sealer.seal("who it is: Zoë", "__Host-session", 1000);

test("sealed cookie: opens to what was sealed, until it ends", () => {
  assert.equal(sealer.open(sealed, "__Host-session", 0), "who it is: Zoë");
  assert.equal(sealer.open(sealed, "__Host-session", 999), "who it is: Zoë");
  assert.equal(sealer.open(sealed, "__Host-session", 1000), null);
});

test("sealed cookie: nothing can be read from it, and no two are alike", () => {
  assert.doesNotMatch(Buffer.from(sealed, "base64url").toString("latin1"), /who it is/);
  const again = sealer.seal("who it is: Zoë", "__Host-session", 1000);
  assert.notEqual(again.slice(8), sealed.slice(8));
});

test("sealed cookie: one that was changed in any byte does not open", () => {
  const bytes = Buffer.from(sealed, "base64url");
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed[index]! ^= 1 << (index % 8);
    assert.equal(sealer.open(changed.toString("base64url"), "__Host-session", 0), null, `${index}`);
  }
});

test("sealed cookie: one that was cut or lengthened does not open", () => {
  for (let length = 0; length < sealed.length; length++) {
    assert.equal(sealer.open(sealed.slice(0, length), "__Host-session", 0), null, `${length}`);
  }
  assert.equal(sealer.open(`${sealed}AAAA`, "__Host-session", 0), null);
  for (const text of ["", " ", "=", `${sealed}=`, `${sealed} `, "A".repeat(10_000), "é"]) {
    assert.equal(sealer.open(text, "__Host-session", 0), null);
  }
});

test("sealed cookie: it is good for one purpose, under one name", () => {
  assert.equal(sealer.open(sealed, "session", 0), null);
  assert.equal(new CookieSealer([secret], "login").open(sealed, "__Host-session", 0), null);
  assert.equal(new CookieSealer([other], "session").open(sealed, "__Host-session", 0), null);
});

test("sealed cookie: after a change of secrets the older ones still open, and none else seals", () => {
  const rotated = new CookieSealer([other, secret], "session");
  assert.equal(rotated.open(sealed, "__Host-session", 0), "who it is: Zoë");
  const renewed = rotated.seal("x", "__Host-session", 1000);
  assert.equal(sealer.open(renewed, "__Host-session", 0), null);
  assert.equal(new CookieSealer([other], "session").open(renewed, "__Host-session", 0), "x");
});
