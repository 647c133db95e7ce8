import assert from "node:assert/strict";
import { test } from "node:test";
import { TrustedAddresses, normalizeAddress } from "./trusted-addresses.ts";

test("trusted addresses: ranges and single addresses of both families", () => {
  const trusted = new TrustedAddresses(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"]);
  for (const address of ["10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:1::9", "::1"]) {
    assert.equal(trusted.has(address), true, address);
  }
  for (const address of ["11.0.0.0", "192.0.2.8", "2001:db9::", "::2", "", "10.0.0.0/8", "host"]) {
    assert.equal(trusted.has(address), false, address);
  }
});

test("trusted addresses: IPv4 mapped into IPv6 is IPv4, on either side", () => {
  const trusted = new TrustedAddresses(["10.0.0.0/8", "::ffff:192.0.2.0/120"]);
  assert.equal(trusted.has("::ffff:10.1.2.3"), true);
  assert.equal(trusted.has("::FFFF:a01:203"), true);
  assert.equal(trusted.has("::ffff:11.1.2.3"), false);
  assert.equal(trusted.has("192.0.2.200"), true);
  assert.equal(trusted.has("192.0.3.1"), false);
});

test("trusted addresses: a link-local address is in with or without its zone", () => {
  const trusted = new TrustedAddresses(["fe80::/10"]);
  assert.equal(trusted.has("fe80::1%eth0"), true);
  assert.equal(trusted.has("fe80::1"), true);
});

test("trusted addresses: none are trusted by default, all by the widest ranges", () => {
  assert.equal(new TrustedAddresses([]).isEmpty, true);
  assert.equal(new TrustedAddresses([]).has("127.0.0.1"), false);
  const all = new TrustedAddresses(["0.0.0.0/0", "::/0"]);
  assert.equal(all.has("203.0.113.9"), true);
  assert.equal(all.has("2001:db8::1"), true);
});

test("trusted addresses: answers stay right when more addresses come than are remembered", () => {
  const trusted = new TrustedAddresses(["10.0.0.0/8"]);
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 3000; index++) {
      const tail = `1.${index >> 8}.${index & 255}`;
      assert.equal(trusted.has(`10.${tail}`), true);
      assert.equal(trusted.has(`11.${tail}`), false);
    }
  }
});

test("trusted addresses: what is not a range is refused", () => {
  const bad = ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "a/8", "/8"];
  for (const range of [...bad, "10.0.0.0/8/8", "::ffff:10.0.0.0/95", "10.0.0.0/1e1"]) {
    assert.throws(() => new TrustedAddresses([range]), /is not an address range/, range);
  }
});

test("normalizeAddress: one spelling for each address", () => {
  const same: [string, string][] = [
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%en0", "fe80::1"],
    ["::", "::"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["01.2.3.4", ""],
    ["1.2.3", ""],
    ["[::1]", ""],
    ["", ""],
    ["localhost", ""],
  ];
  for (const [written, normal] of same) assert.equal(normalizeAddress(written), normal, written);
});
