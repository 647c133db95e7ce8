import assert from "node:assert/strict";
import { test } from "node:test";
import { defineGateway } from "./define-gateway.ts";
import type { GatewayConfig, PolicyOptions } from "./gateway-config.ts";
import type requestId from "../policies/request-id/request-id.ts";

test("documents in TypeScript: what is written in lists of policies has types", () => {
  const service = "http://127.0.0.1:3001";
  const document = defineGateway({
    services: { plain: service, long: { targets: [service], policies: ["request-id"] } },
    policies: [
      "request-id",
      { "request-id": { header: "x-id" }, when: "GET /a" },
      { "request-id": null, unless: { path: "/b" } },
      { "./mine.ts": { anything: true } },
      "./mine.ts",
      "@acme/gateward-geo",
      { "gateward-geo": {} },
    ],
    routes: [
      {
        match: "/a",
        service: "long",
        policies: [{ "request-id": { response: false } satisfies PolicyOptions<typeof requestId> }],
      },
    ],
  });
  assert.equal(document.policies?.length, 7);

  const wrong: GatewayConfig[] = [
    // @ts-expect-error there is no such policy
    { policies: ["requestid"] },
    // @ts-expect-error there is no such option
    { policies: [{ "request-id": { heder: "x" } }] },
    // @ts-expect-error of another type
    { services: { a: { targets: [], policies: [{ "request-id": { response: "perhaps" } }] } } },
    // @ts-expect-error services have no such key
    { services: { a: { targets: [], policys: [] } } },
  ];
  assert.equal(wrong.length, 4);
});
