import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { FakeExchange } from "../../../test/support/fake-exchange.ts";
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  literals,
  requestHead,
  uint32,
} from "../../../test/support/http2-frames.ts";
import {
  answerOf,
  connectFrames,
  connectHttp2,
  listenHttp2,
} from "../../../test/support/http2-listener.ts";
import {
  BAD_TARGET,
  HEAD_TOO_LARGE,
  HOST_DOUBLED,
  HOST_MISSING,
  TARGET_TOO_LONG,
  TOO_MANY_FIELDS,
} from "../http1/refusal.ts";

const PROTOCOL_ERROR = 1;
const INTERNAL_ERROR = 2;
const CANCEL = 8;
const ENHANCE_YOUR_CALM = 11;

const hello = { request: (exchange: FakeExchange): void => exchange.answer(200, "hello") };

type Pairs = (readonly [string, string])[];

const refused: readonly (readonly [string, Pairs, number])[] = [
  ["Host differs from :authority", requestHead("GET", "/", ["host", "b.example"]), HOST_DOUBLED],
  [
    "there is neither Host nor :authority",
    [
      [":method", "GET"],
      [":scheme", "x"],
      [":path", "/"],
    ],
    HOST_MISSING,
  ],
  ["the path is an absolute form", pathOf("http://b.example/"), BAD_TARGET],
  ["the path holds a fragment", pathOf("/a#b"), BAD_TARGET],
  ["* is asked for with GET", pathOf("*"), BAD_TARGET],
  ["the target is too long", pathOf("/" + "a".repeat(9000)), TARGET_TOO_LONG],
  [
    "the head is too large",
    requestHead("GET", "/", ["x-large", "a".repeat(33_000)]),
    HEAD_TOO_LARGE,
  ],
  [
    "there are too many fields",
    requestHead("GET", "/", ...Array.from({ length: 101 }, (_, at) => [`x-${at}`, "1"] as const)),
    TOO_MANY_FIELDS,
  ],
];

/** With a scheme of its own, the path is free as far as nghttp2 cares. */
function pathOf(path: string): Pairs {
  return [
    [":method", "GET"],
    [":scheme", "x"],
    [":path", path],
    [":authority", "a.example"],
  ];
}

for (const [what, fields, refusal] of refused) {
  test(`http2 server: refuses a request when ${what}`, async (t) => {
    const { port, exchanges } = await listenHttp2(t, { script: hello });
    const peer = await connectFrames(t, port);
    sendLong(peer, 1, fields, END_STREAM);
    const answer = await Promise.race([peer.frame(HEADERS, 1), peer.frame(RST_STREAM, 1)]);
    const [exchange] = exchanges.all;
    if (answer.type === RST_STREAM) {
      // nghttp2 was faster; what counts is that nothing came through.
      assert.equal(exchange, undefined);
      return;
    }
    assert.equal(exchange!.refusal, refusal);
    assert.deepEqual(exchange!.events, ["refused"]);
    peer.sendHead(3, requestHead("GET", "/"), END_STREAM);
    await peer.frame(DATA, 3);
  });
}

/** A head in as many frames as it needs. */
function sendLong(
  peer: Awaited<ReturnType<typeof connectFrames>>,
  id: number,
  fields: Pairs,
  flags: number,
): void {
  const block = literals(fields);
  for (let at = 0; at === 0 || at < block.length; at += 16_000) {
    const last = at + 16_000 >= block.length ? END_HEADERS : 0;
    const type = at === 0 ? HEADERS : CONTINUATION;
    peer.send(type, (at === 0 ? flags : 0) | last, id, block.subarray(at, at + 16_000));
  }
}

