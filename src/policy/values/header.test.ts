import assert from "node:assert/strict";
import { test } from "node:test";
import { headerToSet, headerValue, parseHeaderName, parseHeaderToSet } from "./header.ts";
import { Refusal } from "./refusal.ts";

test("header name: any token will do, and comes out in lower case", () => {
  assert.equal(parseHeaderName("X-Request-Id"), "x-request-id");
  assert.equal(parseHeaderName("a!#$%&'*+.^_`|~9"), "a!#$%&'*+.^_`|~9");
  for (const written of ["", "x y", "x:", "x\r\ny", "é", "(x)"]) {
    assert.throws(() => parseHeaderName(written), Refusal, written);
  }
});

test("header to set: what frames a message or names its host is the gateway's own", () => {
  assert.equal(parseHeaderToSet("X-Id"), "x-id");
  for (const written of ["Content-Length", "transfer-encoding", "Connection", "Host", "TE"]) {
    assert.throws(() => parseHeaderToSet(written), /cannot be set/, written);
  }
  assert.equal(headerToSet().safeParse("Upgrade").success, false);
});

test("header value: nothing that could end the line", () => {
  for (const written of ["x", "a b\tc", "1, 2", "\xe9"]) {
    assert.equal(headerValue().parse(written), written);
  }
  for (const written of ["a\nb", "a\rb", " a", "a ", "a\0", "€"]) {
    assert.equal(headerValue().safeParse(written).success, false, JSON.stringify(written));
  }
});
