/** Limits on the connections to a service, and who waits for one. */
import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { assertProblem } from "../support/problem.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue } from "../support/raw-message.ts";
import { plainResponse } from "../support/raw-server.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();

describe("connections to a service", () => {
  let gateway: Gateway;
  let service: ScriptedService;
  /** First lines of the requests that wait for `answer`. */
  const asked: { line: string; answer: () => Promise<void> }[] = [];

  before(async () => {
    service = await startScriptedService(shared);
    const targets = [service.url];
    gateway = await startGateway(shared, {
      services: {
        few: { targets, connections: { max: 2, waiting: 2 } },
        strict: { targets, connections: { max: 1, waiting: 0 } },
        hasty: { targets, connections: { max: 1 }, timeout: { connect: "200ms" } },
        single: { targets, connections: { idle: 1 } },
        brief: { targets, connections: { idleTimeout: "300ms" } },
      },
      routes: ["few", "strict", "hasty", "single", "brief"].map((name) => ({
        match: `/${name}/*`,
        service: name,
      })),
    });
  });

  const holding = async (connection: RawConnection): Promise<void> => {
    for (;;) {
      const { startLine: line } = await connection.readRequest();
      const { promise, resolve } = Promise.withResolvers<void>();
      asked.push({
        line,
        answer: async () => {
          await connection.send(plainResponse(line));
          resolve();
        },
      });
      await promise;
    }
  };

  const answering = async (connection: RawConnection): Promise<void> => {
    for (;;) await connection.send(plainResponse((await connection.readRequest()).startLine));
  };

  afterEach(async () => {
    await service.clear();
    asked.length = 0;
  });

  /** A client that has asked; the request is in flight in the gateway. */
  const ask = async (t: Parameters<typeof rawConnect>[0], path: string): Promise<RawConnection> => {
    const client = await rawConnect(t, gateway.port);
    await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    return client;
  };

  const untilInFlight = async (count: number): Promise<void> => {
    await until(async () => (await metricValue(gateway, "gateward_in_flight_requests")) === count);
  };

  test("queue: beyond the connections requests wait, in order; beyond the queue they are a 503", async (t) => {
    service.script = holding;
    const clients: RawConnection[] = [];
    for (let count = 0; count < 4; count++) {
      clients.push(await ask(t, `/few/${count}`));
      await untilInFlight(count + 1);
    }
    const refused = await ask(t, "/few/refused");
    const response = await refused.readResponse();
    assertProblem(response, 503, "queue-full");
    assert.equal(headerValue(response, "retry-after"), "1");
    await until(() => asked.length === 2);
    assert.equal(service.connections.length, 2);
    for (let count = 0; count < 4; count++) {
      await until(() => asked.length > 0);
      await asked.shift()!.answer();
      const { body } = await clients[count]!.readResponse();
      assert.equal(body.toString(), `GET /few/${count} HTTP/1.1`);
    }
    assert.equal(service.connections.length, 2);
    service.script = answering;
    await refused.send("GET /few/again HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => asked.length > 0);
    await asked.shift()!.answer();
    assert.equal((await refused.readResponse()).status, 200);
  });

  test("queue: who leaves makes room, and is not served", async (t) => {
    service.script = holding;
    const clients: RawConnection[] = [];
    for (let count = 0; count < 4; count++) {
      clients.push(await ask(t, `/few/${count}`));
      await untilInFlight(count + 1);
    }
    clients[2]!.reset();
    await untilInFlight(3);
    clients[2] = await ask(t, "/few/late");
    await untilInFlight(4);
    const answered: string[] = [];
    while (answered.length < 4) {
      await until(() => asked.length > 0);
      const { line, answer } = asked.shift()!;
      answered.push(line);
      await answer();
    }
    assert.deepEqual(
      answered.map((line) => line.split(" ")[1]),
      ["/few/0", "/few/1", "/few/3", "/few/late"],
    );
    for (const client of clients) assert.equal((await client.readResponse()).status, 200);
  });

  test("queue: without one, a request that finds no connection free is refused at once", async (t) => {
    service.script = holding;
    const first = await ask(t, "/strict/1");
    await until(() => asked.length === 1);
    const second = await ask(t, "/strict/2");
    assertProblem(await second.readResponse(), 503, "queue-full");
    await asked.shift()!.answer();
    assert.equal((await first.readResponse()).status, 200);
  });

  test("queue: many that are refused while one leaves are all told, and nobody else is", async (t) => {
    service.script = holding;
    const first = await ask(t, "/strict/1");
    await until(() => asked.length === 1);
    for (let round = 0; round < 20; round++) {
      const leaving = await ask(t, "/strict/leaving");
      leaving.reset();
      const others = [await ask(t, "/strict/a"), await ask(t, "/strict/b")];
      for (const other of others) {
        assertProblem(await other.readResponse(), 503, "queue-full");
        other.end();
      }
    }
    await asked.shift()!.answer();
    assert.equal((await first.readResponse()).status, 200);
  });

  test("queue: waiting ends with a 503 when no connection comes free in time", async (t) => {
    service.script = holding;
    const first = await ask(t, "/hasty/1");
    await until(() => asked.length === 1);
    const start = performance.now();
    const second = await ask(t, "/hasty/2");
    assertProblem(await second.readResponse(), 503, "queue-timeout");
    assert.ok(performance.now() - start > 190);
    await asked.shift()!.answer();
    assert.equal((await first.readResponse()).status, 200);
    // Nobody is left in line: the connection serves who comes next.
    await second.send("GET /hasty/3 HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => asked.length === 1);
    await asked.shift()!.answer();
    assert.equal((await second.readResponse()).body.toString(), "GET /hasty/3 HTTP/1.1");
    assert.equal(service.connections.length, 1);
  });

  test("queue: a second answer to the request before is not taken for one's own", async (t) => {
    service.script = holding;
    const first = await ask(t, "/hasty/1");
    await until(() => asked.length === 1);
    const second = await ask(t, "/hasty/2");
    await untilInFlight(2);
    await service.connections[0]!.send(plainResponse("mine") + plainResponse("evil"));
    assert.equal((await first.readResponse()).body.toString(), "mine");
    await until(() => asked.length === 2);
    await asked[1]!.answer();
    assert.equal((await second.readResponse()).body.toString(), "GET /hasty/2 HTTP/1.1");
    assert.equal(service.connections.length, 2);
  });

  test("idle: only so many connections are kept", async (t) => {
    service.script = holding;
    const clients = [await ask(t, "/single/1"), await ask(t, "/single/2")];
    await until(() => asked.length === 2);
    for (const { answer } of asked.splice(0)) await answer();
    for (const client of clients) assert.equal((await client.readResponse()).status, 200);
    await Promise.race(service.connections.map((connection) => connection.readEnd()));
    const again = await ask(t, "/single/3");
    await until(() => asked.length === 1);
    await asked[0]!.answer();
    assert.equal((await again.readResponse()).status, 200);
    assert.equal(service.connections.length, 2);
    assert.equal(service.connections.filter(({ ended }) => ended === undefined).length, 1);
  });

  test("idle: a connection is kept for no longer than configured", async (t) => {
    service.script = answering;
    const client = await ask(t, "/brief/1");
    assert.equal((await client.readResponse()).status, 200);
    const start = performance.now();
    assert.equal(await service.connections[0]!.readEnd(), "end");
    assert.ok(performance.now() - start > 250);
  });

  test("connection: one that breaks while others wait makes room for a new one", async (t) => {
    service.script = holding;
    const first = await ask(t, "/hasty/1");
    await until(() => asked.length === 1);
    const second = await ask(t, "/hasty/2");
    await untilInFlight(2);
    service.connections[0]!.reset();
    assertProblem(await first.readResponse(), 502, "upstream-reset");
    await until(() => asked.length === 2);
    await asked[1]!.answer();
    assert.equal((await second.readResponse()).body.toString(), "GET /hasty/2 HTTP/1.1");
  });
});