const malformed: readonly (readonly [string, Pairs])[] = [
  ["Connection", requestHead("GET", "/", ["connection", "close"])],
  ["Transfer-Encoding", requestHead("POST", "/", ["transfer-encoding", "chunked"])],
  ["Keep-Alive", requestHead("GET", "/", ["keep-alive", "1"])],
  ["Proxy-Connection", requestHead("GET", "/", ["proxy-connection", "close"])],
  ["Upgrade", requestHead("GET", "/", ["upgrade", "websocket"])],
  ["TE with gzip", requestHead("GET", "/", ["te", "gzip"])],
  ["a second :path", [...requestHead("GET", "/"), [":path", "/b"]]],
  ["a pseudo-header field after another field", [["a", "1"], ...requestHead("GET", "/")]],
  ["two lengths", requestHead("POST", "/", ["content-length", "1"], ["content-length", "2"])],
  ["a length that is none", requestHead("POST", "/", ["content-length", "1,1"])],
  ["a length and no body", requestHead("POST", "/", ["content-length", "5"])],
];

for (const [what, fields] of malformed) {
  test(`http2 server: a request with ${what} reaches nobody`, async (t) => {
    const { port, exchanges } = await listenHttp2(t, { script: hello });
    const peer = await connectFrames(t, port);
    peer.sendHead(1, fields, END_STREAM);
    const reset = await peer.frame(RST_STREAM, 1);
    assert.equal(reset.payload.readUInt32BE(), PROTOCOL_ERROR);
    assert.equal(exchanges.all.length, 0);
  });
}

const dropped: readonly (readonly [string, readonly [string, string]])[] = [
  ["an upper-case name", ["X-Upper", "1"]],
  ["CRLF in a value", ["x-bad", "1\r\nx-smuggled: 2"]],
  ["CRLF in a name", ["x-bad\r\nx-smuggled", "2"]],
  ["NUL in a value", ["x-bad", "1\0"]],
  ["a colon in a name", ["x-bad:a", "1"]],
  ["an upper-case Content-Length", ["Content-Length", "5"]],
];

for (const [what, field] of dropped) {
  test(`http2 server: a field with ${what} goes no further`, async (t) => {
    const { port, exchanges } = await listenHttp2(t, { script: hello });
    const peer = await connectFrames(t, port);
    peer.sendHead(1, requestHead("GET", "/", field, ["x-good", "1"]), END_STREAM);
    await Promise.race([peer.frame(HEADERS, 1), peer.frame(RST_STREAM, 1)]);
    for (const { lines } of exchanges.all)
      assert.deepEqual(lines, ["host: a.example", "x-good: 1"]);
  });
}

test("http2 server: more DATA than announced ends the connection and the exchange is told", async (t) => {
  const { port, exchanges } = await listenHttp2(t);
  const peer = await connectFrames(t, port);
  peer.sendHead(1, requestHead("POST", "/", ["content-length", "3"]), 0);
  peer.sendData(1, "four", END_STREAM);
  await peer.closed();
  const [exchange] = exchanges.all;
  await exchange!.when("gone");
  assert.ok(!exchange!.events.includes("end"));
  assert.equal(exchange!.bodyBytes, 0);
});

test("http2 server: less DATA than announced resets the stream and the exchange is told", async (t) => {
  const { port, exchanges } = await listenHttp2(t);
  const peer = await connectFrames(t, port);
  peer.sendHead(1, requestHead("POST", "/", ["content-length", "5"]), 0);
  peer.sendData(1, "four", END_STREAM);
  await peer.frame(RST_STREAM, 1);
  const [exchange] = exchanges.all;
  await exchange!.when("gone");
  assert.ok(!exchange!.events.includes("end"));
});

for (const method of ["GET", "HEAD", "POST"]) {
  test(`http2 server: a client that resets ${method} requests again and again is cut off`, async (t) => {
    const { port, exchanges, server } = await listenHttp2(t, { settings: { resetStreamsMax: 20 } });
    const peer = await connectFrames(t, port);
    await peer.frame(SETTINGS);
    for (let id = 1; id < 401; id += 2) {
      peer.sendHead(id, requestHead(method, "/"), method === "POST" ? 0 : END_STREAM);
      peer.sendReset(id, CANCEL);
    }
    const goaway = await peer.frame(GOAWAY);
    assert.equal(goaway.payload.readUInt32BE(4), ENHANCE_YOUR_CALM);
    await peer.closed();
    assert.ok(exchanges.all.length <= 22, `${exchanges.all.length} requests were begun`);
    for (const exchange of exchanges.all) assert.ok(exchange.events.includes("gone"));
    assert.equal(server.sessionCount, 0);
  });
}

