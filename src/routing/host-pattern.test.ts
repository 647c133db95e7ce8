import assert from "node:assert/strict";
import { test } from "node:test";
import { describeHost, parseHostPattern } from "./host-pattern.ts";

test("host patterns: are brought to the form in which hosts are compared", () => {
  assert.deepEqual(parseHostPattern("API.Example.org."), {
    kind: "exact",
    text: "api.example.org",
  });
  assert.deepEqual(parseHostPattern("*.Example.org"), { kind: "wildcard", text: ".example.org" });
  assert.deepEqual(parseHostPattern("*"), { kind: "any", text: "" });
  assert.deepEqual(parseHostPattern("bücher.example").text, "xn--bcher-kva.example");
  assert.deepEqual(parseHostPattern("127.0.0.1").text, "127.0.0.1");
  assert.deepEqual(parseHostPattern("[2001:DB8:0::1]").text, "[2001:db8::1]");
  assert.deepEqual(parseHostPattern("::1").text, "[::1]");
  assert.deepEqual(parseHostPattern("my_service.internal").text, "my_service.internal");
});

test("host patterns: are described as they are written", () => {
  for (const source of ["api.example.org", "*.example.org", "*"]) {
    assert.equal(describeHost(parseHostPattern(source)), source);
  }
});

test("host patterns: ports, paths and misplaced wildcards are refused with what would be right", () => {
  assert.throws(() => parseHostPattern("x.org:80"), { hint: /write "x\.org"/ });
  for (const source of [
    "",
    "a b",
    "x.org/path",
    "x.*.org",
    "*x.org",
    "**.org",
    "*.",
    "a..b",
    "-a",
  ]) {
    assert.throws(() => parseHostPattern(source), { name: "RoutingError" }, source);
  }
});
