/** Outlier detection through a whole data plane: what a client sees, what metrics and log say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testGateway, type TestGateway } from "../testing/test-gateway.ts";

const targets = [1, 2, 3, 4, 5].map((number) => `http://10.0.0.${number}:80`);

function document(outliers: unknown, more: object = {}) {
  return {
    services: { users: { targets, outliers, retry: false, ...more } },
    routes: [{ name: "users", match: "/*", service: "users" }],
  } as never;
}

async function rush(gateway: TestGateway, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await gateway.request()).status);
  return statuses;
}

function metric(gateway: TestGateway, name: string, target: string): number {
  return gateway.metric(name, { service: "users", target });
}

/** Since the last look. */
function logged(gateway: TestGateway): unknown[][] {
  return gateway.log.splice(0).map(({ message, target, reason }) => [message, target, reason]);
}

test("outliers: a target that answers 500 five times is left out, and comes back by itself", async () => {
  let isBad = true;
  await using gateway = await testGateway(document(true), {
    services: {
      users: ({ targetUrl }) => (isBad && targetUrl.includes("0.1:") ? { status: 500 } : "ok"),
    },
  });
  const first = await rush(gateway, 200);
  assert.equal(first.filter((status) => status === 500).length, 5);
  gateway.clock.advance("2s");
  assert.equal(metric(gateway, "gateward_target_ejected", "http://10.0.0.1:80"), 1);
  assert.equal(metric(gateway, "gateward_target_ejections_total", "http://10.0.0.1:80"), 1);
  const entry = ["http://10.0.0.1:80", "consecutive_5xx"];
  assert.deepEqual(logged(gateway), [["target ejected", ...entry]]);
  isBad = false;
  gateway.clock.advance("27s");
  const before = gateway.calls.length;
  await rush(gateway, 50);
  const urls = gateway.calls.slice(before).map(({ targetUrl }) => targetUrl);
  assert.ok(!urls.includes("http://10.0.0.1:80"));
  gateway.clock.advance("2s");
  await rush(gateway, 50);
  assert.ok(
    gateway.calls.slice(before).some(({ targetUrl }) => targetUrl === "http://10.0.0.1:80"),
  );
  assert.deepEqual(logged(gateway), [["target returned", ...entry]]);
  assert.equal(metric(gateway, "gateward_target_ejected", "http://10.0.0.1:80"), 0);
});

test("outliers: a low success rate is found at the end of an interval", async () => {
  let turn = 0;
  const outliers = { consecutive5xx: "none", consecutiveGateway: "none", successRate: true };
  await using gateway = await testGateway(document(outliers), {
    services: {
      users: ({ targetUrl }) =>
        targetUrl.includes("0.3:") && turn++ % 2 === 0 ? { status: 500 } : "ok",
    },
  });
  await rush(gateway, 600);
  assert.deepEqual(logged(gateway), []);
  gateway.clock.advance("11s");
  assert.deepEqual(logged(gateway), [["target ejected", "http://10.0.0.3:80", "success_rate"]]);
  const statuses = await rush(gateway, 100);
  assert.ok(statuses.every((status) => status === 200));
});

test("outliers: who takes far longer than the others is left out", async () => {
  const outliers = { slow: { least: "200ms", requests: 5 } };
  await using gateway = await testGateway(document(outliers, { balance: "round-robin" }), {
    services: {
      users: async ({ targetUrl }) => {
        if (targetUrl.includes("0.4:")) gateway.clock.advance(300);
        return "ok";
      },
    },
  });
  await rush(gateway, 60);
  gateway.clock.advance("11s");
  assert.deepEqual(logged(gateway), [["target ejected", "http://10.0.0.4:80", "slow"]]);
  assert.equal(metric(gateway, "gateward_target_ejected", "http://10.0.0.4:80"), 1);
});

test("outliers: a reload keeps who is ejected, one without the option lets all back", async () => {
  await using gateway = await testGateway(document(true), {
    services: { users: ({ targetUrl }) => (targetUrl.includes("0.1:") ? { status: 500 } : "ok") },
  });
  await rush(gateway, 100);
  await gateway.reload(document({ interval: "20s" }));
  assert.ok((await rush(gateway, 50)).every((status) => status === 200));
  await gateway.reload(document(false));
  assert.ok((await rush(gateway, 50)).includes(500));
});
