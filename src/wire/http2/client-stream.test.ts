import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { FakePoolClient } from "../../../test/support/fake-pool-client.ts";
import {
  DATA,
  END_STREAM,
  GOAWAY,
  HEADERS,
  RST_STREAM,
  uint32,
} from "../../../test/support/http2-frames.ts";
import type { FramePeer } from "../../../test/support/http2-frames.ts";
import { poolFor, serveFrames, serveHttp2 } from "../../../test/support/http2-service.ts";
import {
  BODY_LENGTH,
  BODY_NONE,
  BODY_STREAM,
  BODY_TUNNEL,
  UPSTREAM_BROKEN,
  UPSTREAM_CLOSED,
  UPSTREAM_HEAD_TOO_LARGE,
  UPSTREAM_PROTOCOL,
  UPSTREAM_REFUSED,
} from "../exchange-streams.ts";
import { Fields } from "../fields.ts";

const INTERNAL_ERROR = 2;
const REFUSED = 7;
const CANCEL = 8;

test("http2 client: sends what passes of a request, and the gateway's own lines", async (t) => {
  let got: string[] = [];
  const { port } = await serveHttp2(t, (stream, raw) => {
    got = raw;
    stream.respond([
      ":status",
      "200",
      "x-latin",
      "caf\u00e9",
      "set-cookie",
      "a=1",
      "set-cookie",
      "b=2",
    ]);
    stream.end("hello");
  });
  const client = await new FakePoolClient({
    head:
      "GET /a?b HTTP/1.1\r\nHost: a.example\r\nX-One: 1\r\nX-Two: caf\u00e9\r\nAccept: a\r\nAccept: b\r\n" +
      "Connection: close, x-gone\r\nX-Gone: 1\r\nTE: trailers, gzip\r\nKeep-Alive: 5",
    lines: "X-Forwarded-For: 192.0.2.1\r\nVia: 1.1 gateward\r\n",
  }).run(poolFor(t, port));
  assert.deepEqual(got, [
    ...[":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/a?b"],
    ...["x-one", "1", "x-two", "caf\u00e9", "accept", "a", "accept", "b"],
    ...["x-forwarded-for", "192.0.2.1", "via", "1.1 gateward", "te", "trailers"],
  ]);
  const { response } = client;
  assert.equal(client.text, "hello");
  assert.equal(client.bodyKind, BODY_STREAM);
  assert.equal(response.status, 200);
  assert.equal(response.reason, "OK");
  assert.ok(
    response.fields
      .lines(0)
      .startsWith("HTTP/1.1 200 OK\r\nx-latin: caf\u00e9\r\nset-cookie: a=1\r\n"),
  );
});

test("http2 client: an own host takes the place of the client's", async (t) => {
  let got: string[] = [];
  const { port } = await serveHttp2(t, (stream, raw) => {
    got = raw;
    stream.respond();
    stream.end();
  });
  await new FakePoolClient({ host: "other.example:8080" }).run(poolFor(t, port));
  assert.deepEqual(got, [
    ":method",
    "GET",
    ":scheme",
    "http",
    ":authority",
    "other.example:8080",
    ":path",
    "/",
  ]);
});

test("http2 client: a request without a Host names the target itself", async (t) => {
  let got: string[] = [];
  const { port } = await serveHttp2(t, (stream, raw) => {
    got = raw;
    stream.respond();
    stream.end();
  });
  await new FakePoolClient({ head: "GET / HTTP/1.0" }).run(poolFor(t, port));
  assert.equal(got[got.indexOf(":authority") + 1], `127.0.0.1:${port}`);
});

test("http2 client: knows whether a body follows, and how long it is", async (t) => {
  const { port } = await serveHttp2(t, (stream, raw) => {
    const path = raw[raw.indexOf(":path") + 1]!;
    if (path === "/length") stream.respond({ "content-length": 5 });
    else if (path === "/none") stream.respond({ ":status": 204 }, { endStream: true });
    else stream.respond({ "content-length": 7 });
    if (path !== "/none") stream.end(path === "/length" ? "12345" : undefined);
  });
  const pool = poolFor(t, port);
  const ask = async (head: string): Promise<number> =>
    (await new FakePoolClient({ head: `${head} HTTP/1.1\r\nHost: a` }).run(pool)).bodyKind;
  assert.equal(await ask("GET /length"), BODY_LENGTH);
  assert.equal(await ask("GET /none"), BODY_NONE);
  assert.equal(await ask("HEAD /head"), BODY_NONE);
});

