import assert from "node:assert/strict";
import { test } from "node:test";
import { validateDocument } from "./validate-document.ts";

const document = (...policies: unknown[]) => ({
  consumers: { mobile: { keys: ["for-trying-out-0123456789abcdef"] } },
  services: { one: "http://127.0.0.1:3001" },
  routes: [{ match: "/*", service: "one", policies }],
});

test("validate document: policies that it does not name are not loaded", async () => {
  const { config, policies } = await validateDocument(
    document("request-id", { "any-of": ["api-key", "anonymous"] }),
  );
  assert.notEqual(config, undefined);
  assert.deepEqual(Object.keys(policies), ["api-key", "request-id"]);
});

test("validate document: messages about mistakes know the others", async () => {
  const { config, findings } = await validateDocument(document("request-id", "compres"));
  assert.equal(config, undefined);
  assert.match(findings[0]!.message, /no policy named "compres"/);
  assert.match(findings[0]!.hint!, /compress/);
});

test("validate document: a mistake elsewhere does not load them", async () => {
  const { findings, policies } = await validateDocument({ ...document("request-id"), workers: 0 });
  assert.deepEqual([findings.length, Object.keys(policies)], [1, ["request-id"]]);
});

test("validate document: policies of the user's stand beside them", async () => {
  const { policies } = await validateDocument(document("request-id"), {
    "./own.ts": {} as never,
  });
  assert.deepEqual(Object.keys(policies), ["request-id", "./own.ts"]);
});
