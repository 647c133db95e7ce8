/** HTTP/2 clients that mean ill: requests that shall be read otherwise behind the gateway, and floods. */
import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  frameBytes,
  literals,
  requestHead,
  uint32,
} from "../support/http2-frames.ts";
import type { FramePeer } from "../support/http2-frames.ts";
import { answerOf, connectFrames, connectHttp2 } from "../support/http2-listener.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { metricValue } from "../support/metric-value.ts";
import { startRecordingService } from "../support/recording-service.ts";
import type { RecordingService } from "../support/recording-service.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
const CANCEL = 8;
const resetStreams = 100;

type Pairs = readonly (readonly [string, string])[];

const post = (...more: Pairs): Pairs => requestHead("POST", "/a", ...more);
const smuggled = "\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";

/** A request's pseudo-header fields with one of them changed, or left out. */
function pseudo(name: string, value?: string): Pairs {
  const fields = requestHead("GET", "/a");
  if (value === undefined) return fields.filter(([key]) => key !== name);
  return fields.map(([key, was]) => [key, key === name ? value : was] as const);
}

/** Heads with END_STREAM: none of them is a request. */
const heads: readonly (readonly [string, Pairs])[] = [
  ["a path that holds a request", pseudo(":path", `/a HTTP/1.1${smuggled}`)],
  ["a path with a space", pseudo(":path", "/a HTTP/1.1")],
  ["a path with a line feed", pseudo(":path", "/a\n")],
  ["a path with a NUL", pseudo(":path", "/a\0b")],
  ["a path with a control character", pseudo(":path", "/a\x7fb")],
  ["a path with a fragment", pseudo(":path", "/a#b")],
  ["a path without a slash", pseudo(":path", "a")],
  ["a path in absolute form", pseudo(":path", "http://b.example/")],
  ["an empty path", pseudo(":path", "")],
  ["no path", pseudo(":path")],
  ["two paths", [...pseudo(":path", "/a"), [":path", "/b"]]],
  [
    "a method that holds a request line",
    pseudo(":method", "GET /smuggled HTTP/1.1\r\nx: y\r\n\r\nGET"),
  ],
  ["a method with a space", pseudo(":method", "GET /b")],
  ["an empty method", pseudo(":method", "")],
  ["no method", pseudo(":method")],
  ["two methods", [...pseudo(":method", "GET"), [":method", "POST"]]],
  ["no scheme", pseudo(":scheme")],
  ["an authority that holds a line", pseudo(":authority", "a.example\r\nx-forwarded-for: 6.6.6.6")],
  ["an authority that holds a path", pseudo(":authority", "a.example/b")],
  ["an authority that holds a user", pseudo(":authority", "me@a.example")],
  ["an authority with a space", pseudo(":authority", "a.example b.example")],
  ["a host that differs from the authority", requestHead("GET", "/a", ["host", "b.example"])],
  [
    "two hosts that differ",
    [...pseudo(":authority"), ["host", "a.example"], ["host", "b.example"]],
  ],
  ["an unknown pseudo-header field", [...requestHead("GET", "/a"), [":evil", "1"]]],
  ["a status", [[":status", "200"], ...requestHead("GET", "/a")]],
  ["a pseudo-header field after a field", [["x-a", "b"], ...requestHead("GET", "/a")]],
  ["Transfer-Encoding", requestHead("GET", "/a", ["transfer-encoding", "chunked"])],
  ["a name in upper case", requestHead("GET", "/a", ["X-Upper", "1"])],
  ["Connection", requestHead("GET", "/a", ["connection", "close, host"])],
  ["Keep-Alive", requestHead("GET", "/a", ["keep-alive", "timeout=5"])],
  ["Proxy-Connection", requestHead("GET", "/a", ["proxy-connection", "keep-alive"])],
  ["Upgrade", requestHead("GET", "/a", ["upgrade", "websocket"])],
  ["HTTP2-Settings", requestHead("GET", "/a", ["http2-settings", "AAMAAABk"])],
  ["TE other than trailers", requestHead("GET", "/a", ["te", "gzip, chunked"])],
  ["a length and no body", requestHead("GET", "/a", ["content-length", "5"])],
  [
    "CONNECT to a server",
    [
      [":method", "CONNECT"],
      [":authority", "b.example:443"],
    ],
  ],
];

