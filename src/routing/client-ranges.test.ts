import assert from "node:assert/strict";
import { test } from "node:test";
import { compileClientRanges } from "./client-ranges.ts";

test("client ranges: hold the addresses of both families", () => {
  const ranges = compileClientRanges(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
  for (const address of ["10.255.0.1", "192.0.2.7", "::ffff:10.0.0.1", "2001:db8:1::"]) {
    assert.equal(ranges.test(address), true, address);
  }
  for (const address of ["11.0.0.1", "192.0.2.8", "2001:db9::", "", "unix", "::ffff:11.0.0.1"]) {
    assert.equal(ranges.test(address), false, address);
  }
});

test("client ranges: are disjoint when no address is in both", () => {
  const areDisjoint = (left: string[], right: string[]) => {
    const [first, second] = [compileClientRanges(left), compileClientRanges(right)];
    assert.equal(first.isDisjoint(second), second.isDisjoint(first));
    return first.isDisjoint(second);
  };
  assert.equal(areDisjoint(["10.0.0.0/8"], ["11.0.0.0/8"]), true);
  assert.equal(areDisjoint(["10.0.0.0/8"], ["10.200.0.0/16"]), false);
  assert.equal(areDisjoint(["10.255.255.255/8"], ["10.0.0.1"]), false);
  assert.equal(areDisjoint(["0.0.0.0/0"], ["2001:db8::/32"]), true);
  assert.equal(areDisjoint(["2001:db8::1/32"], ["2001:db8:ffff::/48"]), false);
  assert.equal(areDisjoint(["1.1.1.1", "2.2.2.2"], ["3.3.3.3", "2.2.2.0/24"]), false);
});

test("client ranges: the widest one says how specific they are", () => {
  assert.equal(compileClientRanges(["10.0.0.0/8", "10.0.0.1"]).bitsMin, 104);
  assert.equal(compileClientRanges(["::1"]).bitsMin, 128);
});

test("client ranges: anything else is refused", () => {
  for (const source of [
    "",
    "10.0.0.0/33",
    "10.0.0/8",
    "x",
    "::1/129",
    "10.0.0.0/8/8",
    "10.0.0.0/",
  ]) {
    assert.throws(() => compileClientRanges([source]), { name: "RoutingError" }, source);
  }
});
