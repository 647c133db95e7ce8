/** Retries and hedges over real connections: services that are reset amid a request, or say nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { rawConnect } from "../support/raw-client.ts";
import { metricValue } from "../support/metric-value.ts";
import { plainResponse, type RawScript } from "../support/raw-server.ts";
import { startScriptedService, type ScriptedService } from "../support/scripted-service.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();

describe("retries over connections", () => {
  let gateway: Gateway;
  const services: ScriptedService[] = [];

  before(async () => {
    services.push(await startScriptedService(shared), await startScriptedService(shared));
    const targets = services.map(({ url }) => url);
    gateway = await startGateway(shared, {
      log: {
        level: "warn",
        access: {
          file: "access.log",
          fields: ["path", "retried", "retryForgone", "hedge", "attempts"],
        },
      },
      services: {
        tries: {
          targets,
          retry: { on: ["timeout"], perTry: "600ms" },
          timeout: { total: "1.1s" },
        },
        again: { targets, retry: true },
        hedged: { targets, hedge: "50ms" },
      },
      routes: [
        { match: "/*", service: "again" },
        { match: "/hedged", service: "hedged" },
        { match: "/tries", service: "tries" },
      ],
    });
  });

  const url = (path: string): string => `http://127.0.0.1:${gateway.port}${path}`;

  const heard = (): number =>
    services.reduce((sum, { connections }) => sum + connections.length, 0);
  const clear = async (): Promise<void> => {
    for (const service of services) await service.clear();
  };
  const busy = (seconds: number): RawScript => {
    const head = `HTTP/1.1 503 Busy\r\nRetry-After: ${seconds}\r\nContent-Length: 4\r\n\r\n`;
    return (connection) => connection.send(`${head}busy`);
  };

  /** The first request of all does that, the others are answered. */
  const firstThen = (first: RawScript): void => {
    let isFirst = true;
    for (const service of services) {
      service.script = async (connection, index) => {
        const { startLine } = await connection.readRequest();
        const mine = isFirst;
        isFirst = false;
        if (mine) await first(connection, index);
        else await connection.send(plainResponse(`again ${startLine}`));
      };
    }
  };

  test("retry: a service that dies amid a request is passed over, but not for a POST", async () => {
    firstThen((connection) => connection.reset());
    const response = await fetch(url("/a"));
    assert.deepEqual([response.status, await response.text()], [200, "again GET /a HTTP/1.1"]);
    for (const service of services) await service.clear();
    firstThen((connection) => connection.reset());
    const posted = await fetch(url("/b"), { method: "POST", body: "order" });
    assert.equal(posted.status, 502);
    await posted.text();
    for (const service of services) await service.clear();
    const labels = { service: "again", reason: "reset" };
    assert.equal(await metricValue(gateway, "gateward_retries_total", labels), 1);
  });

  test("hedge: a service that says nothing is overtaken by the other", async () => {
    firstThen(() => {});
    const response = await fetch(url("/hedged"));
    assert.equal(await response.text(), "again GET /hedged HTTP/1.1");
    const labels = { service: "hedged", result: "won" };
    assert.equal(await metricValue(gateway, "gateward_hedges_total", labels), 1);
    assert.equal(await metricValue(gateway, "gateward_in_flight_requests"), 0);
    for (const service of services) await service.clear();
  });

  test("retry: Retry-After is waited for, and passed on where it is too long", async () => {
    firstThen(busy(1));
    const startedAt = performance.now();
    const response = await fetch(url("/later"));
    assert.equal(await response.text(), "again GET /later HTTP/1.1");
    assert.ok(performance.now() - startedAt >= 1000);
    await clear();
    firstThen(busy(60));
    const passedOn = await fetch(url("/much-later"));
    assert.deepEqual(
      [passedOn.status, passedOn.headers.get("retry-after"), await passedOn.text()],
      [503, "60", "busy"],
    );
    await clear();
  });

  test("retry: a client that leaves while it is waited ends it, and nothing is sent again", async (t) => {
    firstThen(busy(1));
    const labels = { service: "again", result: "server_error" };
    const failed = (): Promise<number> =>
      metricValue(gateway, "gateward_upstream_requests_total", labels);
    const failedBefore = await failed();
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /left HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(async () => (await failed()) > failedBefore);
    client.reset();
    await until(async () => (await metricValue(gateway, "gateward_in_flight_requests")) === 0);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.equal(heard(), 1);
    await clear();
  });

  test("retry: perTry leaves a service that says nothing, and the total ends all tries", async () => {
    firstThen(() => {});
    const response = await fetch(url("/tries"));
    assert.equal(await response.text(), "again GET /tries HTTP/1.1");
    await clear();
    for (const service of services) service.script = () => {};
    const startedAt = performance.now();
    const late = await fetch(url("/tries"));
    const { type } = (await late.json()) as { type: string };
    assert.deepEqual([late.status, /[^/#]*$/.exec(type)![0]], [504, "total-timeout"]);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= 1000 && tookMs < 5000, `${tookMs} ms`);
    await clear();
  });

  test("retry: a body larger than what is kept streams to the service, once", async () => {
    const size = 300_000;
    firstThen((connection) => connection.reset());
    const request = { method: "PUT", body: Buffer.alloc(size, 97) };
    const response = await fetch(url("/large"), request);
    assert.equal(response.status, 502);
    await response.text();
    assert.equal(heard(), 1);
    const labels = { service: "again", reason: "body" };
    assert.equal(await metricValue(gateway, "gateward_retries_forgone_total", labels), 1);
    await clear();
  });

  test("retry: the access log tells why it was tried again or was not, and what a hedge came to", async () => {
    const file = join(dirname(gateway.configFile), "access.log");
    const lines = (): Record<string, unknown>[] =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const of = (path: string): unknown[] => {
      const line = lines().find((one) => one["path"] === path);
      return [line?.["retried"], line?.["retryForgone"], line?.["hedge"], line?.["attempts"]];
    };
    await until(() => lines().some(({ path }) => path === "/large"));
    assert.deepEqual(of("/a"), ["reset", undefined, undefined, 2]);
    assert.deepEqual(of("/b"), [undefined, "unsafe", undefined, 1]);
    assert.deepEqual(of("/large"), [undefined, "body", undefined, 1]);
    assert.deepEqual(of("/hedged"), [undefined, undefined, "won", 2]);
    assert.deepEqual(of("/later"), ["status", undefined, undefined, 2]);
    assert.deepEqual(of("/much-later"), [undefined, "asked", undefined, 1]);
    assert.deepEqual(of("/tries"), ["timeout", undefined, undefined, 2]);
  });
});
