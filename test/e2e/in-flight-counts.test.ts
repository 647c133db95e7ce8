import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { startRawServer } from "../support/raw-server.ts";

test("least-requests: a target that breaks every answer is not preferred for it", async (t) => {
  const broken = await startRawServer(t, async (connection) => {
    await connection.readRequest();
    await connection.send("no status line\r\n\r\n");
  });
  const good = await startHttpService(t);
  const gateway = await startGateway(t, {
    services: { mixed: { targets: [broken.url, good.url], balance: "least-requests" } },
    routes: [{ match: "GET /", service: "mixed" }],
  });
  const statuses = { good: 0, bad: 0 };
  for (let count = 0; count < 40; count++) {
    const { status } = await fetch(gateway.url);
    if (status === 200) statuses.good++;
    else statuses.bad++;
  }
  // Each try counts itself in and out once: at rest both stand at nought and take turns by chance.
  assert.ok(statuses.good >= 8, `${statuses.good} of 40 went to the good target`);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const tries = [...metrics.matchAll(/^gateward_upstream_requests_total\{.*\} (\d+)$/gm)];
  assert.equal(
    tries.reduce((sum, [, count]) => sum + Number(count), 0),
    40,
  );
});