test("http2 client: streams a body up and down with trailers at both ends", async (t) => {
  const { port } = await serveHttp2(t, (stream) => {
    stream.respond({ trailer: "x-sum" }, { waitForTrailers: true });
    stream.on("trailers", (trailers) => {
      stream.once("wantTrailers", () =>
        stream.sendTrailers({ "x-sum": `got ${String(trailers["x-sum"])}` }),
      );
    });
    stream.pipe(stream);
  });
  const trailers = new Fields();
  trailers.add("x-sum", "7");
  const client = new FakePoolClient({
    head: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum",
    body: BODY_STREAM,
    send(stream) {
      stream.sendBody(Buffer.from("-one-"), 1, 4);
      setImmediate(() => {
        stream.sendBody(Buffer.from("two"), 0, 3);
        stream.sendEnd(trailers);
      });
    },
  });
  await client.run(poolFor(t, port));
  assert.equal(client.text, "onetwo");
  assert.equal(client.trailers?.get("x-sum"), "got 7");
});

test("http2 client: a response of trailers alone, as gRPC sends for errors, ends with its head", async (t) => {
  const { port } = await serveHttp2(t, (stream) => {
    stream.respond(
      { "content-type": "application/grpc", "grpc-status": "12" },
      { endStream: true },
    );
  });
  const client = await new FakePoolClient().run(poolFor(t, port));
  assert.equal(client.bodyKind, BODY_NONE);
  assert.equal(client.response.fields.get("grpc-status"), "12");
  assert.equal(client.trailers, null);
});

test("http2 client: trailers after a head and no data arrive as trailers", async (t) => {
  const { port } = await serveHttp2(t, (stream) => {
    stream.respond({ "content-length": "0" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end();
  });
  const client = await new FakePoolClient().run(poolFor(t, port));
  assert.equal(client.bodyKind, BODY_LENGTH);
  assert.equal(client.trailers?.get("grpc-status"), "0");
});

test("http2 client: passes interim responses on", async (t) => {
  const { port } = await serveHttp2(t, (stream) => {
    stream.additionalHeaders({ ":status": 103, link: "</a>" });
    stream.respond();
    stream.end();
  });
  const client = await new FakePoolClient().run(poolFor(t, port));
  assert.deepEqual(client.events, ["stream", "interim 103", "response", "end", "over"]);
});

test("http2 client: holds a response back while it is paused, and loses nothing of it", async (t) => {
  const size = 6 * 1024 * 1024;
  const { port } = await serveHttp2(t, (stream) => {
    stream.respond({ "content-length": size });
    stream.end(Buffer.alloc(size, "0123456789"));
  });
  const pool = poolFor(t, port);
  const client = new FakePoolClient({
    receive: (stream, { bodyBytes }) => {
      stream.pauseBody();
      if (bodyBytes > 1_000_000) setImmediate(() => stream.resumeBody());
    },
  }).start(pool);
  await client.when("response");
  const other = await new FakePoolClient({ receive: () => {} }).run(pool);
  assert.equal(other.bodyBytes, size);
  assert.ok(client.bodyBytes <= 1_000_000, "pieces came although it was paused");
  client.stream!.resumeBody();
  while (client.bodyBytes <= 1_000_000) {
    await new Promise((resolve) => void setImmediate(resolve));
    client.stream!.resumeBody();
  }
  await client.when("over");
  assert.equal(client.bodyBytes, size);
  assert.ok(Buffer.concat(client.body).equals(Buffer.alloc(size, "0123456789")));
});

test("http2 client: a whole response outlives its connection while the exchange is paused", async (t) => {
  const port = await serveFrames(t, (peer) => {
    void peer.frame(HEADERS).then(() => {
      peer.sendHead(1, [[":status", "200"]], 0);
      for (let count = 0; count < 20; count++) peer.sendData(1, "x".repeat(10_000));
      peer.sendData(1, "end", END_STREAM);
      peer.socket.end();
    });
  });
  const pool = poolFor(t, port);
  const client = new FakePoolClient({ receive: (stream) => stream.pauseBody() }).start(pool);
  await client.when("response");
  while (pool.openCount > 0) await new Promise((resolve) => void setImmediate(resolve));
  assert.ok(!client.events.includes("over"));
  for (let count = 0; count < 100 && !client.events.includes("over"); count++) {
    client.stream!.resumeBody();
    await new Promise((resolve) => void setImmediate(resolve));
  }
  assert.equal(client.cause, 0);
  assert.equal(client.bodyBytes, 200_003);
  assert.deepEqual(client.events.slice(-2), ["end", "over"]);
});

test("http2 client: holds the request back while the service takes nothing", async (t) => {
  let release = (): void => {};
  const { port } = await serveHttp2(t, (stream) => {
    release = () => {
      let size = 0;
      stream.on("data", (bytes: Buffer) => (size += bytes.length));
      stream.on("end", () => {
        stream.respond();
        stream.end(String(size));
      });
    };
    if (go) release();
  });
  let go = false;
  const piece = Buffer.alloc(65_536);
  let sent = 0;
  const client = new FakePoolClient({
    head: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3276800",
    body: BODY_LENGTH,
    send(stream) {
      while (!stream.congested) {
        stream.sendBody(piece, 0, piece.length);
        sent++;
      }
    },
  }).start(poolFor(t, port));
  await client.when("stream");
  assert.ok(sent < 50);
  go = true;
  release();
  while (sent < 50) {
    client.events.length = 0;
    await client.when("drain");
    while (!client.stream!.congested && sent < 50) {
      client.stream!.sendBody(piece, 0, piece.length);
      sent++;
    }
  }
  client.stream!.sendEnd(null);
  await client.when("over");
  assert.equal(client.text, "3276800");
});

/** What a client sees of a service that does `act` once the request has come. */
async function meet(t: TestContext, act: (peer: FramePeer) => void): Promise<FakePoolClient> {
  const port = await serveFrames(t, (peer) => {
    void peer.frame(HEADERS).then(() => act(peer));
  });
  return await new FakePoolClient().run(poolFor(t, port));
}

const OK = [[":status", "200"]] as const;

test("http2 client: REFUSED_STREAM is told apart, since nothing has been done", async (t) => {
  const client = await meet(t, (peer) => peer.sendReset(1, REFUSED));
  assert.equal(client.cause, UPSTREAM_REFUSED);
});

test("http2 client: a GOAWAY that disowns the stream is a refusal too", async (t) => {
  const client = await meet(t, (peer) => peer.send(GOAWAY, 0, 0, Buffer.alloc(8)));
  assert.equal(client.cause, UPSTREAM_REFUSED);
});

test("http2 client: a GOAWAY with an error and the stream beyond its last is a refusal", async (t) => {
  const client = await meet(t, (peer) => {
    peer.send(GOAWAY, 0, 0, Buffer.concat([uint32(0), uint32(11)]));
  });
  assert.equal(client.cause, UPSTREAM_REFUSED);
});

test("http2 client: a stream that a GOAWAY owns goes on to its end", async (t) => {
  const client = await meet(t, (peer) => {
    peer.send(GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(0)]));
    peer.sendHead(1, OK, 0);
    peer.sendData(1, "still served", END_STREAM);
  });
  assert.equal(client.text, "still served");
  assert.equal(client.cause, 0);
});