/** Fields that nghttp2 leaves out, as RFC 7540 allowed: the request goes on without them. */
const fields: readonly (readonly [string, readonly [string, string]])[] = [
  ["a name that holds a line", ["x: y\r\nz", "1"]],
  ["a name with a colon", ["x:y", "1"]],
  ["a name with a space", ["x y", "1"]],
  ["an empty name", ["", "1"]],
  ["a value that holds a request", ["x-a", `b${smuggled}`]],
  ["a value with a line feed", ["x-a", "b\nc: d"]],
  ["a value with a carriage return", ["x-a", "b\rc"]],
  ["a value with a NUL", ["x-a", "b\0"]],
  ["a value with a control character", ["x-a", "b\x01"]],
];

/** Lengths for a body of five bytes that it does not have, or that are none. */
const lengths = ["3", "7", "+5", "-5", "0x5", "5.0", "5,5", "5 5", "", "99999999999999999999"];

describe("HTTP/2 attacks", () => {
  let gateway: Gateway;
  let service: RecordingService;

  before(async () => {
    service = await startRecordingService(shared);
    gateway = await startGateway(shared, {
      limits: { resetStreams, streams: 100, headBytes: "8kb", headerCount: 50 },
      timeouts: { head: "1s" },
      services: { raw: service.url },
      routes: [
        { match: "/*", service: "raw" },
        { match: "GET /hello", respond: { body: "hello" } },
      ],
    });
  });

  /** Whatever a test did: the same worker serves others, and has let go of the attacker. */
  afterEach(async (t) => {
    const { status } = await answerOf(
      connectHttp2(t as TestContext, gateway.port).request({ ":path": "/hello" }),
    );
    assert.equal(status, 200);
    assert.equal(await metricValue(gateway, "gateward_worker_restarts_total"), 0);
  });

  /** What the gateway does about a stream: a status, a reset or the end of the connection. */
  async function verdict(peer: FramePeer, id: number): Promise<string> {
    const reset = peer.frame(RST_STREAM, id).then(() => "reset");
    const head = peer.frame(HEADERS, id).then(() => "answered");
    const closed = peer.closed().then(() => "closed");
    for (const promise of [reset, head, closed]) promise.catch(() => {});
    return await Promise.any([head, reset, closed]);
  }

  /** The requests that came to the service until now, and what they are made of. */
  async function lines(t: TestContext): Promise<string[]> {
    const last = await answerOf(connectHttp2(t, gateway.port).request({ ":path": "/last" }));
    assert.equal(last.status, 200);
    const requests = service.take();
    assert.equal(requests.at(-1)?.startLine, "GET /last HTTP/1.1");
    return requests.slice(0, -1).map(({ startLine }) => startLine);
  }

  /** Sends a head that is to be continued. Only frames that continue it may follow, so no more ACK. */
  async function startHead(t: TestContext): Promise<FramePeer> {
    const peer = await connectFrames(t, gateway.port);
    await peer.frame(SETTINGS);
    peer.send(HEADERS, END_STREAM, 1, literals(requestHead("GET", "/a")));
    return peer;
  }

  for (const [what, head] of heads) {
    test(`a head with ${what} reaches no service`, async (t) => {
      const peer = await connectFrames(t, gateway.port);
      peer.sendHead(1, head, END_STREAM);
      const how = await verdict(peer, 1);
      if (how === "answered") {
        // The status comes as an index into HPACK's table; a literal one is neither 200 nor 204.
        const [first] = (await peer.frame(HEADERS, 1)).payload;
        assert.ok(first !== 0x88 && first !== 0x89, "answered with success");
      }
      assert.deepEqual(await lines(t), []);
      assert.deepEqual(service.unfinished(), []);
    });
  }

  for (const [what, field] of fields) {
    test(`a field with ${what} goes no further`, async (t) => {
      const peer = await connectFrames(t, gateway.port);
      peer.sendHead(1, requestHead("GET", "/a", field, ["x-last", "1"]), END_STREAM);
      assert.equal(await verdict(peer, 1), "answered");
      const [request, ...more] = service.take();
      assert.deepEqual(more, []);
      const names = request!.headers.map(([name]) => name.toLowerCase());
      const expected = [
        "host",
        "x-last",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded-host",
        "via",
      ];
      assert.deepEqual(names, expected);
      assert.deepEqual(await lines(t), []);
    });
  }

  for (const length of lengths) {
    test(`a body of 5 bytes with a length of ${JSON.stringify(length)} makes no whole request`, async (t) => {
      const peer = await connectFrames(t, gateway.port);
      peer.sendHead(1, post(["content-length", length]), 0);
      peer.sendData(1, "GET /", END_STREAM);
      await verdict(peer, 1);
      assert.deepEqual(await lines(t), []);
    });
  }

  test("two lengths that differ make no request", async (t) => {
    const peer = await connectFrames(t, gateway.port);
    peer.sendHead(1, post(["content-length", "5"], ["content-length", "0"]), 0);
    peer.sendData(1, "GET /", END_STREAM);
    await verdict(peer, 1);
    assert.deepEqual(await lines(t), []);
  });

  test("a body that looks like chunks, or like a request, stays a body", async (t) => {
    const peer = await connectFrames(t, gateway.port);
    for (const [id, body] of [
      [1, `0\r\n${smuggled}`],
      [3, smuggled],
    ] as const) {
      peer.sendHead(id, post(), 0);
      peer.sendData(id, body, END_STREAM);
      assert.equal(await verdict(peer, id), "answered");
      const [request] = service.take();
      assert.equal(request!.startLine, "POST /a HTTP/1.1");
      assert.equal(request!.body.toString("latin1"), body);
    }
    assert.deepEqual(await lines(t), []);
  });

  test("trailers that would change who is asked, or who asks, are dropped", async (t) => {
    const peer = await connectFrames(t, gateway.port);
    sendWithTrailers(peer, ["x-sum", "3"], ["host", "b.example"], ["authorization", "Basic eDp5"]);
    assert.equal(await verdict(peer, 1), "answered");
    const [request] = service.take();
    assert.deepEqual(request!.trailers, ["x-sum: 3"]);
    assert.deepEqual(await lines(t), []);
  });

  for (const trailer of [
    ["content-length", "0"],
    ["transfer-encoding", "gzip"],
    [":path", "/b"],
  ] as const) {
    test(`trailers with ${trailer[0]} make the request malformed as a whole`, async (t) => {
      const peer = await connectFrames(t, gateway.port);
      sendWithTrailers(peer, trailer);
      assert.match(await verdict(peer, 1), /reset|closed/);
      assert.deepEqual(await lines(t), []);
    });
  }

  function sendWithTrailers(peer: FramePeer, ...trailers: Pairs): void {
    peer.sendHead(1, post(["trailer", "x-sum"]), 0);
    peer.sendData(1, "abc");
    peer.send(HEADERS, END_HEADERS | END_STREAM, 1, literals(trailers));
  }

  for (const count of [2 * resetStreams, 5000]) {
    test(`rapid reset: a client that opens and resets ${count} streams is cut off`, async (t) => {
      const peer = await connectFrames(t, gateway.port);
      const other = connectHttp2(t, gateway.port);
      const frames: Buffer[] = [];
      for (let id = 1; id < 2 * count; id += 2) {
        const head = literals(requestHead("GET", "/a"));
        frames.push(frameBytes(HEADERS, END_HEADERS | END_STREAM, id, head));
        frames.push(frameBytes(RST_STREAM, 0, id, uint32(CANCEL)));
      }
      peer.socket.write(Buffer.concat(frames));
      await peer.closed();
      assert.equal((await answerOf(other.request({ ":path": "/hello" }))).body, "hello");
      // A few get through before their resets are read.
      assert.ok((await lines(t)).length <= 2 * resetStreams);
    });
  }

  test("CONTINUATION: a head without end costs no memory", async (t) => {
    const first = await memoryBytes(gateway);
    const peer = await startHead(t);
    const piece = frameBytes(CONTINUATION, 0, 1, literals([["x-a", "b".repeat(16_000)]]));
    for (let sent = 0; sent < 64 * MB && !peer.ended; sent += piece.length) {
      await new Promise<void>((resolve) => peer.socket.write(piece, () => resolve()));
    }
    await peer.closed();
    assert.ok((await memoryBytes(gateway)) - first < 16 * MB);
  });

  test("CONTINUATION: empty frames without end close the connection", async (t) => {
    const peer = await startHead(t);
    const pieces = Buffer.concat(
      Array.from({ length: 10_000 }, () => frameBytes(CONTINUATION, 0, 1, Buffer.alloc(0))),
    );
    peer.socket.write(pieces);
    await peer.closed();
    assert.deepEqual(await lines(t), []);
  });

  test("HPACK: a small head that unpacks to a large one is refused", async (t) => {
    const peer = await connectFrames(t, gateway.port);
    const first = await memoryBytes(gateway);
    // A field that goes into the table of the connection (RFC 7541 section 6.2.1), then many references.
    const stored = Buffer.concat([
      Buffer.from([0x40]),
      literals([["x-a", "b".repeat(4000)]]).subarray(1),
    ]);
    const references = Buffer.alloc(16_000, 0x80 | 62);
    for (let id = 1; id < 100; id += 2) {
      const head = [literals(requestHead("GET", "/a")), ...(id === 1 ? [stored] : [references])];
      peer.send(HEADERS, END_HEADERS | END_STREAM, id, Buffer.concat(head));
    }
    await Promise.race([peer.closed(), verdict(peer, 99)]);
    assert.ok((await memoryBytes(gateway)) - first < 32 * MB);
    assert.ok((await lines(t)).length <= 1);
  });

  for (const [what, frame] of [
    ["PING", frameBytes(PING, 0, 0, Buffer.alloc(8))],
    ["SETTINGS", frameBytes(SETTINGS, 0, 0, Buffer.alloc(0))],
  ] as const) {
    test(`${what}: a flood whose answers nobody reads costs no memory`, async (t) => {
      const peer = await connectFrames(t, gateway.port);
      const first = await memoryBytes(gateway);
      peer.socket.pause();
      const flood = Buffer.concat(Array.from({ length: 10_000 }, () => frame));
      for (let count = 0; count < 50 && !peer.ended; count++) peer.socket.write(flood);
      peer.socket.once("close", () => {});
      await answerOf(connectHttp2(t, gateway.port).request({ ":path": "/hello" }));
      assert.ok((await memoryBytes(gateway)) - first < 16 * MB);
    });
  }

  test("DATA: empty frames without end close the connection", async (t) => {
    const peer = await connectFrames(t, gateway.port);
    peer.sendHead(1, post(), 0);
    const empty = Buffer.concat(
      Array.from({ length: 5000 }, () => frameBytes(DATA, 0, 1, Buffer.alloc(0))),
    );
    peer.socket.write(empty);
    await peer.closed();
    assert.deepEqual(await lines(t), []);
  });

  test("WINDOW_UPDATE: a window beyond all measure resets its stream or ends the connection", async (t) => {
    const peer = await connectFrames(t, gateway.port);
    peer.sendHead(1, post(), 0);
    peer.send(WINDOW_UPDATE, 0, 1, uint32(2 ** 31 - 1));
    assert.match(await verdict(peer, 1), /reset|closed/);
    peer.send(WINDOW_UPDATE, 0, 0, uint32(2 ** 31 - 1));
    await peer.closed();
  });

  test("silence: a head that never ends closes the connection after the head timeout", async (t) => {
    const peer = await startHead(t);
    await peer.closed();
  });
});
