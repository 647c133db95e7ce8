import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { validate } from "../../config/validate.ts";
import { policies } from "../../policies/index.ts";
import { expression } from "./expression.ts";

const isLoaded = (): boolean => {
  return Object.keys(createRequire(import.meta.url).cache).some((one) => one.includes("@bufbuild"));
};

test("expression value: the library is not loaded before there is an expression", () => {
  const document = {
    services: { users: "http://127.0.0.1:3001" },
    routes: [
      { match: "/a", service: "users", policies: [{ "request-id": {}, when: { path: "/a" } }] },
    ],
  };
  assert.deepEqual(validate(document, policies).findings, []);
  assert.equal(isLoaded(), false);
  const condition = { expression: "request.metod == 'GET'" };
  const uses = [{ "request-id": {}, when: condition }];
  const [finding] = validate({ ...document, policies: uses }, policies).findings;
  assert.deepEqual(finding?.path, ["policies", 0, "when", "expression"]);
  assert.equal(finding.message, 'request has no member "metod", at column 8');
  assert.equal(finding.hint, 'did you mean "method"?');
  assert.equal(isLoaded(), true);
});

test("expression value: the text stays as it is written, and nothing else is taken", () => {
  assert.equal(expression().parse("request.method=='GET'"), "request.method=='GET'");
  for (const value of [true, 5, "", null]) {
    assert.equal(expression().safeParse(value).success, false, String(value));
  }
});