test("http2 client: a connection closed before an answer is seen as closed", async (t) => {
  const client = await meet(t, (peer) => peer.socket.destroy());
  assert.equal(client.cause, UPSTREAM_CLOSED);
  assert.equal(client.stream!.reused, false);
});

test("http2 client: a stream that is reset before an answer broke off", async (t) => {
  const client = await meet(t, (peer) => peer.sendReset(1, INTERNAL_ERROR));
  assert.equal(client.cause, UPSTREAM_BROKEN);
});

for (const [what, code] of [
  ["INTERNAL_ERROR", INTERNAL_ERROR],
  ["CANCEL", CANCEL],
  ["NO_ERROR", 0],
] as const) {
  test(`http2 client: a body cut off by a reset with ${what} is not passed off as whole`, async (t) => {
    const client = await meet(t, (peer) => {
      peer.sendHead(1, OK, 0);
      peer.sendData(1, "half");
      peer.sendReset(1, code);
    });
    assert.equal(client.cause, UPSTREAM_BROKEN);
    assert.ok(!client.events.includes("end"));
  });
}

test("http2 client: a body cut off by the end of the connection is not passed off as whole", async (t) => {
  const client = await meet(t, (peer) => {
    peer.sendHead(1, OK, 0);
    peer.sendData(1, "half");
    peer.socket.end();
  });
  assert.equal(client.cause, UPSTREAM_BROKEN);
  assert.ok(!client.events.includes("end"));
});

for (const [what, body] of [
  ["shorter", "123"],
  ["longer", "1234567"],
] as const) {
  test(`http2 client: a body ${what} than announced is not passed off as whole`, async (t) => {
    const client = await meet(t, (peer) => {
      peer.sendHead(1, [...OK, ["content-length", "5"]], 0);
      peer.sendData(1, body, END_STREAM);
    });
    assert.equal(client.cause, UPSTREAM_BROKEN);
    assert.ok(!client.events.includes("end"));
  });
}

