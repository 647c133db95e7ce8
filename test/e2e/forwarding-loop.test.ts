/** A target that leads back to the gateway: the request comes round until it is told apart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemTypeBase } from "../../src/base/faults.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway } from "../support/gateway.ts";

test("loop: a target that is the gateway itself is answered 508, and the gateway serves on", async (t) => {
  const port = await freePort();
  const gateway = await startGateway(t, {
    listen: { host: "127.0.0.1", port },
    services: { self: `http://127.0.0.1:${port}` },
    routes: [
      { match: "/*", service: "self" },
      { match: "/hello", respond: { body: "hello" } },
    ],
  });
  for (const init of [{}, { method: "POST", body: "x".repeat(10_000) }]) {
    const response = await fetch(`${gateway.url}/round`, init);
    assert.equal(response.status, 508);
    const { type } = (await response.json()) as { type: string };
    assert.equal(type, `${problemTypeBase}loop-detected`);
  }
  const hello = await fetch(`${gateway.url}/hello`);
  assert.equal(await hello.text(), "hello");
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  assert.match(metrics, /^gateward_faults_total\{.*loop-detected.*\} 2$/m);
});
