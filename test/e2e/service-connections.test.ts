/** Kept connections that close, requests that are sent again or are not, and pipelining. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { assertProblem } from "../support/problem.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { plainResponse } from "../support/raw-server.ts";
import type { RawScript } from "../support/raw-server.ts";
import { startScriptedService } from "../support/scripted-service.ts";
import type { ScriptedService } from "../support/scripted-service.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();

describe("connections to services", () => {
  let gateway: Gateway;
  let service: ScriptedService;
  let twin: ScriptedService;
  /** First lines of the requests that the service was sent, in their order. */
  let seen: string[] = [];

  before(async () => {
    service = await startScriptedService(shared);
    twin = await startScriptedService(shared);
    gateway = await startGateway(shared, {
      services: {
        raw: service.url,
        once: { targets: [service.url], retry: false },
        single: {
          targets: [service.url, twin.url],
          connections: { max: 1, waiting: 0 },
          timeout: { connect: "300ms" },
        },
        piped: { targets: [service.url], pipelining: 8 },
        brief: { targets: [service.url], pipelining: 8, timeout: { response: "500ms" } },
      },
      routes: [
        { match: "/*", service: "raw" },
        { match: "/once/*", service: "once" },
        { match: "/single/*", service: "single" },
        { match: "/piped/*", service: "piped" },
        { match: "/brief/*", service: "brief" },
      ],
    });
  });

  afterEach(async () => {
    await service.clear();
    await twin.clear();
    seen = [];
  });

  const forgone = async (reason: string): Promise<number> =>
    await metricValue(gateway, "gateward_retries_forgone_total", { service: "raw", reason });

  const readRequest = async (connection: RawConnection): Promise<string> => {
    const { startLine } = await connection.readRequest();
    seen.push(startLine);
    return startLine;
  };

  /** Answers this many requests of a connection with their first lines, then does as told. */
  const answering =
    (count: number, then: (connection: RawConnection) => unknown): RawScript =>
    async (connection) => {
      for (let answered = 0; answered < count; answered++) {
        await connection.send(plainResponse(await readRequest(connection)));
      }
      await then(connection);
    };
  const forever = answering(Infinity, () => {});

  const exchange = async (client: RawConnection, request: string) => {
    await client.send(request);
    return await client.readResponse();
  };
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const withBody = (method: string, path: string, body: string): string =>
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  test("idle: a connection that the service closed is not used again, for whatever method", async (t) => {
    for (const how of ["end", "reset"] as const) {
      service.script = answering(1, (connection) => connection[how]());
      const client = await rawConnect(t, gateway.port);
      for (const request of [get("/1"), withBody("POST", "/2", "abc"), get("/3")]) {
        assert.equal((await exchange(client, request)).status, 200);
        const { socket } = service.connections.at(-1)!;
        if (!socket.closed) await once(socket, "close");
      }
    }
    assert.equal(service.connections.length, 6);
  });

  for (const how of ["end", "reset"] as const) {
    test(`stale: what is idempotent is sent again when a kept connection ${how}s instead of answering`, async (t) => {
      const requests = [
        get("/again"),
        "HEAD /again HTTP/1.1\r\nHost: x\r\n\r\n",
        "DELETE /again HTTP/1.1\r\nHost: x\r\n\r\n",
        withBody("PUT", "/again", "abc".repeat(1000)),
        "PUT /again HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
      ];
      for (const request of requests) {
        await service.clear();
        const bodies: string[] = [];
        service.script = async (connection, index) => {
          await connection.send(plainResponse(await readRequest(connection)));
          const { body, trailers } = await connection.readRequest();
          bodies.push(body.toString() + trailers.join());
          if (index === 0) connection[how]();
          else await connection.send(plainResponse("second"));
        };
        const client = await rawConnect(t, gateway.port);
        await exchange(client, get("/first"));
        // The service answers one request of each connection: a new one is made for the retry.
        service.script = async (connection) => {
          const { body, trailers } = await connection.readRequest();
          bodies.push(body.toString() + trailers.join());
          await connection.send(plainResponse("second"));
        };
        await client.send(request);
        const method = request.slice(0, request.indexOf(" "));
        const response = await client.readResponse({ responseTo: method });
        assert.equal(response.status, 200, request);
        assert.equal(bodies.length, 2, request);
        assert.equal(bodies[0], bodies[1]);
        assert.equal(service.connections.length, 2);
      }
    });

    test(`stale: a POST is never sent twice, whatever becomes of it when a connection ${how}s`, async (t) => {
      service.script = answering(1, async (connection) => {
        await readRequest(connection);
        connection[how]();
      });
      const countBefore = await forgone("unsafe");
      const client = await rawConnect(t, gateway.port);
      await exchange(client, get("/first"));
      const response = await exchange(client, withBody("POST", "/order", "abc"));
      assertProblem(response, 502, "upstream-reset");
      assert.equal((await forgone("unsafe")) - countBefore, 1);
      assert.deepEqual(seen, ["GET /first HTTP/1.1", "POST /order HTTP/1.1"]);
      assert.equal((await exchange(client, get("/next"))).status, 200);
    });
  }

  test("stale: nothing is sent again once a byte of the answer has come", async (t) => {
    service.script = answering(1, async (connection) => {
      await readRequest(connection);
      await connection.send("HTTP/1.1 2");
      connection.end();
    });
    const client = await rawConnect(t, gateway.port);
    await exchange(client, get("/first"));
    assertProblem(await exchange(client, get("/second")), 502, "upstream-reset");
    assert.equal(seen.length, 2);
  });

  test("stale: a body too large to keep is not sent again", async (t) => {
    service.script = answering(1, async (connection) => {
      await readRequest(connection);
      connection.end();
    });
    const client = await rawConnect(t, gateway.port);
    await exchange(client, get("/first"));
    const response = await exchange(client, withBody("PUT", "/big", "x".repeat(200_000)));
    assertProblem(response, 502, "upstream-reset");
    assert.deepEqual([await forgone("body"), await forgone("budget")], [1, 0]);
    assert.equal(seen.length, 2);
  });

  test("stale: with `retry: false` nothing is sent again", async (t) => {
    service.script = answering(1, async (connection) => {
      await readRequest(connection);
      connection.end();
    });
    const client = await rawConnect(t, gateway.port);
    await exchange(client, get("/once/1"));
    assertProblem(await exchange(client, get("/once/2")), 502, "upstream-reset");
    assert.equal(seen.length, 2);
  });

  test("stale: a service that takes connections and never answers on them is asked twice at most", async (t) => {
    service.script = answering(1, async (connection) => {
      await readRequest(connection);
      service.script = async (later) => {
        await readRequest(later);
        later.end();
      };
      connection.end();
    });
    const client = await rawConnect(t, gateway.port);
    await exchange(client, get("/1"));
    assertProblem(await exchange(client, get("/2")), 502, "upstream-reset");
    assert.equal(seen.length, 3);
  });

  test("stale: where all connections of the next target idle, the oldest makes room for a new one", async (t) => {
    const client = await rawConnect(t, gateway.port);
    service.script = answering(1, async (connection) => {
      await readRequest(connection);
      connection.end();
    });
    twin.script = forever;
    await exchange(client, get("/single/1"));
    await exchange(client, get("/single/2"));
    assert.deepEqual([service.connections.length, twin.connections.length], [1, 1]);
    // Whose turn it is first is left to chance.
    for (let tries = 0; tries < 2 && twin.connections.length === 1; tries++) {
      assert.equal((await exchange(client, get("/single/again"))).status, 200);
    }
    assert.equal(twin.connections.length, 2);
  });

  test("Connection: close of the service: the connection is left, the client's stays", async (t) => {
    service.script = async (connection) => {
      await readRequest(connection);
      await connection.send(
        "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n",
      );
    };
    const client = await rawConnect(t, gateway.port);
    for (const path of ["/1", "/2"]) {
      const { headers } = await exchange(client, get(path));
      assert.ok(!headers.some(([name]) => /^(connection|x-hop)$/i.test(name)));
    }
    assert.equal(service.connections.length, 2);
    for (const connection of service.connections) assert.equal(await connection.readEnd(), "end");
  });

  test("upgrade: a connection whose service declined one is used again", async (t) => {
    service.script = forever;
    const client = await rawConnect(t, gateway.port);
    const upgrade = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    await exchange(client, upgrade);
    await exchange(client, upgrade);
    await exchange(client, get("/a"));
    assert.equal(service.connections.length, 1);
  });

  describe("pipelining", () => {
    /**
     * Sends each path on a connection of its own, in order. A request before them has made the one
     * connection that they will share.
     */
    const sendAll = async (
      t: Parameters<typeof rawConnect>[0],
      paths: readonly string[],
      under = "piped",
    ): Promise<RawConnection[]> => {
      const clients: RawConnection[] = [];
      for (const path of paths) {
        const client = await rawConnect(t, gateway.port);
        if (clients.length === 0) await exchange(client, get(`/${under}/first`));
        clients.push(client);
        await client.send(get(`/${under}/${path}`));
      }
      return clients;
    };

    /** What to do with the first connection, after its first request; others are answered at once. */
    const onFirst =
      (then: (connection: RawConnection) => Promise<void>): RawScript =>
      (connection, index) =>
        index > 0 ? forever(connection, index) : answering(1, then)(connection, index);

    const paths = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const bodyOf = (path: string): string => `GET /piped/${path} HTTP/1.1`;

    /** Reads this many requests before it goes on: they came without waiting for an answer. */
    const collect = async (connection: RawConnection, count: number): Promise<string[]> => {
      const lines: string[] = [];
      while (lines.length < count) lines.push(await readRequest(connection));
      return lines;
    };

    test("several requests share a connection, and each client gets its own answer", async (t) => {
      service.script = onFirst(async (connection) => {
        const lines = await collect(connection, paths.length);
        for (const line of lines) await connection.send(plainResponse(line));
        await forever(connection, 0);
      });
      const clients = await sendAll(t, paths);
      for (const [index, client] of clients.entries()) {
        assert.equal((await client.readResponse()).body.toString(), bodyOf(paths[index]!));
      }
      const again = await exchange(clients[0]!, get("/piped/again"));
      assert.equal(again.body.toString(), bodyOf("again"));
    });

    test("answers in one piece and answers cut anywhere are told apart", async (t) => {
      service.script = onFirst(async (connection) => {
        const lines = await collect(connection, 4);
        const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${lines[1]!.length.toString(16)}\r\n${lines[1]}\r\n0\r\n\r\n`;
        const text =
          plainResponse(lines[0]!) + chunked + plainResponse(lines[2]!) + plainResponse(lines[3]!);
        await connection.trickle(text);
      });
      const clients = await sendAll(t, paths.slice(0, 4));
      for (const [index, client] of clients.entries()) {
        assert.equal((await client.readResponse()).body.toString(), bodyOf(paths[index]!));
      }
    });

    test("a connection that dies: what was not answered is sent again on another", async (t) => {
      service.script = onFirst(async (connection) => {
        const lines = await collect(connection, paths.length);
        await connection.send(plainResponse(lines[0]!) + plainResponse(lines[1]!));
        await clients[1]!.readUntil("/piped/b HTTP/1.1");
        connection.reset();
      });
      const clients = await sendAll(t, paths);
      assert.equal((await clients[0]!.readResponse()).body.toString(), bodyOf("a"));
      for (const [index, client] of clients.entries()) {
        if (index < 2) continue;
        assert.equal((await client.readResponse()).body.toString(), bodyOf(paths[index]!));
      }
      const counts = paths.map((path) => seen.filter((line) => line === bodyOf(path)).length);
      assert.deepEqual(counts, [1, 1, 2, 2, 2, 2, 2, 2]);
    });

    test("Connection: close amid the line: the rest is sent again on another", async (t) => {
      service.script = onFirst(async (connection) => {
        const lines = await collect(connection, 4);
        await connection.send(
          plainResponse(lines[0]!).replace("\r\n", "\r\nConnection: close\r\n"),
        );
        connection.end();
      });
      const clients = await sendAll(t, paths.slice(0, 4));
      for (const [index, client] of clients.entries()) {
        assert.equal((await client.readResponse()).body.toString(), bodyOf(paths[index]!));
      }
    });

    test("an answer that breaks off breaks only its own: the others are sent again", async (t) => {
      service.script = onFirst(async (connection) => {
        await collect(connection, 4);
        await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        connection.end();
      });
      const clients = await sendAll(t, paths.slice(0, 4));
      assert.equal(await clients[0]!.readEnd(), "reset");
      for (const [index, client] of clients.entries()) {
        if (index === 0) continue;
        assert.equal((await client.readResponse()).body.toString(), bodyOf(paths[index]!));
      }
    });

    test("a client that leaves does not disturb the others", async (t) => {
      const left = Promise.withResolvers<void>();
      service.script = onFirst(async (connection) => {
        const lines = await collect(connection, 4);
        await left.promise;
        for (const line of lines) await connection.send(plainResponse(line));
      });
      const clients = await sendAll(t, paths.slice(0, 4));
      await until(() => seen.length === 5);
      clients[0]!.reset();
      clients[2]!.reset();
      await until(async () => (await metricValue(gateway, "gateward_in_flight_requests")) === 2);
      left.resolve();
      for (const index of [1, 3]) {
        const response = await clients[index]!.readResponse();
        assert.equal(response.body.toString(), bodyOf(paths[index]!));
      }
    });

    test("a connection whose answers nobody waits for any more is closed", async (t) => {
      const left = Promise.withResolvers<void>();
      service.script = onFirst(async (connection) => {
        const lines = await collect(connection, 3);
        await left.promise;
        await connection.send(plainResponse(lines[0]!));
      });
      const clients = await sendAll(t, paths.slice(0, 3));
      await until(() => seen.length === 4);
      clients[1]!.reset();
      clients[2]!.reset();
      await until(async () => (await metricValue(gateway, "gateward_in_flight_requests")) === 1);
      left.resolve();
      assert.equal((await clients[0]!.readResponse()).body.toString(), bodyOf("a"));
      assert.equal(await service.connections[0]!.readEnd(), "end");
    });

    test("a request that times out takes the connection out of use: what comes later is served", async (t) => {
      service.script = onFirst(async (connection) => {
        await collect(connection, 4);
      });
      const clients = await sendAll(t, paths.slice(0, 4), "brief");
      for (const client of clients) {
        assertProblem(await client.readResponse(), 504, "response-timeout");
      }
      assert.equal(await service.connections[0]!.readEnd(), "end");
      const next = await exchange(clients[0]!, get("/brief/next"));
      assert.equal(next.body.toString(), "GET /brief/next HTTP/1.1");
    });

    test("behind a request that hangs nothing new is put, once it has timed out", async (t) => {
      service.script = onFirst(async (connection) => {
        await collect(connection, 1);
      });
      const [first] = await sendAll(t, ["hangs"], "brief");
      await until(() => seen.length === 2);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const second = await rawConnect(t, gateway.port);
      await second.send(get("/brief/waits"));
      assertProblem(await first!.readResponse(), 504, "response-timeout");
      const third = await exchange(first!, get("/brief/third"));
      assert.equal(third.body.toString(), "GET /brief/third HTTP/1.1");
      assertProblem(await second.readResponse(), 504, "response-timeout");
    });

    test("what may not be sent twice never shares a connection", async (t) => {
      service.script = onFirst(async (connection) => {
        const line = await readRequest(connection);
        if (line.startsWith("GET")) await new Promise((resolve) => setTimeout(resolve, 100));
        await connection.send(plainResponse(line));
      });
      const [first] = await sendAll(t, ["a"]);
      const client = await rawConnect(t, gateway.port);
      const response = await exchange(client, withBody("POST", "/piped/b", "abc"));
      assert.equal(response.body.toString(), "POST /piped/b HTTP/1.1");
      assert.equal((await first!.readResponse()).body.toString(), bodyOf("a"));
      assert.equal(service.connections.length, 2);
    });
  });
});
