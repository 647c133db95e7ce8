import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "./cidr.ts";
import { Refusal } from "./refusal.ts";

const written: readonly (readonly [string, string])[] = [
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["192.168.1.7", "192.168.1.7/32"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["::1", "::1/128"],
  ["fd00::/8", "fd00::/8"],
  ["2001:db8::/32", "2001:db8::/32"],
  ["::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104"],
];

for (const [text, range] of written) {
  test(`address ranges: ${text} is ${range}`, () => {
    assert.equal(parseCidr(text), range);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ["10.0.0.0/33", /0 to 32/],
  ["10.0.0.0/", /0 to 32/],
  ["10.0.0.0/8x", /0 to 32/],
  ["::/129", /0 to 128/],
  ["10.0.0", /an address range like/],
  ["10.0.0.256", /an address range like/],
  ["fe80::1%eth0", /an address range like/],
  ["example.com", /an address range like/],
  ["10.1.2.3/8", /write 10\.0\.0\.0\/8, or 10\.1\.2\.3 for the one address/],
  ["2001:db8::1/32", /write 2001:db8::\/32, or 2001:db8::1/],
  ["::ffff:10.0.0.1/104", /write ::ffff:a00:0\/104/],
];

for (const [text, hint] of refused) {
  test(`address ranges: ${text} is refused with a hint`, () => {
    assert.throws(
      () => parseCidr(text),
      (error: unknown) => error instanceof Refusal && hint.test(error.hint ?? ""),
    );
  });
}
