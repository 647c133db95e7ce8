/** Requests held against a document, over both protocols, with a gateway that is a process of its own. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService, SeenRequest } from "../support/http-service.ts";

const shared = fileCleanup();

const order = {
  type: "object",
  required: ["sku", "count"],
  properties: {
    sku: { type: "string", pattern: "^[a-z0-9-]+$" },
    count: { type: "integer", minimum: 1 },
  },
  additionalProperties: false,
};

describe("validate", () => {
  let gateway: Gateway;
  let service: HttpService;

  before(async () => {
    service = await startHttpService(shared);
    const request = { query: { properties: { dryRun: { type: "boolean" } } }, body: order };
    gateway = await startGateway(shared, {
      services: { echo: service.url },
      routes: [
        { match: "POST /orders", service: "echo", policies: [{ validate: { request } }] },
        {
          match: "POST /seen",
          service: "echo",
          policies: [{ validate: { request, mode: "report" } }],
        },
        {
          match: "POST /small",
          service: "echo",
          policies: [{ validate: { request: { body: {} }, bodyMax: "1kb" } }],
        },
        {
          match: "POST /answers",
          service: "echo",
          policies: [
            { validate: { response: { body: { required: ["no-such"] } }, responses: true } },
          ],
        },
      ],
    });
  });

  for (const protocol of protocols) {
    const post = (path: string, body: string | string[], type = "application/json") =>
      ask(gateway.port, protocol, {
        method: "POST",
        path,
        body,
        headers: { "content-type": type },
      });

    test(`${protocol}: what fits reaches the service as it was sent, whole or in pieces`, async () => {
      const text = ' {"sku":"a-1","count":2}\n';
      for (const body of [text, [text.slice(0, 5), text.slice(5)]]) {
        const { status, body: seen } = await post("/orders?dryRun=true", body);
        assert.equal(status, 200, seen);
        assert.equal((JSON.parse(seen) as SeenRequest).bodyBytes, text.length);
      }
    });

    test(`${protocol}: what does not fit is answered with everything that is wrong`, async () => {
      const count = service.seen.length;
      const { status, body, headers } = await post(
        "/orders?dryRun=perhaps",
        '{"sku":"A","more":1}',
      );
      assert.equal(status, 400);
      assert.equal(headers["content-type"], "application/problem+json");
      const { errors } = JSON.parse(body) as { errors: Record<string, string>[] };
      assert.deepEqual(
        errors.map((error) => `${error["in"]} ${error["name"] ?? ""}${error["path"]}`),
        ["query dryRun", "body /count", "body /more", "body /sku"],
      );
      assert.equal(service.seen.length, count);
    });

    test(`${protocol}: another type, a broken body and one that is too long are told apart`, async () => {
      assert.equal((await post("/orders", "{}", "text/plain")).status, 415);
      assert.equal((await post("/orders", "{")).status, 400);
      assert.equal((await post("/small", JSON.stringify("x".repeat(2000)))).status, 413);
    });

    test(`${protocol}: in report mode everything passes, and is counted`, async () => {
      const { status } = await post("/seen", ["{", "}"]);
      assert.equal(status, 200);
    });

    test(`${protocol}: a service that does not answer as described is a bad gateway`, async () => {
      const { status, body } = await post("/answers", "{}");
      assert.equal(status, 502);
      assert.match(body, /problems\/response-invalid"/);
    });
  }
});
