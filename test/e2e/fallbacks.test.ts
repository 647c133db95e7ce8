/** Fallbacks over real connections: answers that are left unread, bodies sent again, many of them at once. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";

const shared = fileCleanup();

async function startService(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  shared.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const LONG = "x".repeat(300_000);

describe("fallbacks over connections", () => {
  let gateway: Gateway;

  before(async () => {
    const failing = await startService((request, response) => {
      if (request.url === "/reset") request.socket.destroy();
      else if (request.url === "/early") response.writeHead(503).end(LONG);
      else request.resume().on("end", () => response.writeHead(503).end(LONG));
    });
    const backup = await startService((request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        const body = Buffer.concat(pieces).toString();
        response.end(`${request.method} ${request.url} ${body.length}`);
      });
    });
    const fallback = [{ service: "backup" }, { respond: { status: 200, body: "sorry" } }];
    gateway = await startGateway(shared, {
      services: {
        failing: { targets: [failing], retry: false, fallback },
        away: { targets: [`http://127.0.0.1:${await freePort()}`], fallback },
        backup,
      },
      routes: [
        { match: "/*", service: "failing" },
        { match: "/away", service: "away" },
        {
          match: "/drill/*",
          service: "away",
          policies: [
            { fault: { abort: "reset", as: "service" }, unless: { headers: { "x-drill": "503" } } },
            { fault: { abort: 503, as: "service" } },
          ],
        },
      ],
    });
  });

  after(async () => {
    assert.equal(await metricValue(gateway, "gateward_in_flight_requests"), 0);
  });

  async function ask(path: string, init: RequestInit = {}) {
    const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, init);
    const told = response.headers.get("gateward-fallback");
    return [response.status, told, await response.text()];
  }

  test("fallback: a drill takes requests where a service that fails does, with whole bodies or none", async () => {
    const drills = Array.from({ length: 40 }, (_, index) => {
      const body = "b".repeat(index * 1500);
      const headers = index % 2 === 0 ? { "x-drill": "503" } : {};
      return ask(`/drill/${index}`, index === 0 ? { headers } : { method: "PUT", body, headers });
    });
    const told = drills.map((_, index) => {
      const method = index === 0 ? "GET" : "PUT";
      return [200, "service", `${method} /drill/${index} ${index * 1500}`];
    });
    assert.deepEqual(await Promise.all(drills), told);
    // A service that is away has been asked by none of them.
    const tries = await metricValue(gateway, "gateward_upstream_requests_total", {
      service: "away",
    });
    assert.equal(tries, 0);
    assert.deepEqual(await ask("/drill/post", { method: "POST" }), [200, "respond", "sorry"]);
    const headers = { "x-drill": "503" };
    const long = { method: "PUT", body: "y".repeat(1_000_000), headers };
    assert.deepEqual(await ask("/drill/long", long), [200, "respond", "sorry"]);
  });

  test("fallback: each of many requests gets the other service's answer, none another's", async () => {
    const paths = Array.from(
      { length: 60 },
      (_, index) => `/${["a", "early", "reset"][index % 3]}`,
    );
    const answers = await Promise.all(paths.map(async (path) => await ask(path)));
    assert.deepEqual(
      answers,
      paths.map((path) => [200, "service", `GET ${path} 0`]),
    );
    const labels = { service: "failing", step: "service" };
    assert.equal(await metricValue(gateway, "gateward_fallbacks_total", labels), 60);
  });

  test("fallback: a body goes to the other service whole, or not at all", async () => {
    const put = { method: "PUT", body: "y".repeat(50_000) };
    assert.deepEqual(await ask("/a", put), [200, "service", "PUT /a 50000"]);
    assert.deepEqual(await ask("/away", put), [200, "service", "PUT /away 50000"]);
    const post = { ...put, method: "POST" };
    assert.deepEqual(await ask("/a", post), [200, "respond", "sorry"]);
    assert.deepEqual(await ask("/away", post), [200, "service", "POST /away 50000"]);
    const long = { method: "PUT", body: "y".repeat(1_000_000) };
    assert.deepEqual(await ask("/a", long), [200, "respond", "sorry"]);
    // Nobody has taken any of it: what follows what is held is sent as it comes.
    assert.deepEqual(await ask("/away", long), [200, "service", "PUT /away 1000000"]);
  });
});
