import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { AddressPrefixes } from "./address-prefixes.ts";

const by64: readonly (readonly [string, string])[] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:0201", "192.0.2.1"],
  ["2001:db8:0:1::7", "2001:db8:0:1::/64"],
  ["2001:0DB8:0000:0001:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"],
  ["2001:db8:0:2::7", "2001:db8:0:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["64:ff9b::192.0.2.33", "64:ff9b:0:0::/64"],
  ["", ""],
];

for (const [address, prefix] of by64) {
  test(`address prefixes: ${address || "nothing"} is ${prefix || "nothing"} at 64 bits`, () => {
    assert.equal(new AddressPrefixes(64).of(address), prefix);
  });
}

test("address prefixes: lengths need not end at a group", () => {
  const address = "2001:db8:abcd:ef12:3456:789a:bcde:f012";
  assert.equal(new AddressPrefixes(56).of(address), "2001:db8:abcd:ef00::/56");
  assert.equal(new AddressPrefixes(48).of(address), "2001:db8:abcd::/48");
  assert.equal(new AddressPrefixes(1).of("ffff::"), "8000::/1");
  assert.equal(new AddressPrefixes(128).of(address), `${address}/128`);
  assert.equal(new AddressPrefixes(128).of("::192.0.2.1"), "0:0:0:0:0:0:c000:201/128");
});

test("address prefixes: all addresses of a prefix are one, those of another are not", () => {
  const group = fc.integer({ min: 1, max: 0xffff });
  const groups = (length: number) => fc.array(group, { minLength: length, maxLength: length });
  const prefixes = new AddressPrefixes(64);
  const written = (parts: readonly number[]) => parts.map((one) => one.toString(16)).join(":");
  fc.assert(
    fc.property(groups(4), groups(4), groups(4), (network, host, other) => {
      const one = prefixes.of(written([...network, ...host]));
      assert.equal(one, prefixes.of(written([...network, ...other])));
      const elsewhere = [...network.slice(0, 3), network[3]! ^ 1];
      assert.notEqual(one, prefixes.of(written([...elsewhere, ...host])));
    }),
  );
});
