/** Retries and hedges over real connections: services that are reset amid a request, or say nothing. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { plainResponse, type RawScript } from "../support/raw-server.ts";
import { startScriptedService, type ScriptedService } from "../support/scripted-service.ts";

const shared = fileCleanup();

describe("retries over connections", () => {
  let gateway: Gateway;
  const services: ScriptedService[] = [];

  before(async () => {
    services.push(await startScriptedService(shared), await startScriptedService(shared));
    const targets = services.map(({ url }) => url);
    gateway = await startGateway(shared, {
      services: {
        again: { targets, retry: true },
        hedged: { targets, hedge: "50ms" },
      },
      routes: [
        { match: "/*", service: "again" },
        { match: "/hedged", service: "hedged" },
      ],
    });
  });

  const url = (path: string): string => `http://127.0.0.1:${gateway.port}${path}`;

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
});