test("http2 server: streams that a client makes the server reset count as its resets", async (t) => {
  const { port } = await listenHttp2(t, { settings: { resetStreamsMax: 20 } });
  const peer = await connectFrames(t, port);
  for (let id = 1; id < 101; id += 2) {
    peer.sendHead(id, requestHead("POST", "/", ["content-length", "5"]), 0);
    peer.sendData(id, "four", END_STREAM);
  }
  await peer.closed();
});

test("http2 server: a client that opens more streams than allowed loses the connection", async (t) => {
  const { port, exchanges } = await listenHttp2(t, { settings: { streamsMax: 5 } });
  const peer = await connectFrames(t, port);
  await peer.frame(SETTINGS);
  for (let id = 1; id < 40; id += 2) peer.sendHead(id, requestHead("GET", "/"), END_STREAM);
  const goaway = await peer.frame(GOAWAY);
  assert.equal(goaway.payload.readUInt32BE(4), PROTOCOL_ERROR);
  assert.equal(exchanges.all.length, 5);
});

test("http2 server: a head in endless CONTINUATION frames ends the connection", async (t) => {
  const { port, exchanges } = await listenHttp2(t);
  const peer = await connectFrames(t, port);
  peer.send(HEADERS, END_STREAM, 1, literals(requestHead("GET", "/")));
  for (let count = 0; count < 1000; count++) peer.send(CONTINUATION, 0, 1, literals([["a", "b"]]));
  await peer.closed();
  assert.equal(exchanges.all.length, 0);
});

test("http2 server: a head far beyond the limit has its stream reset", async (t) => {
  const { port, exchanges } = await listenHttp2(t, { script: hello });
  const peer = await connectFrames(t, port);
  // The client has confirmed the limit before it breaks it.
  await peer.frame(SETTINGS);
  const large = ["1", "2", "3", "4", "5"].map((at) => [`x-${at}`, "a".repeat(22_000)] as const);
  sendLong(peer, 1, requestHead("GET", "/", ...large), END_STREAM);
  const reset = await peer.frame(RST_STREAM, 1);
  assert.equal(reset.payload.readUInt32BE(), ENHANCE_YOUR_CALM);
  assert.equal(exchanges.all.length, 0);
});

for (const [what, type, payload] of [
  ["PING", PING, Buffer.alloc(8)],
  ["SETTINGS", SETTINGS, Buffer.from([0, 3, 0, 0, 0, 9])],
  ["empty DATA", DATA, Buffer.alloc(0)],
] as const) {
  test(`http2 server: a flood of ${what} frames to which nobody listens ends the connection`, async (t) => {
    const { port } = await listenHttp2(t);
    const peer = await connectFrames(t, port);
    // No answer is read, as a flooding client would not.
    peer.socket.pause();
    peer.sendHead(1, requestHead("POST", "/"), 0);
    const id = type === DATA ? 1 : 0;
    let open = true;
    peer.socket.on("close", () => (open = false));
    for (let count = 0; count < 200 && open; count++) {
      for (let batch = 0; batch < 1000; batch++) peer.send(type, 0, id, payload);
      await new Promise((resolve) => void setImmediate(resolve));
    }
    peer.socket.resume();
    await peer.closed();
  });
}

test("http2 server: a connection on which no request comes is closed after the head timeout", async (t) => {
  const timeouts = { headMs: 50, idleMs: 60_000, bodyMs: 60_000, writeMs: 60_000 };
  const { port } = await listenHttp2(t, { context: { timeouts } });
  const peer = await connectFrames(t, port);
  await peer.frame(GOAWAY);
  await peer.closed();
});

