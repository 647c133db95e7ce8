import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { FakeExchange } from "../../../test/support/fake-exchange.ts";
import { answerOf, connectHttp2, listenHttp2 } from "../../../test/support/http2-listener.ts";
import { requires } from "../../../test/support/requires.ts";
import { Fields } from "../fields.ts";
import { BODY_TUNNEL } from "../exchange-streams.ts";

/** Answers with the request's body, as it comes, and its trailers. */
const echo = {
  request(exchange: FakeExchange): void {
    exchange.sendHead(200, { "x-lines": String(exchange.lines.length), trailer: "x-sum" });
  },
  body(exchange: FakeExchange, bytes: Buffer): void {
    exchange.stream.sendBody(bytes, 0, bytes.length);
    if (exchange.stream.congested) exchange.stream.pauseBody();
  },
  drain: (exchange: FakeExchange): void => exchange.stream.resumeBody(),
  end: (exchange: FakeExchange): void => exchange.stream.sendEnd(exchange.trailers),
};

const hello = { request: (exchange: FakeExchange): void => exchange.answer(200, "hello") };

for (const by of ["socket", "handle", "tls"] as const) {
  const skip = by === "tls" && requires("openssl");
  test(`http2 server: answers requests on a connection that came as ${by}`, { skip }, async (t) => {
    const { port, exchanges } = await listenHttp2(t, { script: hello, by });
    const session = connectHttp2(t, port, by === "tls");
    const answers = await Promise.all(
      [1, 2, 3].map(async (number) => await answerOf(session.request({ ":path": `/${number}?q` }))),
    );
    assert.deepEqual(
      answers.map(({ status, body }) => `${status} ${body}`),
      ["200 hello", "200 hello", "200 hello"],
    );
    assert.equal(exchanges.all[1]!.request.target, "/2?q");
    assert.equal(exchanges.all[1]!.stream.protocol, "HTTP/2.0");
    assert.equal(exchanges.all[1]!.stream.connection.isTls, by === "tls");
    if (by === "tls") assert.equal(exchanges.all[0]!.stream.connection.serverName, "localhost");
  });
}

test("http2 server: shows a request as HTTP/1.1 lines would, cookies joined", async (t) => {
  const { port, exchanges } = await listenHttp2(t, { script: hello });
  const session = connectHttp2(t, port);
  const stream = session.request({
    ":path": "/a",
    ":authority": "a.example:8080",
    accept: "text/html",
    cookie: ["a=1", "b=2"],
    "x-latin": "caf\u00e9",
    "x-twice": ["1", "2"],
    te: "trailers",
  });
  await answerOf(stream);
  const [exchange] = exchanges.all;
  const { request } = exchange!;
  assert.deepEqual(exchange!.lines, [
    "host: a.example:8080",
    "accept: text/html",
    "x-latin: caf\u00e9",
    "x-twice: 1",
    "x-twice: 2",
    "cookie: a=1; b=2",
  ]);
  assert.equal(request.method, "GET");
  assert.equal(request.fields.text.slice(0, request.fields.linesStart), "GET /a HTTP/1.1\r\n");
  assert.equal(request.fields.valueAt(request.hostIndex), "a.example:8080");
  assert.equal(request.acceptsTrailers, true);
  assert.equal(request.versionMinor, 2);
  assert.equal(exchange!.hasBody, false);
});

