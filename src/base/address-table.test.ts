import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import { AddressTable, NO_VALUE, parseAddressRange } from "./address-table.ts";
import { Random } from "./random.ts";

function tableOf(ranges: Readonly<Record<string, number>>): AddressTable {
  return new AddressTable(
    Object.entries(ranges).map(([range, value]) => ({ range: parseAddressRange(range), value })),
  );
}

test("address table: the narrowest range counts", () => {
  const table = tableOf({
    "10.1.2.0/24": 1,
    "10.0.0.0/8": 1,
    "10.1.0.0/16": 2,
    "10.1.2.7/32": 2,
    "2001:db8::/32": 1,
    "2001:db8:1::/48": 2,
  });
  const values = {
    "9.255.255.255": NO_VALUE,
    "10.0.0.0": 1,
    "10.1.0.0": 2,
    "10.1.1.255": 2,
    "10.1.2.0": 1,
    "10.1.2.6": 1,
    "10.1.2.7": 2,
    "10.1.2.8": 1,
    "10.1.3.0": 2,
    "10.2.0.0": 1,
    "10.255.255.255": 1,
    "11.0.0.0": NO_VALUE,
    "2001:db8::1": 1,
    "2001:DB8:1:0:0::1": 2,
    "2001:db8:2::": 1,
    "2001:db9::": NO_VALUE,
  };
  for (const [address, value] of Object.entries(values)) {
    assert.equal(table.find(address), value, address);
  }
});

test("address table: IPv4 within IPv6 is IPv4, in addresses and in ranges", () => {
  const table = tableOf({ "10.0.0.0/8": 1, "::ffff:192.168.0.0/112": 2, "::/0": 3 });
  assert.equal(table.find("::ffff:10.1.1.1"), 1);
  assert.equal(table.find("::FFFF:a01:101"), 1);
  assert.equal(table.find("192.168.255.1"), 2);
  assert.equal(table.find("192.169.0.0"), NO_VALUE, "::/0 is all of IPv6 and nothing of IPv4");
  assert.equal(table.find("fe80::1%eth0"), 3);
});

test("address table: the ends of both families, and what is no address", () => {
  const table = tableOf({ "0.0.0.0/0": 1, "255.255.255.255/32": 2, "ffff::/16": 3 });
  assert.equal(table.find("0.0.0.0"), 1);
  assert.equal(table.find("255.255.255.254"), 1);
  assert.equal(table.find("255.255.255.255"), 2);
  assert.equal(table.find("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 3);
  for (const text of ["", "x", "1.2.3", "1.2.3.4.5", "01.2.3.4"]) {
    assert.equal(table.find(text), NO_VALUE, text);
  }
  assert.equal(table.has(2), true);
  assert.equal(table.has(4), false);
  assert.equal(tableOf({ "0.0.0.0/0": 1, "::/0": 1 }).has(NO_VALUE), false);
});

test("address table: of equal ranges the greater value counts", () => {
  const entries = ["10.0.0.0/8", "10.0.0.0/8"].map((range, index) => {
    return { range: parseAddressRange(range), value: 2 - index };
  });
  assert.equal(new AddressTable(entries).find("10.1.1.1"), 2);
  assert.equal(new AddressTable(entries.toReversed()).find("10.1.1.1"), 2);
});

test("address table: says of random ranges what the platform's list says", () => {
  const random = new Random(20_260_301);
  const below = (limit: number) => (random.next() >>> 0) % limit;
  const list = new BlockList();
  const entries: { range: ReturnType<typeof parseAddressRange>; value: number }[] = [];
  const address = () => {
    return `10.${below(4)}.${below(256)}.${below(256)}`;
  };
  for (let count = 0; count < 500; count++) {
    const bits = 16 + below(17);
    const range = parseAddressRange(`${address()}/${bits}`);
    const first = Number(range.first);
    const text = [24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join(".");
    list.addSubnet(text, bits, "ipv4");
    entries.push({ range, value: 1 });
  }
  const table = new AddressTable(entries);
  for (let count = 0; count < 5000; count++) {
    const one = address();
    assert.equal(table.find(one) === 1, list.check(one), one);
  }
});

test("address table: what is no range is refused", () => {
  for (const range of ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129", "::ffff:1.2.3.4/95", ""]) {
    assert.throws(() => parseAddressRange(range), /is not an address range/, range);
  }
});
