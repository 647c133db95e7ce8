/**
 * What watching over a service adds to a proxied request while nothing fails. A number here is raised only with
 * its reason.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import v8 from "node:v8";
import { bytesPerRun } from "./measure.ts";
import { createMemoryGateway, type MemoryGateway } from "./proxied-request.ts";

const request = Buffer.from(
  "GET /api/v1/users/123 HTTP/1.1\r\nHost: api.example.com\r\nAccept: */*\r\n\r\n",
);
const response = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
);
const target = "http://127.0.0.1:1";

/** Options of the service, and bytes beyond a plain request: measured 0 to 16 for each, 33 for all, and some room. */
const sets: [string, object, number][] = [
  ["breaker", { breaker: true }, 40],
  ["breaker of each target", { breaker: { per: "target" } }, 40],
  ["outliers", { outliers: { failures: true, slow: true } }, 40],
  ["bulkheads", { connections: { inFlight: 1000, inFlightPerTarget: 500 } }, 40],
  [
    "all of them, and health checks",
    {
      breaker: true,
      outliers: { failures: true, slow: true },
      health: "/healthz",
      slowStart: "30s",
      connections: { inFlight: 1000, inFlightPerTarget: 500 },
    },
    80,
  ],
];

function gatewayWith(options: object): Promise<MemoryGateway> {
  return createMemoryGateway({
    services: { users: { targets: [target], ...options } },
    routes: [{ match: "GET /api/v1/users/:id", service: "users" }],
  });
}

for (const [label, options, budget] of sets) {
  test(`${label}: makes no promise, and allocates next to nothing`, async () => {
    const bare = await gatewayWith({});
    const gateway = await gatewayWith(options);
    assert.match(gateway.exchange(request, response), /^HTTP\/1\.1 200 /);
    const bytes =
      bytesPerRun(() => gateway.exchange(request, response)) -
      bytesPerRun(() => bare.exchange(request, response));
    assert.ok(bytes < budget, `${bytes.toFixed(0)} bytes a request, ${budget} allowed`);
    let promises = 0;
    const stop = v8.promiseHooks.onInit(() => promises++);
    for (let count = 0; count < 100; count++) gateway.exchange(request, response);
    stop();
    assert.equal(promises, 0);
  });
}