test("http2 server: streams bodies of unknown length both ways, with trailers", async (t) => {
  const { port, exchanges } = await listenHttp2(t, { script: echo });
  const session = connectHttp2(t, port);
  const stream = session.request({ ":method": "POST" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
  stream.write("one ");
  await once(stream, "response");
  stream.end("two");
  const { body, trailers } = await answerOf(stream);
  assert.equal(body, "one two");
  assert.equal(trailers?.["x-sum"], "7");
  assert.equal(exchanges.all[0]!.request.chunked, true);
  assert.equal(exchanges.all[0]!.trailers?.get("x-sum"), "7");
});

test("http2 server: passes a Content-Length on and carries 5 MB through backpressure", async (t) => {
  const { port, exchanges } = await listenHttp2(t, { script: echo });
  const session = connectHttp2(t, port);
  const sent = Buffer.alloc(5 * 1024 * 1024, "0123456789");
  const stream = session.request({ ":method": "PUT", "content-length": sent.length });
  stream.end(sent);
  const { body } = await answerOf(stream);
  assert.equal(body.length, sent.length);
  assert.ok(sent.equals(Buffer.from(body, "latin1")));
  const { request, events } = exchanges.all[0]!;
  assert.equal(request.contentLength, sent.length);
  assert.equal(request.chunked, false);
  assert.ok(events.includes("drain"), "the client never held the response back");
});

test("http2 server: holds a body back while the exchange has paused it", async (t) => {
  const { port, exchanges } = await listenHttp2(t, {
    script: { request: (exchange) => exchange.stream.pauseBody() },
  });
  const session = connectHttp2(t, port);
  await once(session, "remoteSettings");
  const stream = session.request({ ":method": "POST" });
  stream.end(Buffer.alloc(4 * 1024 * 1024));
  const exchange = await exchanges.next();
  await exchange.when("request");
  // Everything the window allows has been sent once the client's ping has come back a few times.
  for (let round = 0; round < 5; round++) await ping(session);
  assert.equal(exchange.bodyBytes, 0);
  const window = session.state.remoteWindowSize!;
  assert.ok(window > 0, "one held stream closes the window of the connection");
  const done = exchange.when("end");
  exchange.stream.resumeBody();
  await done;
  assert.equal(exchange.bodyBytes, 4 * 1024 * 1024);
  exchange.answer(204);
});

async function ping(session: ReturnType<typeof connectHttp2>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

test("http2 server: sends interim responses before the final one", async (t) => {
  const { port } = await listenHttp2(t, {
    script: {
      request(exchange) {
        exchange.response.reset(103, "");
        exchange.response.fields.add("link", "</a.css>; rel=preload");
        exchange.response.fields.add("link", "</b.css>; rel=preload");
        exchange.stream.sendInformational(exchange.response);
        exchange.answer(200, "done");
      },
    },
  });
  const stream = connectHttp2(t, port).request({});
  const early: unknown[] = [];
  stream.on("headers", (headers) => early.push(headers[":status"], headers["link"]));
  const { status, body } = await answerOf(stream);
  assert.deepEqual(early, [103, "</a.css>; rel=preload, </b.css>; rel=preload"]);
  assert.equal(`${status} ${body}`, "200 done");
});

test("http2 server: keeps Set-Cookie lines apart and leaves out what belongs to a connection", async (t) => {
  const { port } = await listenHttp2(t, {
    script: {
      request(exchange) {
        exchange.response.reset(200, "OK");
        const { fields } = exchange.response;
        fields.add("set-cookie", "a=1");
        fields.add("set-cookie", "b=2");
        fields.add("connection", "keep-alive");
        fields.add("keep-alive", "timeout=5");
        fields.add("x-latin", "caf\u00e9");
        exchange.stream.sendHead(exchange.response, 0);
        exchange.stream.sendEnd(null);
      },
    },
  });
  const { headers } = await answerOf(connectHttp2(t, port).request({}));
  assert.deepEqual(headers["set-cookie"], ["a=1", "b=2"]);
  assert.equal(headers["x-latin"], "caf\u00e9");
  assert.equal(headers["connection"], undefined);
  assert.equal(headers["date"], undefined);
});

test("http2 server: a client that says TE: trailers gets unannounced ones, another does not", async (t) => {
  const { port } = await listenHttp2(t, {
    script: {
      request(exchange) {
        const trailers = new Fields();
        trailers.add("grpc-status", "0");
        exchange.sendHead(200, {});
        exchange.stream.sendEnd(trailers);
      },
    },
  });
  const session = connectHttp2(t, port);
  const grpc = await answerOf(session.request({ te: "trailers" }));
  assert.equal(grpc.trailers?.["grpc-status"], "0");
  assert.equal((await answerOf(session.request({}))).trailers, undefined);
});

test("http2 server: a response without a body ends with its head", async (t) => {
  const { port } = await listenHttp2(t, {
    script: {
      request(exchange) {
        exchange.sendHead(200, { "grpc-status": "5" }, 0);
        exchange.stream.sendEnd(null);
      },
    },
  });
  const stream = connectHttp2(t, port).request({ te: "trailers" });
  let flags = 0;
  stream.on("response", (_headers, got) => (flags = got));
  const { headers, trailers } = await answerOf(stream);
  assert.equal(headers["grpc-status"], "5");
  assert.equal(trailers, undefined);
  assert.equal(flags & 1, 1);
});

test("http2 server: HEAD gets the head alone", async (t) => {
  const { port } = await listenHttp2(t, {
    script: {
      request: (exchange) => (
        exchange.sendHead(200, { "content-length": "5" }, 0),
        exchange.stream.sendEnd(null)
      ),
    },
  });
  const { headers, body, code } = await answerOf(
    connectHttp2(t, port).request({ ":method": "HEAD" }),
  );
  assert.equal(headers["content-length"], "5");
  assert.equal(body, "");
  assert.equal(code, 0);
});

test("http2 server: a response that breaks off resets the stream with INTERNAL_ERROR", async (t) => {
  const { port } = await listenHttp2(t, {
    script: {
      request(exchange) {
        exchange.sendHead(200, {});
        exchange.stream.sendBody(Buffer.from("half"), 0, 4);
        exchange.stream.abort();
      },
    },
  });
  const session = connectHttp2(t, port);
  const { code } = await answerOf(session.request({}));
  assert.equal(code, 2);
  assert.equal(session.destroyed, false);
});

test("http2 server: tells the exchange when the client resets the stream or leaves", async (t) => {
  const { port, exchanges } = await listenHttp2(t, {});
  const session = connectHttp2(t, port);
  const first = session.request({});
  const coming = exchanges.next();
  first.on("error", () => {});
  const exchange = await coming;
  await exchange.when("request");
  first.close(8);
  await exchange.when("gone");
  const second = exchanges.next();
  session.request({}).on("error", () => {});
  await (await second).when("request");
  session.destroy();
  await exchanges.all[1]!.when("gone");
  assert.deepEqual(exchange.events, ["request", "gone"]);
});

test("http2 server: an answer before the body's end goes out whole, then the client may stop", async (t) => {
  const { port, exchanges } = await listenHttp2(t, {
    script: { request: (exchange) => exchange.answer(413, "x".repeat(300_000)) },
  });
  const session = connectHttp2(t, port);
  const stream = session.request({ ":method": "POST" });
  stream.write(Buffer.alloc(1000));
  const { status, body, code } = await answerOf(stream);
  assert.equal(status, 413);
  assert.equal(body.length, 300_000);
  assert.equal(code, 0);
  assert.equal((await answerOf(session.request({}))).status, 413);
  assert.deepEqual(exchanges.all[0]!.events, ["request"]);
});

test("http2 server: an early answer with trailers keeps them", async (t) => {
  const { port } = await listenHttp2(t, {
    script: {
      request(exchange) {
        const trailers = new Fields();
        trailers.add("grpc-status", "8");
        exchange.sendHead(200, {});
        exchange.stream.sendBody(Buffer.alloc(100_000), 0, 100_000);
        exchange.stream.sendEnd(trailers);
      },
    },
  });
  const stream = connectHttp2(t, port).request({ ":method": "POST", te: "trailers" });
  stream.write("still talking");
  const { body, trailers, code } = await answerOf(stream);
  assert.equal(body.length, 100_000);
  assert.equal(trailers?.["grpc-status"], "8");
  assert.equal(code, 0);
});

test("http2 server: an extended CONNECT becomes an upgrade and a tunnel both ways", async (t) => {
  const { port, exchanges } = await listenHttp2(t, {
    script: {
      request(exchange) {
        exchange.response.reset(101, "Switching Protocols");
        exchange.response.fields.add("sec-websocket-accept", "x");
        exchange.response.fields.add("sec-websocket-protocol", "chat");
        exchange.stream.sendHead(exchange.response, BODY_TUNNEL);
      },
      body: (exchange, bytes) => exchange.stream.sendBody(bytes, 0, bytes.length),
      end: (exchange) => exchange.stream.sendEnd(null),
    },
  });
  const session = connectHttp2(t, port);
  await once(session, "remoteSettings");
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": "/chat",
    "sec-websocket-version": "13",
  });
  stream.write("ping");
  const [bytes] = (await once(stream, "data")) as [Buffer];
  assert.equal(bytes.toString(), "ping");
  stream.end();
  const { headers } = await answerOf(stream).then((answer) => answer);
  void headers;
  const { request } = exchanges.all[0]!;
  assert.equal(request.method, "GET");
  assert.equal(request.target, "/chat");
  assert.equal(request.fields.valueAt(request.upgradeIndex), "websocket");
  assert.match(request.fields.get("sec-websocket-key")!, /^[\w+/]{22}==$/);
  assert.equal(exchanges.all[0]!.hasBody, false);
});

test("http2 server: draining serves what is under way, then says goodbye", async (t) => {
  const { port, server, exchanges, closedCount } = await listenHttp2(t, {});
  const session = connectHttp2(t, port);
  const coming = exchanges.next();
  const stream = session.request({});
  const exchange = await coming;
  await exchange.when("request");
  const goodbye = once(session, "goaway");
  server.drain();
  const [code] = (await goodbye) as [number];
  assert.equal(code, 0);
  const closed = once(session, "close");
  exchange.answer(200, "late");
  assert.equal((await answerOf(stream)).body, "late");
  await closed;
  await t.waitFor(() => assert.deepEqual([server.sessionCount, closedCount()], [0, 1]));
});

test("http2 server: an idle session is drained at once", async (t) => {
  const { port, server } = await listenHttp2(t, { script: hello });
  const session = connectHttp2(t, port);
  await answerOf(session.request({}));
  const closed = once(session, "close");
  server.drain();
  await closed;
});

test("http2 server: a listener that throws ends its request, not the session", async (t) => {
  const reports: unknown[] = [];
  const { onListenerError } = await import("../handle-transport.ts");
  onListenerError((error) => reports.push(error));
  const { port } = await listenHttp2(t, {
    script: {
      request(exchange) {
        if (exchange.request.target === "/bad") throw new Error("a bug");
        exchange.answer(200, "fine");
      },
    },
  });
  const session = connectHttp2(t, port);
  const { code } = await answerOf(session.request({ ":path": "/bad" }));
  assert.equal(code, 2);
  assert.equal((await answerOf(session.request({}))).body, "fine");
  assert.equal(reports.length, 1);
});