test("http2 client: a response ended by a reset after END_STREAM is whole", async (t) => {
  const port = await serveFrames(t, (peer) => {
    void peer.frame(HEADERS).then(() => {
      peer.sendHead(1, OK, 0);
      peer.sendData(1, "early", END_STREAM);
      peer.sendReset(1, 0);
    });
  });
  const client = await new FakePoolClient({
    head: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100",
    body: BODY_LENGTH,
    send: (stream) => stream.sendBody(Buffer.from("part"), 0, 4),
  }).run(poolFor(t, port));
  assert.equal(client.text, "early");
  assert.equal(client.cause, 0);
});

test("http2 client: an early response ends the request", async (t) => {
  const port = await serveFrames(t, (peer) => {
    void peer.frame(HEADERS).then(() => peer.sendHead(1, OK, END_STREAM));
    peers.push(peer);
  });
  const peers: FramePeer[] = [];
  const client = await new FakePoolClient({
    head: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100",
    body: BODY_LENGTH,
  }).run(poolFor(t, port));
  assert.equal(client.bodyKind, BODY_NONE);
  await peers[0]!.frame(RST_STREAM, 1);
  client.stream!.sendBody(Buffer.from("late"), 0, 4);
  client.stream!.sendEnd(null);
  assert.equal(peers[0]!.frames.filter((frame) => frame.type === DATA).length, 0);
});

test("http2 client: giving up resets the stream and leaves the session as it is", async (t) => {
  const peers: FramePeer[] = [];
  const port = await serveFrames(t, (peer) => {
    peers.push(peer);
    void peer.frame(HEADERS, 3).then(() => peer.sendHead(3, OK, END_STREAM));
  });
  const pool = poolFor(t, port);
  const client = new FakePoolClient().start(pool);
  await client.when("stream");
  await peers[0]!.frame(HEADERS, 1);
  client.stream!.abort(client);
  const reset = await peers[0]!.frame(RST_STREAM, 1);
  assert.equal(reset.payload.readUInt32BE(), CANCEL);
  const next = await new FakePoolClient().run(pool);
  assert.equal(next.cause, 0);
  assert.equal(next.stream!.reused, true);
  assert.deepEqual(client.events, ["stream"]);
});

test("http2 client: a head larger than allowed is told as such", async (t) => {
  const client = await meet(t, (peer) => {
    peer.sendHead(1, [...OK, ["x-1", "a".repeat(16_000)]], END_STREAM);
  });
  assert.equal(client.cause, 0);
  const tooLarge = await (async () => {
    const { port } = await serveHttp2(t, (stream) => {
      stream.respond({ "x-1": "a".repeat(20_000), "x-2": "b".repeat(20_000) });
      stream.end();
    });
    return await new FakePoolClient().run(poolFor(t, port));
  })();
  assert.equal(tooLarge.cause, UPSTREAM_HEAD_TOO_LARGE);
});

test("http2 client: endless interim responses are a broken protocol", async (t) => {
  const client = await meet(t, (peer) => {
    for (let count = 0; count < 20; count++) peer.sendHead(1, [[":status", "102"]], 0);
  });
  assert.equal(client.cause, UPSTREAM_PROTOCOL);
});

test("http2 client: an upgrade is refused without troubling the service", async (t) => {
  const { port, sessions } = await serveHttp2(t, (stream) => stream.respond());
  const client = await new FakePoolClient({
    head: "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket",
    body: BODY_TUNNEL,
  }).run(poolFor(t, port));
  assert.equal(client.cause, UPSTREAM_PROTOCOL);
  const [session] = sessions;
  const closed = once(session!, "close");
  session!.close();
  await closed;
});

for (const sent of [0, 4, 2_000_000]) {
  test(`http2 client: a request given up after ${sent} bytes of its body is reset, never ended`, async (t) => {
    const peers: FramePeer[] = [];
    const port = await serveFrames(t, (peer) => peers.push(peer));
    const client = new FakePoolClient({
      head: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum",
      body: BODY_STREAM,
      send: (stream) => stream.sendBody(Buffer.alloc(sent), 0, sent),
    }).start(poolFor(t, port));
    await client.when("stream");
    await peers[0]!.frame(sent === 0 ? HEADERS : DATA, 1);
    client.stream!.abort(client);
    const reset = await peers[0]!.frame(RST_STREAM, 1);
    assert.equal(reset.payload.readUInt32BE(), CANCEL);
    const ends = peers[0]!.frames.filter(
      (frame) => frame.id === 1 && frame.type <= HEADERS && (frame.flags & END_STREAM) !== 0,
    );
    assert.deepEqual(ends, []);
  });
}
