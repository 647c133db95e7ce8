import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { parseForwarded, parseForwardedFor } from "./forwarded-client.ts";
import { TrustedAddresses } from "./trusted-addresses.ts";

const trusted = new TrustedAddresses(["10.0.0.0/8", "fd00::/8"]);
const proxy = "10.0.0.1";

test("X-Forwarded-For: is not believed from a peer that is not trusted", () => {
  assert.equal(parseForwardedFor("1.2.3.4", trusted, "203.0.113.9"), "203.0.113.9");
  assert.equal(parseForwardedFor("1.2.3.4", trusted, ""), "");
  assert.equal(parseForwardedFor("1.2.3.4", new TrustedAddresses([]), proxy), proxy);
});

test("X-Forwarded-For: the client is the first from the right that is not trusted", () => {
  const cases: [string, string][] = [
    ["1.2.3.4", "1.2.3.4"],
    ["6.6.6.6, 1.2.3.4", "1.2.3.4"],
    ["6.6.6.6, 1.2.3.4, 10.0.0.2,10.0.0.3", "1.2.3.4"],
    ["10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["6.6.6.6, ::FFFF:1.2.3.4, ::ffff:10.0.0.2", "1.2.3.4"],
    ["", proxy],
  ];
  for (const [value, client] of cases) {
    assert.equal(parseForwardedFor(value, trusted, proxy), client, value);
  }
  assert.equal(parseForwardedFor("1.2.3.4", trusted, "::ffff:10.0.0.1"), "1.2.3.4");
});

test("X-Forwarded-For: ports and brackets are left off", () => {
  const cases: [string, string][] = [
    ["1.2.3.4:5678", "1.2.3.4"],
    ["[2001:DB8::1]:443", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["6.6.6.6, 1.2.3.4:1, [fd00::2]:80", "1.2.3.4"],
  ];
  for (const [value, client] of cases) {
    assert.equal(parseForwardedFor(value, trusted, proxy), client, value);
  }
});

test("X-Forwarded-For: stops at what is no address, at the last hop that was one", () => {
  const garbage = ["unknown", "", "1.2.3", "1.2.3.4:", "1.2.3.4:x", "[1.2.3.4]", "[::1", "::1]:80"];
  for (const entry of [...garbage, "1.2.3.4 5.6.7.8", '"1.2.3.4"', "[::1]x", "for=1.2.3.4"]) {
    assert.equal(
      parseForwardedFor(`6.6.6.6, ${entry}, 10.0.0.2`, trusted, proxy),
      "10.0.0.2",
      entry,
    );
    assert.equal(parseForwardedFor(entry, trusted, proxy), proxy, entry);
  }
});

test("X-Forwarded-For: a chain of trusted hops without end is not followed for ever", () => {
  const value = "10.0.0.9, ".repeat(100_000) + "10.0.0.2";
  assert.equal(parseForwardedFor(value, trusted, proxy), "10.0.0.9");
});

test("Forwarded: address, scheme and host come from the element at the edge of trust", () => {
  const value =
    'for=6.6.6.6;host=forged.test, For="1.2.3.4:99";Proto=HTTPS;host="a.test:8443", for=10.0.0.2;proto=http';
  assert.deepEqual(parseForwarded(value, trusted, proxy), {
    address: "1.2.3.4",
    proto: "https",
    host: "a.test:8443",
  });
});

test("Forwarded: is not believed from a peer that is not trusted", () => {
  const nothing = { address: "203.0.113.9", proto: "", host: "" };
  assert.deepEqual(parseForwarded("for=1.2.3.4;proto=https", trusted, "203.0.113.9"), nothing);
});

test("Forwarded: IPv6 addresses, quoted pairs and optional white space", () => {
  const address = (value: string) => parseForwarded(value, trusted, proxy).address;
  assert.equal(address('for="[2001:db8:cafe::17]:4711"'), "2001:db8:cafe::17");
  assert.equal(address('for="[2001:db8::1]:_obfuscated"'), "2001:db8::1");
  assert.equal(address('for="1.2.3.\\4"'), "1.2.3.4");
  assert.equal(address("\tfor=1.2.3.4 ; by=10.0.0.1 "), "1.2.3.4");
  assert.equal(address('for=1.2.3.4;ext="a, b\\", \\\\"'), "1.2.3.4");
});

test("Forwarded: stops at hidden, unknown and malformed elements", () => {
  const garbage = [
    "for=unknown",
    "for=_hidden",
    "for",
    "for=",
    "=1.2.3.4",
    "for=1.2.3.4;for=5.6.7.8",
  ];
  for (const element of [
    ...garbage,
    "proto=https",
    "",
    'for="1.2.3.4',
    "for=1.2.3.4;;x",
    'for=1"2"',
  ]) {
    const { address } = parseForwarded(`for=6.6.6.6, ${element}, for=10.0.0.2`, trusted, proxy);
    assert.equal(address, "10.0.0.2", element);
  }
});

test("Forwarded: nothing a client sends changes how what the proxy added is read", () => {
  const added = ["for=1.2.3.4;proto=https", 'for="1.2.3.4:80";proto=https;host="a\\"b, c"'];
  const nasty = fc.string({ unit: fc.constantFrom('"', "\\", ",", "=", ";", "a", " ", "for") });
  fc.assert(
    fc.property(nasty, fc.constantFrom(...added), (sent, own) => {
      const { address, proto } = parseForwarded(`${sent}, ${own}`, trusted, proxy);
      assert.equal(address, "1.2.3.4");
      assert.equal(proto, "https");
    }),
  );
});

test("X-Forwarded-For: nothing a client sends changes how what the proxy added is read", () => {
  fc.assert(
    fc.property(fc.string(), (sent) => {
      assert.equal(parseForwardedFor(`${sent}, 1.2.3.4`, trusted, proxy), "1.2.3.4");
    }),
  );
});

test("Forwarded: long hostile values take little time", () => {
  const hostile = [
    '"'.repeat(30_000),
    'a="'.repeat(10_000),
    '\\"'.repeat(15_000),
    "for=;".repeat(6000),
  ];
  for (const value of hostile) parseForwarded(value, trusted, proxy);
});
