/** How exact limits are in the time of the machine, and whom a wait for a connection is held against. */
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { fileCleanup, type Cleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();

/** Takes connections and says nothing: no TLS is ever there. */
async function startSilence(cleanup: Cleanup): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  cleanup.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

async function faultOf(url: string): Promise<string> {
  const response = await fetch(url);
  const { type } = (await response.json()) as { type: string };
  return `${response.status} ${/[^/#]*$/.exec(type)![0]}`;
}

function resultsOf(gateway: Gateway, service: string) {
  return async (result: string): Promise<number> =>
    await metricValue(gateway, "gateward_upstream_requests_total", { service, result });
}

test("time limits: perTry and total are never early, and late by a few milliseconds only", async () => {
  const service = await startHttpService(shared, { answer: () => {} });
  const targets = [service.url];
  const gateway = await startGateway(shared, {
    services: {
      tried: { targets, retry: { on: ["timeout"], perTry: "70ms" } },
      bounded: { targets, timeout: { total: "70ms" } },
    },
    routes: ["tried", "bounded"].map((name) => ({ match: `/${name}`, service: name })),
  });
  for (const [name, fault] of [
    ["tried", "504 response-timeout"],
    ["bounded", "504 total-timeout"],
  ]) {
    let soonestMs = Infinity;
    for (let i = 0; i < 12; i++) {
      const startedAt = performance.now();
      assert.equal(await faultOf(`${gateway.url}/${name}`), fault);
      soonestMs = Math.min(soonestMs, performance.now() - startedAt);
    }
    // The machine may be busy at any of them, but not at all.
    assert.ok(soonestMs >= 70 && soonestMs < 120, `${name}: ${soonestMs} ms`);
  }
});

test("time limits: a wait for a connection of the gateway's own is not held against the target", async () => {
  let held: (() => void) | undefined;
  const service = await startHttpService(shared, {
    answer: (request, response) => {
      if (request.url === "/held") held = () => void response.end("at last");
      else response.end("fine");
    },
  });
  const gateway = await startGateway(shared, {
    services: {
      s: {
        targets: [service.url],
        connections: { max: 1 },
        retry: { on: ["timeout"], perTry: "50ms" },
        outliers: { consecutiveLocal: 2, consecutive5xx: 2 },
      },
    },
    routes: [
      { match: "/*", service: "s" },
      { match: "/held", service: "s", retry: false },
    ],
  });
  const results = resultsOf(gateway, "s");
  const first = fetch(`${gateway.url}/held`);
  await until(() => held !== undefined);
  for (let i = 0; i < 4; i++) assert.equal(await faultOf(gateway.url), "503 queue-timeout");
  assert.deepEqual([await results("full"), await results("timeout")], [4, 0]);
  const ejections = "gateward_target_ejections_total";
  assert.equal(await metricValue(gateway, ejections, { service: "s" }), 0);
  held!();
  assert.equal(await (await first).text(), "at last");
  assert.equal(await (await fetch(gateway.url)).text(), "fine");
});

test("time limits: a target that lets nobody connect in time has failed", async () => {
  const port = await startSilence(shared);
  for (const http2 of [false, true]) {
    const gateway = await startGateway(shared, {
      services: {
        s: {
          targets: [`https://127.0.0.1:${port}`],
          http2,
          retry: { on: ["timeout"], perTry: "50ms" },
          outliers: { consecutiveLocal: 2 },
        },
      },
      routes: [{ match: "/*", service: "s" }],
    });
    const results = resultsOf(gateway, "s");
    for (let i = 0; i < 2; i++) assert.equal(await faultOf(gateway.url), "503 queue-timeout");
    assert.deepEqual([await results("full"), await results("timeout")], [0, 2]);
    const ejections = "gateward_target_ejections_total";
    await until(async () => (await metricValue(gateway, ejections, { service: "s" })) === 1);
  }
});
