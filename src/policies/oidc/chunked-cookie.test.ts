import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkedCookie } from "./chunked-cookie.ts";
import { withoutCookies } from "./read-cookies.ts";

const name = "__Host-s";
const plain = { name, path: "/", domain: "", sameSite: "lax", isSecure: true } as const;
const cookie = new ChunkedCookie(plain);
const attributes = "; Path=/; HttpOnly; SameSite=Lax; Secure";

/** The Cookie header of a browser that has taken these. */
function headerOf(lines: readonly string[]): string {
  return lines.map((line) => line.split(";", 1)[0]).join("; ");
}

test("chunked cookie: what fits is one cookie, with all its flags", () => {
  assert.deepEqual(cookie.write("abc", ""), [`${name}=1.abc${attributes}`]);
  assert.equal(cookie.read(`a=1; ${name}=1.abc; b=2`), "abc");
  assert.deepEqual(cookie.write("abc", "", 60), [`${name}=1.abc${attributes}; Max-Age=60`]);
  const wide = new ChunkedCookie({ ...plain, path: "/app", domain: "a.example", sameSite: "none" });
  const expected = "; Path=/app; Domain=a.example; HttpOnly; SameSite=None; Secure";
  assert.deepEqual(wide.write("x", ""), [`${name}=1.x${expected}`]);
});

test("chunked cookie: what is longer becomes several that browsers take, in any order", () => {
  for (const length of [0, 1, 4083, 4084, 4085, 8168, 8169, 12_000, 16_336]) {
    const value = "0123456789".repeat(2000).slice(0, length);
    const lines = cookie.write(value, "")!;
    for (const line of lines) assert.ok(headerOf([line]).length <= 4097, `${length}`);
    assert.equal(cookie.read(headerOf(lines)), value);
    assert.equal(cookie.read(headerOf(lines.toReversed())), value);
  }
  assert.equal(cookie.write("x".repeat(16_337), ""), null);
});

test("chunked cookie: parts of a longer one go away", () => {
  const long = headerOf(cookie.write("x".repeat(9000), "")!);
  const lines = cookie.write("short", `${long}; ${name}.9=kept; other=1`)!;
  assert.deepEqual(lines, [
    `${name}=1.short${attributes}`,
    `${name}.1=${attributes}; Max-Age=0`,
    `${name}.2=${attributes}; Max-Age=0`,
  ]);
  assert.equal(cookie.clear(long).length, 3);
  assert.deepEqual(cookie.clear("other=1"), []);
});

test("chunked cookie: a missing part, or a wrong number of them, is no value", () => {
  const [first = "", second = ""] = cookie
    .write("x".repeat(5000), "")!
    .map((one) => headerOf([one]));
  assert.equal(cookie.read(first), null);
  assert.equal(cookie.read(second), null);
  for (const value of ["", "1", "x", "0.x", "5.x", "9.x", ".x", "-1.x", "11.x"]) {
    assert.equal(cookie.read(`${name}=${value}; ${second}`), null, value);
  }
});

test("chunked cookie: of two with one name the first counts, as it does for services", () => {
  assert.equal(cookie.read(`${name}=1.mine; ${name}=1.planted`), "mine");
});

test("own cookies: services get the others, as they were", () => {
  const owns = (one: string): boolean => cookie.owns(one);
  assert.equal(withoutCookies("a=1; b=2", owns), "a=1; b=2");
  assert.equal(withoutCookies(`a=1;${name}=2.x; ${name}.1=y;b=2`, owns), "a=1;b=2");
  assert.equal(withoutCookies(`${name}=1.x; b="2=3"`, owns), 'b="2=3"');
  assert.equal(withoutCookies(`${name}=1.x`, owns), "");
  assert.equal(withoutCookies(name, owns), "");
  assert.equal(
    withoutCookies(`${name}x=1; x${name}=2; ${name}.=3`, owns),
    `${name}x=1; x${name}=2; ${name}.=3`,
  );
});
