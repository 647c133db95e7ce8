/** What passes through the gateway on HTTP/1.1 connections, byte for byte, between raw ends. */
import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import type { Gateway } from "../support/gateway.ts";
import { startGateway } from "../support/gateway.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue, headerValues } from "../support/raw-message.ts";
import { plainResponse, startRawServer } from "../support/raw-server.ts";
import type { RawServer } from "../support/raw-server.ts";

/** The script for the next connections to the service; each test sets its own. */
type Script = (connection: RawConnection) => Promise<void>;

const shared = fileCleanup();

describe("HTTP/1.1 through the gateway", () => {
  let gateway: Gateway;
  let server: RawServer;
  let script: Script;

  before(async () => {
    server = await startRawServer(shared, (connection) => script(connection));
    gateway = await startGateway(shared, {
      services: { raw: server.url },
      routes: [
        { match: "/*", service: "raw" },
        { match: "GET /hello", respond: { body: "hello" } },
      ],
    });
  });

  /** A connection kept for reuse would run the script of the test before. */
  afterEach(async () => {
    for (const connection of server.connections.splice(0)) {
      connection.end();
      await connection.readEnd();
    }
  });

  const ok: Script = async (connection) => {
    for (;;) {
      await connection.readRequest();
      await connection.send(plainResponse("fine"));
    }
  };

  test("keep-alive: one connection carries many requests, one after the other", async (t) => {
    script = ok;
    const client = await rawConnect(t, gateway.port);
    for (let count = 0; count < 3; count++) {
      await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
      const response = await client.readResponse();
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), "fine");
    }
  });

  test("pipelining: requests sent at once are answered in order", async (t) => {
    script = async (connection) => {
      for (;;) {
        const { startLine } = await connection.readRequest();
        await connection.send(plainResponse(startLine));
      }
    };
    const client = await rawConnect(t, gateway.port);
    const paths = ["/1", "/2", "/hello", "/3"];
    await client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
    const bodies: string[] = [];
    for (const _ of paths) bodies.push((await client.readResponse()).body.toString());
    assert.deepEqual(bodies, ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1", "hello", "GET /3 HTTP/1.1"]);
  });

  test("pipelining: a request behind one with a body is found after that body", async (t) => {
    script = async (connection) => {
      for (;;) {
        const { body } = await connection.readRequest();
        await connection.send(plainResponse(`[${body.toString()}]`));
      }
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" +
        "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" +
        "GET /c HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    for (const expected of ["[abc]", "[de]", "[]"]) {
      assert.equal((await client.readResponse()).body.toString(), expected);
    }
  });

  test("request: what is forwarded is what was sent, less what belongs to the connection", async (t) => {
    let seen: Awaited<ReturnType<RawConnection["readRequest"]>> | undefined;
    script = async (connection) => {
      seen = await connection.readRequest();
      await connection.send(plainResponse("fine"));
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "GET /a%20b?c=d HTTP/1.1\r\nHost: api.example:81\r\nX-One: 1\r\nx-one: 2\r\nConnection: keep-alive, X-Hop\r\n" +
        "X-Hop: secret\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: trailers\r\n" +
        "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nAccept: */*\r\n\r\n",
    );
    await client.readResponse();
    assert.equal(seen!.startLine, "GET /a%20b?c=d HTTP/1.1");
    const fields = seen!.headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
    assert.deepEqual(fields, [
      "host: api.example:81",
      "x-one: 1",
      "x-one: 2",
      "accept: */*",
      "x-forwarded-for: 127.0.0.1",
      "x-forwarded-proto: http",
      `x-forwarded-port: ${gateway.port}`,
      "x-forwarded-host: api.example:81",
      "via: 1.1 gateward",
    ]);
  });

  test("body: chunks pass with their trailers, whatever their sizes, and extensions do not", async (t) => {
    let seen: Awaited<ReturnType<RawConnection["readRequest"]>> | undefined;
    script = async (connection) => {
      seen = await connection.readRequest();
      await connection.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;x=y\r\nabc\r\n",
      );
      await connection.send("2\r\nde\r\n0\r\nX-Sum: 5\r\nContent-Length: 9\r\n\r\n");
    };
    const client = await rawConnect(t, gateway.port);
    const head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    await client.trickle(
      `${head}4;ext=1\r\nwiki\r\n5\r\npedia\r\n0\r\nX-Check: 9\r\nHost: evil\r\n\r\n`,
    );
    const response = await client.readResponse();
    assert.equal(seen!.body.toString(), "wikipedia");
    assert.deepEqual(seen!.trailers, ["X-Check: 9"]);
    assert.ok(!seen!.raw.includes("ext=1"));
    assert.equal(response.body.toString(), "abcde");
    assert.deepEqual(response.trailers, ["X-Sum: 5"]);
    assert.equal(headerValue(response, "content-length"), undefined);
  });

  test("body: ten megabytes pass unchanged in both directions", async (t) => {
    const big = Buffer.alloc(10 * 1024 * 1024, "0123456789abcdef-");
    script = async (connection) => {
      const { body } = await connection.readRequest();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      await connection.send(body);
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(`POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${big.length}\r\n\r\n`);
    await client.send(big);
    const response = await client.readResponse();
    assert.ok(response.body.equals(big));
  });

  test("HTTP/1.0 client: gets no chunks, and the connection closes unless it asked to keep it", async (t) => {
    script = async (connection) => {
      for (;;) {
        await connection.readRequest();
        await connection.send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        );
      }
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /a HTTP/1.0\r\n\r\n");
    assert.equal(await client.readEnd(), "end");
    const response = await client.readResponse();
    assert.equal(headerValue(response, "transfer-encoding"), undefined);
    assert.equal(response.body.toString(), "abc");

    const keeping = await rawConnect(t, gateway.port);
    await keeping.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const kept = await keeping.readResponse();
    assert.equal(headerValue(kept, "connection"), "keep-alive");
    await keeping.send("GET /hello HTTP/1.0\r\n\r\n");
    assert.equal((await keeping.readResponse()).body.toString(), "hello");
    assert.equal(await keeping.readEnd(), "end");
  });

  test("HTTP/1.0 service: its response ends where its connection does", async (t) => {
    script = async (connection) => {
      await connection.readRequest();
      await connection.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello ");
      await connection.send("world");
      connection.end();
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const response = await client.readResponse();
    assert.equal(headerValue(response, "transfer-encoding"), "chunked");
    assert.equal(response.body.toString(), "hello world");
  });

  test("HEAD, 204 and 304: have no body, whatever their fields say of one", async (t) => {
    script = async (connection) => {
      for (;;) {
        const { startLine } = await connection.readRequest();
        if (startLine.startsWith("HEAD")) {
          await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        } else if (startLine.includes("204")) {
          await connection.send("HTTP/1.1 204 No Content\r\n\r\n");
        } else {
          await connection.send(
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: x\r\n\r\n",
          );
        }
      }
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const head = await client.readResponse({ responseTo: "HEAD" });
    assert.equal(headerValue(head, "content-length"), "1000");
    await client.send("GET /204 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).status, 204);
    await client.send("GET /304 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).status, 304);
    await client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    const own = await client.readResponse({ responseTo: "HEAD" });
    assert.equal(headerValue(own, "content-length"), "5");
    await client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).body.toString(), "hello");
  });

  test("interim responses: 103 and others pass before the final one", async (t) => {
    script = async (connection) => {
      await connection.readRequest();
      await connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
      await connection.send("HTTP/1.1 102 Processing\r\n\r\n");
      await connection.send(plainResponse("fine"));
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const hints = await client.readResponse();
    assert.equal(hints.status, 103);
    assert.equal(headerValue(hints, "link"), "</a.css>; rel=preload");
    assert.equal((await client.readResponse()).status, 102);
    assert.equal((await client.readResponse()).body.toString(), "fine");
  });

  test("Expect: 100-continue: the service decides, and the body follows only then", async (t) => {
    const order: string[] = [];
    script = async (connection) => {
      const head = await connection.readUntil("\r\n\r\n");
      order.push(/expect: 100-continue/i.test(head.toString()) ? "asked" : "not asked");
      await connection.send("HTTP/1.1 100 Continue\r\n\r\n");
      const body = await connection.readUntil("hello");
      order.push(body.toString());
      await connection.send(plainResponse("fine"));
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert.equal((await client.readResponse()).status, 100);
    order.push("continue");
    await client.send("hello");
    assert.equal((await client.readResponse()).status, 200);
    assert.deepEqual(order, ["asked", "continue", "hello"]);
  });

  test("Expect: 100-continue: a refusal ends the connection, since the body may follow or not", async (t) => {
    script = async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.send(plainResponse("too big", "413 Content Too Large"));
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n",
    );
    const response = await client.readResponse();
    assert.equal(response.status, 413);
    assert.equal(headerValue(response, "connection"), "close");
    assert.equal(await client.readEnd(), "end");
  });

  test("target: an absolute form is served as its host and path, whatever Host says", async (t) => {
    let seen: Awaited<ReturnType<RawConnection["readRequest"]>> | undefined;
    script = async (connection) => {
      seen = await connection.readRequest();
      await connection.send(plainResponse("fine"));
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("GET http://real.example/p?q HTTP/1.1\r\nHost: other.example\r\n\r\n");
    assert.equal((await client.readResponse()).status, 200);
    assert.equal(seen!.startLine, "GET /p?q HTTP/1.1");
    assert.deepEqual(headerValues(seen!, "host"), ["real.example"]);
  });

  test("target: OPTIONS * is answered by the gateway, CONNECT is refused", async (t) => {
    script = ok;
    const client = await rawConnect(t, gateway.port);
    await client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.readResponse()).status, 204);
    const tunnel = await rawConnect(t, gateway.port);
    await tunnel.send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
    assert.equal((await tunnel.readResponse()).status, 405);
  });

  test("path: is normalised before it is matched and forwarded as it was matched", async (t) => {
    script = async (connection) => {
      for (;;) {
        const { startLine } = await connection.readRequest();
        await connection.send(plainResponse(startLine));
      }
    };
    const client = await rawConnect(t, gateway.port);
    const cases = [
      ["/a/./b/../c", "GET /a/c HTTP/1.1"],
      ["/a//b", "GET /a/b HTTP/1.1"],
      ["/%61%2e%2E/x", "GET /a../x HTTP/1.1"],
      ["/a/%2e%2e/hello?x", undefined],
    ] as const;
    for (const [path, expected] of cases) {
      await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const response = await client.readResponse();
      assert.equal(response.body.toString(), expected ?? "hello", path);
    }
    for (const path of ["/a%2fb", "/a%5cb", "/%00", "/../x", "/a%zz", "/a\\b"]) {
      const refused = await rawConnect(t, gateway.port);
      await refused.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      assert.equal((await refused.readResponse()).status, 400, path);
    }
  });

  test("Connection: close: is honoured and announced", async (t) => {
    script = ok;
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const response = await client.readResponse();
    assert.equal(headerValue(response, "connection"), "close");
    assert.equal(await client.readEnd(), "end");
  });

  test("half-close: a client that has finished sending still gets its answer", async (t) => {
    script = ok;
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    client.end();
    assert.equal((await client.readResponse()).body.toString(), "fine");
    assert.equal(await client.readEnd(), "end");
  });

  test("upgrade: becomes a tunnel, and what was sent too early belongs to it", async (t) => {
    let head = "";
    script = async (connection) => {
      head = (await connection.readUntil("\r\n\r\n")).toString();
      await connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Kept: 1\r\n\r\nwelcome ",
      );
      await connection.readUntil("early");
      await connection.send("got early ");
      await connection.readUntil("late");
      await connection.send("got late");
      connection.end();
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly",
    );
    const answer = (await client.readUntil("got early ")).toString();
    assert.match(answer, /^HTTP\/1\.1 101 /);
    assert.match(answer, /upgrade: echo\r\n/i);
    assert.match(answer, /x-kept: 1\r\n/i);
    assert.match(answer, /\r\n\r\nwelcome got early $/);
    assert.match(head, /connection: upgrade\r\n/i);
    assert.match(head, /upgrade: echo\r\n/i);
    await client.send("late");
    assert.equal((await client.readUntil("got late")).toString(), "got late");
    assert.equal(await client.readEnd(), "end");
    client.end();
  });

  test("upgrade: h2c is never passed on, and a service may decline any", async (t) => {
    let head = "";
    script = async (connection) => {
      for (;;) {
        head = (await connection.readUntil("\r\n\r\n")).toString();
        await connection.send(plainResponse("no upgrade"));
      }
    };
    const client = await rawConnect(t, gateway.port);
    await client.send(
      "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    );
    assert.equal((await client.readResponse()).body.toString(), "no upgrade");
    assert.doesNotMatch(head, /upgrade|http2-settings/i);
    await client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    assert.equal((await client.readResponse()).body.toString(), "no upgrade");
  });

  test("events: each piece of a stream leaves as it comes", async (t) => {
    let next: (() => Promise<void>) | undefined;
    script = async (connection) => {
      await connection.readRequest();
      await connection.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 0\n\n",
      );
      let count = 1;
      next = () => connection.send(`data: ${count++}\n\n`);
    };
    const client = await rawConnect(t, gateway.port);
    await client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.readUntil("data: 0\n\n");
    for (let count = 1; count <= 3; count++) {
      await next!();
      await client.readUntil(`data: ${count}\n\n`);
    }
  });
});
