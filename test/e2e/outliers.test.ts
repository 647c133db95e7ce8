/** A target that answers 500, over two workers that count together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();

test("outliers: clients see few of a target's bad answers, and it serves again once it is well", async () => {
  let isBad = true;
  let asked = 0;
  const bad = await startHttpService(shared, {
    answer: (_request, response) => {
      asked += 1;
      response.statusCode = isBad ? 500 : 200;
      response.end();
    },
  });
  const good = await startHttpService(shared, {});
  const gateway = await startGateway(shared, {
    workers: 2,
    services: {
      users: {
        targets: [bad.url, good.url],
        retry: false,
        outliers: { ejection: { base: "5s" } },
      },
    },
    routes: [{ match: "/*", service: "users" }],
  });
  let failed = 0;
  for (let i = 0; i < 30; i++) {
    // Each on a connection of its own, so that both workers have some.
    const response = await fetch(gateway.url, { headers: { connection: "close" } });
    await response.arrayBuffer();
    if (response.status === 500) failed += 1;
  }
  assert.equal(failed, 5);
  const target = { service: "users", target: bad.url };
  assert.equal(await metricValue(gateway, "gateward_target_ejections_total", target), 1);
  await until(async () => (await metricValue(gateway, "gateward_target_ejected", target)) === 1);
  isBad = false;
  await until(async () => (await metricValue(gateway, "gateward_target_ejected", target)) === 0);
  for (let i = 0; i < 10; i++) await (await fetch(gateway.url)).arrayBuffer();
  assert.ok(asked > 5);
});

test("outliers: a health check that passes ends an ejection, unless the configuration says that it does not", async () => {
  const bad = await startHttpService(shared, {
    answer: (request, response) => {
      response.statusCode = request.url === "/healthz" ? 200 : 500;
      response.end();
    },
  });
  const service = (ejection: object) => ({
    targets: [bad.url],
    retry: false,
    health: { path: "/healthz", interval: "1s" },
    outliers: { ejection },
  });
  const gateway = await startGateway(shared, {
    log: { level: "info" },
    services: { trusting: service({}), wary: service({ endsWhenHealthy: false }) },
    routes: ["trusting", "wary"].map((name) => ({ match: `/${name}`, service: name })),
  });
  for (const name of ["trusting", "wary"]) {
    for (let i = 0; i < 5; i++) await (await fetch(`${gateway.url}/${name}`)).arrayBuffer();
  }
  const checks = { service: "wary", result: "passed" };
  const passed = () => metricValue(gateway, "gateward_health_checks_total", checks);
  const before = await passed();
  await until(async () => (await passed()) >= before + 2);
  await until(() => gateway.output.includes("target returned"));
  const ended = gateway.output.split("\n").filter((line) => line.includes("target returned"));
  assert.ok(ended.every((line) => line.includes('"trusting"')));
  const ejected = (name: string) =>
    metricValue(gateway, "gateward_target_ejected", { service: name });
  await until(async () => (await ejected("trusting")) === 0);
  assert.equal(await ejected("wary"), 1);
});
