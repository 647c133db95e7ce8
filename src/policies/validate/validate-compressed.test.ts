import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { testGateway } from "../../testing/test-gateway.ts";
import decompress from "../decompress/decompress.ts";
import validate from "./validate.ts";

const use = { validate: { request: { body: { type: "object", required: ["a"] } } } };

async function statusOf(policies: unknown[], body: string): Promise<[number, string]> {
  const document = {
    services: { service: "http://service.test" },
    routes: [{ match: "/*", service: "service", policies }],
  };
  await using gateway = await testGateway(document as never, { policies: [validate, decompress] });
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const response = await gateway.request({ method: "POST", headers, body: gzipSync(body) });
  return [response.status, response.problem?.detail ?? ""];
}

test("validate: a compressed body is checked as what it holds, behind decompress", async () => {
  assert.deepEqual(await statusOf(["decompress", use], '{"a":1}'), [200, ""]);
  assert.deepEqual(await statusOf(["decompress", use], '{"b":1}'), [400, ""]);
});

test("validate: a compressed body that nobody has decompressed is refused, saying so", async () => {
  const [status, detail] = await statusOf([use], '{"a":1}');
  assert.equal(status, 415);
  assert.match(detail, /compressed/);
});
