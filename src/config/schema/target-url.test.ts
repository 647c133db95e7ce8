import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../policy/values/refusal.ts";
import { parsePrefix, parseTargetUrl } from "./target-url.ts";

const written: readonly (readonly [string, string, string])[] = [
  ["http://127.0.0.1:3000", "http://127.0.0.1:3000", ""],
  ["http://users", "http://users:80", ""],
  ["HTTPS://Users.Example.com/", "https://users.example.com:443", ""],
  ["http://users:8080/v2/", "http://users:8080", "/v2"],
  ["h2c://users:50051", "h2c://users:50051", ""],
  ["http://[::1]:3000/a/b", "http://[::1]:3000", "/a/b"],
  ["unix:/run/users.sock", "unix:/run/users.sock", ""],
  ["unix:/run/users.sock:/v2", "unix:/run/users.sock", "/v2"],
];

for (const [text, url, path] of written) {
  test(`targets: ${text} is ${url} under ${path || "/"}`, () => {
    const target = parseTargetUrl(text);
    assert.equal(target.url, url);
    assert.equal(target.path, path);
  });
}

test("targets: an IPv6 host has no brackets, a Unix socket no host", () => {
  assert.equal(parseTargetUrl("http://[::1]:3000").host, "::1");
  const { host, port, socketPath } = parseTargetUrl("unix:/run/users.sock");
  assert.deepEqual(
    { host, port, socketPath },
    { host: "", port: 0, socketPath: "/run/users.sock" },
  );
});

const refused: readonly (readonly [string, RegExp, RegExp])[] = [
  ["127.0.0.1:3000", /is not a URL/, /write http:\/\/127\.0\.0\.1:3000/],
  ["users:3000/v1", /is not a URL/, /write http:\/\/users:3000\/v1/],
  ["htp://users", /unknown scheme "htp"/, /did you mean "http"\?/],
  ["http://user:secret@users", /no user name or password/, /before the @/],
  ["http://users?x=1", /no query or fragment/, /drop it/],
  ["http://users#x", /no query or fragment/, /drop it/],
  ["http://", /names no host/, /.*/],
  ["http://users:0", /port 0/, /.*/],
  ["http://users:99999", /is not a port/, /.*/],
  ["http://us ers", /is not a host/, /.*/],
  ["http://users/a b", /characters a path cannot have/, /percent-encode/],
  ["http://users/a/../b", /empty or dot segments/, /.*/],
  ["http://users//a", /empty or dot segments/, /.*/],
];

for (const [text, message, hint] of refused) {
  test(`targets: ${text} is refused with a hint`, () => {
    assert.throws(
      () => parseTargetUrl(text),
      (error: unknown) =>
        error instanceof Refusal && message.test(error.message) && hint.test(error.hint ?? ""),
    );
  });
}

test("prefixes: lose their closing slash and begin with one", () => {
  assert.equal(parsePrefix("/"), "");
  assert.equal(parsePrefix("/v2/"), "/v2");
  assert.throws(
    () => parsePrefix("v2"),
    (error: unknown) => error instanceof Refusal && error.hint === "write /v2",
  );
});
