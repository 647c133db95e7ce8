/** Active health checks of a real gateway with two workers: who gets requests, and what is told of it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ServiceStatus, TargetStatus } from "../../src/runtime/service-status.ts";
import { testCertificates } from "../support/certificates.ts";
import { startFakeGrpcHealth } from "../support/fake-grpc-health.ts";
import { freePort } from "../support/free-port.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type HttpService, type SeenRequest, startHttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { requires } from "../support/requires.ts";
import { until } from "../support/until.ts";

const quick = { interval: "500ms" };

async function targetsOf(gateway: Gateway, name: string): Promise<TargetStatus[]> {
  const response = await fetch(`${gateway.adminUrl}/services`);
  const { services } = (await response.json()) as { services: ServiceStatus[] };
  return services.find((each) => each.name === name)!.targets;
}

async function healthOf(gateway: Gateway, name: string): Promise<string[]> {
  return (await targetsOf(gateway, name)).map(({ health }) => health);
}

/** Which services answer so many requests. */
async function answering(gateway: Gateway, count = 20): Promise<string[]> {
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    // A connection each: the kernel spreads them over both workers.
    const response = await fetch(`${gateway.url}/users`, { headers: { connection: "close" } });
    const seen = (await response.json()) as SeenRequest;
    names.add(seen.service);
  }
  return [...names].toSorted();
}

test("health checks: traffic leaves a target that answers 500 on its health path, and comes back", async (t) => {
  let isIll = false;
  const service = (name: string): Promise<HttpService> =>
    startHttpService(t, {
      name,
      answer: (request, response, seen) => {
        if (isIll && request.url === "/healthz" && name === "a") response.statusCode = 500;
        response.end(JSON.stringify(seen));
      },
    });
  const [a, b] = await Promise.all([service("a"), service("b")]);
  const users = {
    targets: [a.url, b.url],
    health: { path: "/healthz", unhealthy: 2, ...quick },
  };
  const routes = [{ match: "/*", service: "users" }];
  const log = { level: "info" };
  const gateway = await startGateway(t, { workers: 2, log, services: { users }, routes });
  await until(async () => (await healthOf(gateway, "users")).join() === "up,up");
  assert.deepEqual(await answering(gateway), ["a", "b"]);

  isIll = true;
  await until(async () => (await healthOf(gateway, "users")).join() === "down,up");
  assert.deepEqual(await answering(gateway), ["b"]);
  const [down] = await targetsOf(gateway, "users");
  assert.equal(down!.lastError!.reason, "status 500");
  const labels = { service: "users", target: a.url };
  assert.equal(await metricValue(gateway, "gateward_target_healthy", labels), 0);
  const unexpected = { ...labels, result: "unexpected" };
  assert.ok((await metricValue(gateway, "gateward_health_checks_total", unexpected)) >= 2);
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);

  // Nothing of this is about checks, so the target stays down.
  const weighted = { ...users, targets: [{ url: a.url, weight: 5 }, b.url] };
  assert.equal(await gateway.reload({ services: { users: weighted } }), "applied");
  assert.deepEqual(await healthOf(gateway, "users"), ["down", "up"]);
  assert.deepEqual(await answering(gateway), ["b"]);

  isIll = false;
  await until(async () => (await healthOf(gateway, "users")).join() === "up,up");
  await until(async () => (await answering(gateway)).join() === "a,b");
  assert.match(gateway.output, /"reason":"status 500","msg":"target is down"/);
  assert.equal(gateway.output.match(/target is down/g)!.length, 1);
  assert.match(gateway.output, /target is up/);

  const { health: _, ...unchecked } = users;
  assert.equal(await gateway.reload({ services: { users: unchecked } }), "applied");
  assert.deepEqual(await healthOf(gateway, "users"), ["unchecked", "unchecked"]);
  assert.deepEqual(await answering(gateway), ["a", "b"]);
});

test(
  "health checks: each kind reaches its targets in a real gateway",
  { skip: requires("openssl") },
  async (t) => {
    const { localhostRsa, ca } = testCertificates();
    const folder = mkdtempSync(join(tmpdir(), "gateward-health-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const tls = { cert: localhostRsa.cert, key: localhostRsa.key };
    const path = join(folder, "service.sock");
    const [plain, secure, secure2, http2] = await Promise.all([
      startHttpService(t),
      startHttpService(t, { tls }),
      startHttpService(t, { tls, http2: true }),
      startHttpService(t, { http2: true }),
      startHttpService(t, { path }),
    ]);
    const grpc = await startFakeGrpcHealth(t);
    grpc.statuses.set("shop", 1);
    const trusting = { ca: ca.certFile };
    const once = { interval: "1s", healthy: 1, unhealthy: 1 };
    const named = (url: string): string => url.replace("127.0.0.1", "localhost");
    const services = {
      // Its traffic goes elsewhere than its checks.
      port: {
        targets: [`http://127.0.0.1:${await freePort()}`],
        health: { path: "/", port: plain.port, ...once },
      },
      secure: { targets: [named(secure.url)], tls: trusting, health: { path: "/", ...once } },
      secure2: {
        targets: [named(secure2.url)],
        tls: trusting,
        http2: true,
        health: { path: "/", ...once },
      },
      distrusting: { targets: [named(secure.url)], health: { path: "/", ...once } },
      h2c: { targets: [`h2c://127.0.0.1:${http2.port}`], health: { path: "/", ...once } },
      socket: { targets: [`unix:${path}`], health: { path: "/", ...once } },
      tcp: { targets: [plain.url], health: { protocol: "tcp", ...once } },
      grpc: {
        targets: [`h2c://127.0.0.1:${grpc.port}`],
        health: { protocol: "grpc", service: "shop", ...once },
      },
      nobody: {
        targets: [`http://127.0.0.1:${await freePort()}`],
        health: { path: "/", ...once },
      },
      bodied: {
        targets: [plain.url],
        health: { path: "/", body: { regex: '.*"url":"/".*' }, ...once },
      },
      wordless: { targets: [plain.url], health: { path: "/", body: "no such words", ...once } },
    };
    const routes = Object.keys(services).map((service) => ({ match: `/${service}`, service }));
    const gateway = await startGateway(t, { log: { level: "error" }, services, routes });
    const wanted: Record<string, string> = {
      ...Object.fromEntries(Object.keys(services).map((name) => [name, "up"])),
      distrusting: "down",
      nobody: "down",
      wordless: "down",
    };
    for (const [name, health] of Object.entries(wanted)) {
      await until(async () => (await healthOf(gateway, name))[0] === health).catch(async () => {
        const [target] = await targetsOf(gateway, name);
        assert.fail(`${name} is not ${health}: ${JSON.stringify(target)}`);
      });
    }
  },
);