test("http2 server: an idle connection is closed after the idle timeout, with a goodbye", async (t) => {
  const timeouts = { headMs: 60_000, idleMs: 50, bodyMs: 60_000, writeMs: 60_000 };
  const { port } = await listenHttp2(t, { script: hello, context: { timeouts } });
  const session = connectHttp2(t, port);
  const goodbye = once(session, "goaway");
  assert.equal((await answerOf(session.request({}))).body, "hello");
  const [code] = (await goodbye) as [number];
  assert.equal(code, 0);
});

test("http2 server: a body that stops coming is reported, and can be answered", async (t) => {
  const timeouts = { headMs: 60_000, idleMs: 60_000, bodyMs: 50, writeMs: 60_000 };
  const { port, exchanges } = await listenHttp2(t, { context: { timeouts } });
  const session = connectHttp2(t, port);
  const coming = exchanges.next();
  const stream = session.request({ ":method": "POST" });
  stream.write("half");
  const exchange = await coming;
  await exchange.when("timeout");
  exchange.answer(408, "too slow");
  const { status, body } = await answerOf(stream);
  assert.equal(`${status} ${body}`, "408 too slow");
});

test("http2 server: a client that never opens the window of a response loses it", async (t) => {
  const timeouts = { headMs: 60_000, idleMs: 60_000, bodyMs: 60_000, writeMs: 50 };
  const { port, exchanges } = await listenHttp2(t, {
    context: { timeouts },
    script: {
      request(exchange) {
        exchange.sendHead(200, {}, 1_000_000);
        exchange.stream.sendBody(Buffer.alloc(200_000), 0, 200_000);
        assert.equal(exchange.stream.congested, true);
      },
    },
  });
  const peer = await connectFrames(t, port);
  peer.sendHead(1, requestHead("GET", "/"), END_STREAM);
  const reset = await peer.frame(RST_STREAM, 1);
  assert.equal(reset.payload.readUInt32BE(), CANCEL);
  await exchanges.all[0]!.when("gone");
});

test("http2 server: a whole response that a client does not take does not stay for ever", async (t) => {
  const timeouts = { headMs: 60_000, idleMs: 60_000, bodyMs: 60_000, writeMs: 50 };
  const { port } = await listenHttp2(t, {
    context: { timeouts },
    script: { request: (exchange) => exchange.answer(200, "x".repeat(200_000)) },
  });
  const peer = await connectFrames(t, port);
  peer.sendHead(1, requestHead("GET", "/"), END_STREAM);
  await peer.frame(RST_STREAM, 1);
});

test("http2 server: a connection that reads nothing at all is closed", async (t) => {
  const timeouts = { headMs: 60_000, idleMs: 50, bodyMs: 60_000, writeMs: 50 };
  const { port, closedCount, sockets } = await listenHttp2(t, {
    context: { timeouts },
    script: {
      request(exchange) {
        exchange.sendHead(200, {});
        const fill = (): void => {
          while (!exchange.stream.congested)
            exchange.stream.sendBody(Buffer.alloc(65_536), 0, 65_536);
        };
        fill();
      },
      drain(exchange) {
        while (!exchange.stream.congested)
          exchange.stream.sendBody(Buffer.alloc(65_536), 0, 65_536);
      },
    },
  });
  const peer = await connectFrames(t, port);
  peer.socket.pause();
  // Windows as wide as they go: only the socket itself holds the response back.
  peer.send(SETTINGS, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]));
  peer.send(WINDOW_UPDATE, 0, 0, uint32(0x7fff0000));
  peer.sendHead(1, requestHead("GET", "/"), END_STREAM);
  await once(sockets[0] ?? (await waitForSocket(sockets)), "close");
  assert.equal(closedCount(), 1);
});

async function waitForSocket<T>(sockets: readonly T[]): Promise<T> {
  while (sockets.length === 0) await new Promise((resolve) => void setImmediate(resolve));
  return sockets[0]!;
}

test("http2 server: a connection carries as many requests as it may, then says goodbye", async (t) => {
  const { port } = await listenHttp2(t, { script: hello, context: { connectionRequestsMax: 3 } });
  const session = connectHttp2(t, port);
  const goodbye = once(session, "goaway");
  for (let count = 0; count < 3; count++) {
    assert.equal((await answerOf(session.request({}))).body, "hello");
  }
  await goodbye;
});

