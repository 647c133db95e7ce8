/** A service's process is killed amid requests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../support/free-port.ts";
import { startGateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { startReportingTarget } from "../support/reporting-target.ts";

const REQUESTS = 360;
const AT_ONCE = 24;
const METHODS = ["GET", "PUT", "POST"] as const;

test("retry: a process that is killed amid requests costs no idempotent one, and no other is sent twice", async (t) => {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const targets = await Promise.all(ports.map((port) => startReportingTarget(port)));
  t.after(() => {
    for (const { child } of targets) child.kill("SIGKILL");
  });
  const gateway = await startGateway(t, {
    services: { s: { targets: targets.map(({ url }) => url), retry: true } },
    routes: [{ match: "/*", service: "s" }],
  });
  let next = 0;
  let lostPosts = 0;
  const client = async (): Promise<void> => {
    while (next < REQUESTS) {
      const number = next++;
      if (number === REQUESTS / 3) targets[0]!.child.kill("SIGKILL");
      const method = METHODS[number % METHODS.length]!;
      const body = method === "GET" ? "" : `order ${number}`;
      const response = await fetch(`${gateway.url}/${number}`, {
        method,
        ...(body !== "" && { body }),
      });
      const answer = await response.text();
      if (method === "POST" && response.status === 502) lostPosts++;
      else assert.equal(answer, `${method} /${number} ${body}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  const posts = targets.flatMap(({ seen }) => seen).filter((one) => one.startsWith("POST"));
  assert.equal(new Set(posts).size, posts.length);
  assert.ok(lostPosts <= AT_ONCE, `${lostPosts} answers of POST are lost`);
  const retried = await metricValue(gateway, "gateward_retries_total", { service: "s" });
  assert.ok(retried > 0 && retried <= 4 * AT_ONCE, `${retried} retries`);
  assert.equal(await metricValue(gateway, "gateward_in_flight_requests"), 0);
});
