/** HTTP/2 clients in front of an HTTP/1.1 service: curl, nghttp, h2load, and node:http2 for the details. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { answerOf, connectHttp2 } from "../support/http2-listener.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService, SeenRequest } from "../support/http-service.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { Pour, drink } from "../support/pour.ts";
import { rawConnect } from "../support/raw-client.ts";
import { requires } from "../support/requires.ts";
import { runCommand } from "../support/run-command.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const shared = fileCleanup();
const MB = 1024 * 1024;
const PREFACE_AND_SETTINGS = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const streamsMax = 50;

describe("HTTP/2 clients", () => {
  let gateway: Gateway;
  let echo: HttpService;
  /** What the service `own` does; each test sets its own. */
  let answer: Answer;

  before(async () => {
    echo = await startHttpService(shared);
    const own = createServer((request, response) => void answer(request, response));
    own.listen(0, "127.0.0.1");
    await once(own, "listening");
    shared.after(() => {
      own.closeAllConnections();
      own.close();
    });
    gateway = await startGateway(shared, {
      listen: [{}, { http2: false }],
      limits: { headBytes: "4kb", headerCount: 20, uriBytes: "1kb", streams: streamsMax },
      services: { echo: echo.url, own: `http://127.0.0.1:${(own.address() as AddressInfo).port}` },
      routes: [
        { match: "/*", service: "echo" },
        { match: "/own", service: "own" },
        { match: "GET /hello", respond: { body: "hello" } },
      ],
    });
  });

  /** What the echoing service saw. */
  function seenBy(body: string): SeenRequest {
    return JSON.parse(body) as SeenRequest;
  }

  test(
    "curl: speaks HTTP/2 by prior knowledge, and HTTP/1.1 when it would upgrade",
    { skip: requires("curl") },
    async () => {
      const show = ["-sS", "-w", " %{http_version}", `${gateway.url}/hello`];
      const known = await runCommand("curl", ["--http2-prior-knowledge", ...show]);
      assert.equal(known.stdout, "hello 2");
      const upgrading = await runCommand("curl", ["--http2", ...show]);
      assert.equal(upgrading.stdout, "hello 1.1");
    },
  );

  test(
    "curl: posts a body and gets the answer of an HTTP/1.1 service",
    { skip: requires("curl") },
    async () => {
      const body = "x".repeat(3 * MB);
      const args = ["--http2-prior-knowledge", "-sS", "--data-binary", "@-", `${gateway.url}/a`];
      const { stdout } = await runCommand("curl", args, body);
      const seen = seenBy(stdout);
      assert.deepEqual(
        [seen.httpVersion, seen.method, seen.bodyBytes],
        ["1.1", "POST", body.length],
      );
      assert.equal(Object.fromEntries(seen.headers)["via"], "2 gateward");
    },
  );

  test("nghttp: gets an answer whose frames it takes", { skip: requires("nghttp") }, async () => {
    const { stdout, code } = await runCommand("nghttp", ["-nv", `${gateway.url}/hello`]);
    assert.equal(code, 0);
    assert.match(stdout, /:status: 200/);
    assert.match(stdout, new RegExp(`SETTINGS_MAX_CONCURRENT_STREAMS\\(0x03\\):${streamsMax}\\]`));
    assert.match(stdout, /recv DATA frame <length=5, flags=0x01/);
  });

  test(
    "h2load: thousands of requests on a few connections all succeed",
    { skip: requires("h2load") },
    async () => {
      for (const path of ["/hello", "/a"]) {
        const args = ["-n", "2000", "-c", "4", "-m", "40", gateway.url + path];
        const { stdout } = await runCommand("h2load", args);
        assert.match(stdout, /2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed/);
        assert.match(stdout, /status codes: 2000 2xx/);
      }
    },
  );

  test("streams: many at once on one connection do not get mixed up", async (t) => {
    const session = connectHttp2(t, gateway.port);
    await once(session, "remoteSettings");
    // More than are allowed at once: the client holds the rest back.
    const paths = Array.from({ length: 4 * streamsMax }, (_, at) => `/${at}`);
    const answers = paths.map(async (path) => {
      const stream = session.request({ ":path": path, ":method": "POST" });
      stream.end(path.repeat(100));
      const { url, bodyBytes } = seenBy((await answerOf(stream)).body);
      assert.deepEqual([url, bodyBytes], [path, path.length * 100]);
    });
    await Promise.all(answers);
  });

  test("streams: one that stands still holds up no other", async (t) => {
    const pours: Pour[] = [];
    answer = (_, response) => void pours.push(new Pour(response, 64 * MB));
    const session = connectHttp2(t, gateway.port);
    const first = await memoryBytes(gateway);
    // A client of node:http2 opens the window of a stream only as it is read.
    const still = Array.from({ length: 10 }, () => session.request({ ":path": "/own" }));
    for (const stream of still) stream.on("error", () => {});
    await Promise.all(still.map((stream) => once(stream, "response")));
    await Promise.all(pours.map(({ stuck }) => stuck));
    const { body } = await answerOf(session.request({ ":path": "/hello" }));
    assert.equal(body, "hello");
    const grownBytes = (await memoryBytes(gateway)) - first;
    assert.ok(grownBytes < 32 * MB, `grown by ${grownBytes} bytes`);
    for (const stream of still) stream.close(constants.NGHTTP2_CANCEL);
  });

  test("bodies: 20 MB pass unchanged both ways, however slow either side is", async (t) => {
    const length = 20 * MB - 17;
    const { promise: taking, resolve: take } = Promise.withResolvers<void>();
    let uploaded = "";
    let download: Pour | undefined;
    answer = async (request, response) => {
      await taking;
      ({ hash: uploaded } = await drink(request));
      download = new Pour(response, length);
    };
    const first = await memoryBytes(gateway);
    const stream = connectHttp2(t, gateway.port).request({ ":method": "POST", ":path": "/own" });
    const upload = new Pour(stream, length);
    await upload.stuck;
    assert.ok(upload.takenBytes < 12 * MB);
    assert.ok((await memoryBytes(gateway)) - first < 16 * MB);
    take();
    await once(stream, "response");
    await download!.stuck;
    const { bytes, hash } = await drink(stream);
    assert.equal(bytes, length);
    assert.equal(hash, await download!.done);
    assert.equal(uploaded, await upload.done);
  });

  test("trailers: pass both ways between HTTP/2 and chunks", async (t) => {
    let received: NodeJS.Dict<string> = {};
    answer = async (request, response) => {
      await drink(request);
      received = request.trailers;
      response.writeHead(200, { trailer: "x-sum" });
      response.write("hello");
      response.addTrailers({ "x-sum": "5" });
      response.end();
    };
    const session = connectHttp2(t, gateway.port);
    const head = { ":method": "POST", ":path": "/own", trailer: "x-check", te: "trailers" };
    const stream = session.request(head, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-check": "3" }));
    stream.end("abc");
    const { body, trailers } = await answerOf(stream);
    assert.deepEqual([received["x-check"], body, trailers?.["x-sum"]], ["3", "hello", "5"]);
  });

  test("no body: HEAD, 204 and 304 end with their heads", async (t) => {
    const session = connectHttp2(t, gateway.port);
    answer = (request, response) => {
      const status = Number(request.headers["x-status"]);
      response.writeHead(status, status === 200 ? { "content-length": 1000 } : { etag: "x" });
      response.end();
    };
    for (const [method, status] of [
      ["HEAD", 200],
      ["GET", 204],
      ["GET", 304],
    ] as const) {
      const stream = session.request({ ":method": method, ":path": "/own", "x-status": status });
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      assert.equal(headers[":status"], status);
      assert.equal(headers["content-length"], status === 200 ? "1000" : undefined);
      const { bytes } = await drink(stream);
      assert.deepEqual([bytes, stream.rstCode], [0, 0]);
    }
  });

  test("interim responses: early hints pass before the response", async (t) => {
    answer = (_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.end("fine");
    };
    const stream = connectHttp2(t, gateway.port).request({ ":path": "/own" });
    const hints = once(stream, "headers") as Promise<[IncomingHttpHeaders]>;
    const { body } = await answerOf(stream);
    const [headers] = await hints;
    assert.deepEqual(
      [headers[":status"], headers["link"], body],
      [103, "</a.css>; rel=preload", "fine"],
    );
  });

  test("Expect: 100-continue: the client is told to go on by the service", async (t) => {
    const stream = connectHttp2(t, gateway.port).request({
      ":method": "POST",
      ":path": "/a",
      expect: "100-continue",
    });
    await once(stream, "continue");
    stream.end("body");
    assert.equal(seenBy((await answerOf(stream)).body).bodyBytes, 4);
  });

  test("cookies: split ones reach the service as one line, Set-Cookie lines stay apart", async (t) => {
    let raw: string[] = [];
    answer = (request, response) => {
      raw = request.rawHeaders;
      response.setHeader("set-cookie", ["a=1; Path=/", "b=2"]);
      response.end();
    };
    const session = connectHttp2(t, gateway.port);
    const crumbs = ["a=1", "b=2", "c=3"];
    const stream = session.request({ ":path": "/own", cookie: crumbs as unknown as string });
    const { headers } = await answerOf(stream);
    const cookies = raw.filter((_, at) => raw[at - 1]?.toLowerCase() === "cookie");
    assert.deepEqual(cookies, ["a=1; b=2; c=3"]);
    assert.deepEqual(headers["set-cookie"], ["a=1; Path=/", "b=2"]);
  });

  test("fields: what the service is told of the client is the gateway's word", async (t) => {
    const session = connectHttp2(t, gateway.port);
    const stream = session.request({
      ":path": "/a?b=c",
      ":authority": "api.example:81",
      "x-forwarded-for": "6.6.6.6",
      "x-own": "kept",
    });
    const { url, headers } = seenBy((await answerOf(stream)).body);
    assert.equal(url, "/a?b=c");
    assert.deepEqual(
      headers.filter(([name]) => name !== "x-request-id"),
      [
        ["host", "api.example:81"],
        ["x-own", "kept"],
        ["x-forwarded-for", "127.0.0.1"],
        ["x-forwarded-proto", "http"],
        ["x-forwarded-port", String(gateway.port)],
        ["x-forwarded-host", "api.example:81"],
        ["via", "2 gateward"],
      ],
    );
  });

  test("limits: a head too large is answered 431, a target 414, and the connection lives on", async (t) => {
    const session = connectHttp2(t, gateway.port);
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`x-${at}`, "1"]));
    const statuses = [
      (await answerOf(session.request({ ":path": "/a", "x-large": "a".repeat(5000) }))).status,
      (await answerOf(session.request({ ":path": "/a", ...many }))).status,
      (await answerOf(session.request({ ":path": `/${"a".repeat(1100)}` }))).status,
      (await answerOf(session.request({ ":path": "/hello" }))).status,
    ];
    assert.deepEqual(statuses, [431, 431, 414, 200]);
  });

  test("preface: is recognised wherever packets cut it", async (t) => {
    for (let cut = 1; cut < PREFACE_AND_SETTINGS.length; cut++) {
      const client = await rawConnect(t, gateway.port);
      await client.sendCut(PREFACE_AND_SETTINGS, cut);
      // The gateway's own settings: a frame of type 4 on stream 0.
      const answered = await client.readUntil((unread) => unread.length >= 9);
      assert.deepEqual([...answered.subarray(3, 9)], [4, 0, 0, 0, 0, 0], `cut at ${cut}`);
      client.destroy();
    }
    const slow = await rawConnect(t, gateway.port);
    await slow.trickle(PREFACE_AND_SETTINGS);
    await slow.readUntil((unread) => unread.length >= 9);
  });

  test("http2: false: a connection that begins with the preface is closed", async (t) => {
    const client = await rawConnect(t, gateway.ports[1]!);
    await client.send(PREFACE_AND_SETTINGS);
    await client.readEnd();
    assert.equal(client.received.length, 0);
    const other = await rawConnect(t, gateway.ports[1]!);
    await other.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await other.readResponse()).status, 200);
  });
});