test("http2 server: bytes that are not HTTP/2 end the connection", async (t) => {
  const { port, closedCount } = await listenHttp2(t);
  const peer = await connectFrames(t, port);
  peer.socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await peer.closed();
  assert.equal(closedCount(), 1);
});

for (const [what, te, early] of [
  ["at once", "", true],
  ["later", "", false],
  ["at once, with trailers awaited", "trailers", true],
  ["later, with trailers awaited", "trailers", false],
] as const) {
  test(`http2 server: a response broken off ${what} is reset, never ended`, async (t) => {
    const { port, exchanges } = await listenHttp2(t, {
      script: {
        request(exchange) {
          exchange.sendHead(200, {});
          exchange.stream.sendBody(Buffer.from("half"), 0, 4);
          if (early) exchange.stream.abort();
        },
      },
    });
    const peer = await connectFrames(t, port);
    const more = te === "" ? [] : [["te", te] as const];
    peer.sendHead(1, requestHead("GET", "/", ...more), END_STREAM);
    if (!early) {
      await peer.frame(DATA, 1);
      exchanges.all[0]!.stream.abort();
    }
    const reset = await peer.frame(RST_STREAM, 1);
    assert.equal(reset.payload.readUInt32BE(), INTERNAL_ERROR);
    assert.deepEqual(endsOf(peer, 1), []);
    // The exchange that gave up is not told of its own doing.
    assert.deepEqual(exchanges.all[0]!.events, ["request"]);
  });
}

test("http2 server: a response broken off while the window is closed is reset, never ended", async (t) => {
  const { port, exchanges } = await listenHttp2(t, {
    script: {
      request(exchange) {
        exchange.sendHead(200, {});
        exchange.stream.sendBody(Buffer.alloc(200_000), 0, 200_000);
      },
    },
  });
  const peer = await connectFrames(t, port);
  peer.sendHead(1, requestHead("GET", "/"), END_STREAM);
  await peer.frame(DATA, 1);
  exchanges.all[0]!.stream.abort();
  await peer.frame(RST_STREAM, 1);
  peer.send(WINDOW_UPDATE, 0, 0, uint32(1_000_000));
  peer.send(PING, 0, 0, Buffer.alloc(8));
  await peer.frame(PING);
  assert.deepEqual(endsOf(peer, 1), []);
});

/** Frames that say that a stream is complete. */
function endsOf(peer: Awaited<ReturnType<typeof connectFrames>>, id: number): unknown[] {
  return peer.frames.filter(
    (frame) => frame.id === id && frame.type <= HEADERS && (frame.flags & END_STREAM) !== 0,
  );
}

for (const [what, status, size] of [
  ["without a body", 204, 0],
  ["with a small body", 413, 5],
  ["with a large body", 413, 100_000],
] as const) {
  test(`http2 server: an answer ${what} before the request's end comes whole and before the reset`, async (t) => {
    const { port } = await listenHttp2(t, {
      script: { request: (exchange) => exchange.answer(status, "x".repeat(size)) },
    });
    const peer = await connectFrames(t, port);
    peer.send(WINDOW_UPDATE, 0, 0, uint32(1_000_000));
    peer.sendHead(1, requestHead("POST", "/"), 0);
    peer.send(WINDOW_UPDATE, 0, 1, uint32(1_000_000));
    const reset = await peer.frame(RST_STREAM, 1);
    assert.equal(reset.payload.readUInt32BE(), 0);
    const { frames } = peer;
    assert.equal(frames.filter((frame) => frame.type === HEADERS).length, 1);
    assert.equal(endsOf(peer, 1).length, 1);
    const data = frames.filter((frame) => frame.type === DATA);
    assert.equal(
      data.reduce((sum, frame) => sum + frame.payload.length, 0),
      size,
    );
    assert.equal(frames.at(-1), reset);
  });
}
