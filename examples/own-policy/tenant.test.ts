import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { testGateway, testPolicy } from "gateward/testing";
import tenant from "./tenant.ts";

test("tenant: the service is told the first label of the host", async () => {
  await using subject = await testPolicy(tenant, { tenants: ["acme"], header: "X-Shop" });
  const { sent, results } = await subject.request({ headers: { host: "acme.example.com" } });
  assert.equal(sent?.headers["x-shop"], "acme");
  assert.deepEqual(results, { known: 1 });
});

test("tenant: what a client says of itself does not count", async () => {
  await using subject = await testPolicy(tenant, { tenants: ["acme", "globex"] });
  const headers = { host: "acme.example.com", "x-tenant": "globex" };
  const { sent } = await subject.request({ headers });
  assert.equal(sent?.headers["x-tenant"], "acme");
});

test("tenant: another host is refused", async () => {
  await using subject = await testPolicy(tenant, { tenants: ["acme"] });
  for (const host of ["initech.example.com", "example", "acme"]) {
    const { status, problem, sent } = await subject.request({ headers: { host } });
    assert.deepEqual([status, problem?.name, sent], [404, "unknown-tenant", undefined]);
  }
});

test("own policy: the configuration beside it does what it says", async () => {
  const document = readFileSync(new URL("gateward.yaml", import.meta.url), "utf8");
  await using gateway = await testGateway(document, {
    policies: { "./tenant.ts": tenant },
    services: { shop: ({ headers }) => `shop of ${headers["x-tenant"]}` },
  });
  const request = (host: string, path: string) => gateway.request({ path, headers: { host } });
  assert.equal((await request("globex.example.com", "/")).body, "shop of globex");
  assert.equal((await request("nobody.example.com", "/")).problem?.name, "unknown-tenant");
  assert.equal((await request("nobody.example.com", "/healthz")).body, "fine");
  assert.equal((await request("nobody.example.com", "/robots.txt")).status, 200);
  assert.equal(gateway.callsTo("shop").length, 2);
});
