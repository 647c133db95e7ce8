/** Services with several targets: failures, retries, balancing and draining, over two workers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileCleanup } from "../support/cleanup.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService, SeenRequest } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { assertProblem } from "../support/problem.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue } from "../support/raw-message.ts";
import type { RawResponse } from "../support/raw-message.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const names = ["a", "b", "c"] as const;

describe("services with several targets", () => {
  let gateway: Gateway;
  let config: { services: Record<string, unknown>; [key: string]: unknown };
  let backPort: number;
  const services: HttpService[] = [];
  /** Requests to /hold wait here until they are let go. */
  const held: (() => void)[] = [];

  before(async () => {
    for (const name of names) {
      const service = await startHttpService(shared, {
        name,
        answer: (request, response, seen) => {
          const answer = (): void => void response.end(JSON.stringify(seen));
          if (request.url!.endsWith("/hold")) held.push(answer);
          else answer();
        },
      });
      services.push(service);
    }
    const [a, b, c] = services.map(({ url }) => url);
    const dead: string[] = [];
    while (dead.length < 3) dead.push(`http://127.0.0.1:${await freePort()}`);
    backPort = await freePort();
    config = {
      workers: 2,
      services: {
        "half-dead": [dead[0], a],
        stubborn: { targets: [dead[0], dead[1], a], retry: { attempts: 2 } },
        once: { targets: [dead[0], dead[1], dead[2]], retry: { attempts: 1 } },
        never: { targets: [dead[0], dead[1]], retry: false },
        frugal: { targets: [dead[0], dead[1]], retry: { budget: "1%" } },
        back: [a, `http://127.0.0.1:${backPort}`],
        draining: [a, { url: b, drain: true }],
        weighted: [{ url: a, weight: 3 }, b],
        least: { targets: [a, b, c], balance: "least-requests" },
        random: { targets: [a, b, c], balance: "random" },
        ewma: { targets: [a, b, c], balance: "peak-ewma" },
        hashed: { targets: [a, b, c], balance: { name: "hash", by: { header: "x-user" } } },
        named: [`http://localhost:${services[0]!.port}`],
      },
      routes: [],
    };
    for (const [name, value] of Object.entries(config.services)) {
      if (Array.isArray(value)) config.services[name] = { targets: value };
    }
    config["routes"] = Object.keys(config.services).map((name) => ({
      match: `/${name}/*`,
      service: name,
    }));
    gateway = await startGateway(shared, config);
  });

  const ask = async (
    client: RawConnection,
    path: string,
    method = "GET",
    fields = "",
  ): Promise<RawResponse> => {
    await client.send(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
    return await client.readResponse();
  };

  const nameOf = (response: RawResponse): string => {
    assert.equal(response.status, 200, response.body.toString());
    return (JSON.parse(response.body.toString()) as SeenRequest).service;
  };

  /** How many of so many requests on one connection, that is in one worker, went to each target. */
  const shares = async (t: Parameters<typeof rawConnect>[0], path: string, count: number) => {
    const client = await rawConnect(t, gateway.port);
    const found: Record<string, number> = {};
    for (let asked = 0; asked < count; asked++) {
      const name = nameOf(await ask(client, path));
      found[name] = (found[name] ?? 0) + 1;
    }
    return found;
  };

  test("retry: a target that refuses is passed over, for whatever method", async (t) => {
    for (let count = 0; count < 6; count++) {
      const client = await rawConnect(t, gateway.port);
      assert.equal(nameOf(await ask(client, "/half-dead/x")), "a");
      const length = "Content-Length: 0\r\n";
      assert.equal(nameOf(await ask(client, "/half-dead/x", "POST", length)), "a");
      assert.equal(nameOf(await ask(client, "/stubborn/x")), "a");
    }
  });

  test("retry: a body that was on its way is sent whole to the next target", async (t) => {
    const body = "x".repeat(200_000);
    for (let count = 0; count < 4; count++) {
      const client = await rawConnect(t, gateway.port);
      await client.send(`POST /half-dead/x HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n`);
      await client.send(body);
      const response = await client.readResponse();
      const seen = JSON.parse(response.body.toString()) as SeenRequest;
      assert.equal(seen.bodyBytes, body.length);
    }
  });

  test("retry: no more attempts than configured, and the client is told what the last one met", async (t) => {
    const cases = [
      ["once", 2],
      ["never", 1],
    ] as const;
    for (const [service, tries] of cases) {
      const labels = { service, result: "connect" };
      const name = "gateward_upstream_requests_total";
      const triedBefore = await metricValue(gateway, name, labels);
      const client = await rawConnect(t, gateway.port);
      assertProblem(await ask(client, `/${service}/x`), 502, "connect-failed");
      assert.equal((await metricValue(gateway, name, labels)) - triedBefore, tries);
    }
  });

  test("retry: retries are a share of the requests, so that a dead service is not stormed", async (t) => {
    const client = await rawConnect(t, gateway.port);
    for (let count = 0; count < 130; count++) {
      assertProblem(await ask(client, "/frugal/x"), 502, "connect-failed");
    }
    // Ten that any service has to begin with, a hundred on credit, and one per cent of the requests.
    const retries = await metricValue(gateway, "gateward_retries_total", { service: "frugal" });
    assert.equal(retries, 111);
  });

  test("retry: a target that comes back is used again", async (t) => {
    const client = await rawConnect(t, gateway.port);
    for (let count = 0; count < 4; count++) assert.equal(nameOf(await ask(client, "/back/x")), "a");
    const server = createServer((_, response) => response.end(JSON.stringify({ service: "back" })));
    server.listen(backPort, "127.0.0.1");
    await once(server, "listening");
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const start = performance.now();
    while (nameOf(await ask(client, "/back/x")) !== "back") {
      assert.ok(performance.now() - start < 20_000, "it is still left alone");
      await sleep(50);
    }
    const found = await shares(t, "/back/x", 10);
    assert.ok((found["back"] ?? 0) >= 4, JSON.stringify(found));
  });

  test("drain: a draining target gets nothing new, and finishes what it has", async (t) => {
    assert.deepEqual(await shares(t, "/draining/x", 10), { a: 10 });
    const clients: RawConnection[] = [];
    while (held.length < 6) {
      const client = await rawConnect(t, gateway.port);
      clients.push(client);
      await client.send("GET /weighted/hold HTTP/1.1\r\nHost: x\r\n\r\n");
      await until(() => held.length === clients.length);
    }
    const [a, b] = services.map(({ url }) => url);
    const weighted = { targets: [{ url: a, drain: true }, b] };
    const next = { ...config, services: { ...config.services, weighted } };
    assert.equal(await gateway.reload(next), "applied");
    assert.deepEqual(await shares(t, "/weighted/x", 10), { b: 10 });
    for (const answer of held.splice(0)) answer();
    const served = new Set<string>();
    for (const client of clients) served.add(nameOf(await client.readResponse()));
    assert.ok(served.has("a"));
    assert.equal(await gateway.reload(config), "applied");
  });

  test("round-robin: shares are as the weights say", async (t) => {
    assert.deepEqual(await shares(t, "/weighted/x", 40), { a: 30, b: 10 });
  });

  test("random, peak-ewma: every target gets its share", async (t) => {
    for (const path of ["/random/x", "/ewma/x"]) {
      assert.deepEqual(Object.keys(await shares(t, path, 60)).sort(), [...names]);
    }
  });

  test("least-requests: requests in flight count, whichever worker has sent them", async (t) => {
    const clients: RawConnection[] = [];
    for (let count = 0; count < 2; count++) {
      const client = await rawConnect(t, gateway.port);
      clients.push(client);
      await client.send("GET /least/hold HTTP/1.1\r\nHost: x\r\n\r\n");
      await until(() => held.length > count);
    }
    const found = new Set<string>();
    for (let count = 0; count < 20; count++) {
      found.add(nameOf(await ask(await rawConnect(t, gateway.port), "/least/x")));
    }
    assert.equal(found.size, 1, [...found].join());
    for (const answer of held.splice(0)) answer();
    for (const client of clients) found.add(nameOf(await client.readResponse()));
    assert.equal(found.size, 3);
  });

  test("hash: a key leads to one target in every worker, and keys to all of them", async (t) => {
    const found = new Map<string, string>();
    for (let round = 0; round < 4; round++) {
      const client = await rawConnect(t, gateway.port);
      for (let user = 0; user < 20; user++) {
        const name = nameOf(await ask(client, "/hashed/x", "GET", `X-User: ${user}\r\n`));
        assert.equal(found.get(String(user)) ?? name, name);
        found.set(String(user), name);
      }
    }
    assert.deepEqual([...new Set(found.values())].sort(), [...names]);
  });

  test("names: localhost is resolved, and an address of it that nobody listens on is passed over", async (t) => {
    for (let count = 0; count < 8; count++) {
      const client = await rawConnect(t, gateway.port);
      assert.equal(nameOf(await ask(client, "/named/x")), "a");
    }
  });

  test("all down: the answer is a problem that tells nothing of the targets", async (t) => {
    const client = await rawConnect(t, gateway.port);
    const response = await ask(client, "/once/x");
    assertProblem(response, 502, "connect-failed");
    assert.equal(headerValue(response, "connection"), undefined);
    assert.doesNotMatch(response.raw.toString(), /127\.0\.0\.1|ECONN/);
  });
});
