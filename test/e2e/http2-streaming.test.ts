/** HTTP/2 on both sides of a gateway: calls as gRPC makes them, WebSockets, and what breaks off. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { ClientHttp2Session, ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { WebSocketServer } from "ws";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { answerOf } from "../support/http2-listener.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();

const calls: Record<string, (stream: ServerHttp2Stream) => void> = {
  "/talk": (stream) => {
    respondWithTrailers(stream, { "grpc-status": "0" });
    stream.on("data", (bytes: Buffer) => stream.write(`re:${bytes.toString()}`));
    stream.on("end", () => stream.end());
  },
  "/unimplemented": (stream) => {
    stream.respond(
      { "content-type": "application/grpc", "grpc-status": "12" },
      { endStream: true },
    );
  },
  "/enough": (stream) => {
    respondWithTrailers(stream, { "grpc-status": "8" });
    stream.end("enough");
  },
  "/half": (stream) => {
    stream.respond();
    stream.write("half");
    setImmediate(() => stream.destroy(new Error("broken")));
  },
};

function respondWithTrailers(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
  stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let gateway: Gateway;
/** Calls that the service saw broken off by the gateway. */
const abandoned = new EventEmitter();

async function start(): Promise<void> {
  const rpc = http2.createServer();
  rpc.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.on("aborted", () => abandoned.emit("call"));
    calls[headers[":path"] ?? ""]?.(stream as ServerHttp2Stream);
  });
  const web = http.createServer((request, response) => {
    if (request.url === "/half") response.writeHead(200, { "content-length": "100" }).write("half");
    else response.end(`plain ${request.url ?? ""}`);
    if (request.url === "/half") setImmediate(() => response.destroy());
  });
  const sockets = new WebSocketServer({ server: web });
  sockets.on("connection", (socket) => {
    socket.on("message", (message: Buffer) => socket.send(`echo ${message.toString()}`));
  });
  const services = {
    rpc: { targets: [await listen(rpc)], http2: true },
    web: await listen(web),
  };
  shared.after(() => {
    rpc.close();
    sockets.close();
    web.close();
    web.closeAllConnections();
  });
  const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
  gateway = await startGateway(shared, {
    listen: [{}, { tls: { cert, key } }],
    services,
    routes: [
      { match: { path: "/web/*" }, service: "web", rewrite: "/*" },
      { match: { path: "/*" }, service: "rpc" },
    ],
  });
}

for (const secure of [false, true]) {
  const how = secure ? "over TLS" : "by prior knowledge";
  describe(`HTTP/2 ${how}`, { skip: requires("openssl") }, () => {
    before(async () => (gateway === undefined ? await start() : undefined));

    const connect = (t: TestContext): ClientHttp2Session => {
      const session = secure
        ? http2.connect(`https://localhost:${gateway.ports[1]}`, { ca: testCertificates().ca.cert })
        : http2.connect(gateway.url);
      session.on("error", () => {});
      t.after(() => session.destroy());
      return session;
    };

    const call = (path: string): http2.OutgoingHttpHeaders => ({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });

    test(`http2 ${how}: a call in both directions passes message by message, then its status`, async (t) => {
      const stream = connect(t).request(call("/talk"));
      for (const message of ["one", "two", "three"]) {
        stream.write(message);
        const [answer] = (await once(stream, "data")) as [Buffer];
        assert.equal(answer.toString(), `re:${message}`);
      }
      stream.end();
      const { trailers } = await answerOf(stream);
      assert.equal(trailers?.["grpc-status"], "0");
    });

    test(`http2 ${how}: a status without a response passes in the head`, async (t) => {
      const stream = connect(t).request(call("/unimplemented"));
      stream.end("question");
      const { headers, trailers, code } = await answerOf(stream);
      assert.deepEqual([headers["grpc-status"], trailers, code], ["12", undefined, 0]);
    });

    test(`http2 ${how}: a service that has heard enough ends a call that still talks`, async (t) => {
      const stream = connect(t).request(call("/enough"));
      stream.write("still talking");
      const { body, trailers, code } = await answerOf(stream);
      assert.deepEqual([body, trailers?.["grpc-status"], code], ["enough", "8", 0]);
    });

    for (const path of ["/half", "/web/half"]) {
      test(`http2 ${how}: a response of ${path} that breaks off is reset, not ended`, async (t) => {
        const { body, code } = await answerOf(connect(t).request({ ":path": path }));
        assert.deepEqual([body, code], ["half", http2.constants.NGHTTP2_INTERNAL_ERROR]);
      });
    }

    test(`http2 ${how}: a call that the client gives up is given up at the service`, async (t) => {
      const caller = new AbortController();
      const stream = connect(t).request(call("/talk"), { signal: caller.signal });
      stream.on("error", () => {});
      stream.write("hello");
      await once(stream, "data");
      const seen = once(abandoned, "call");
      caller.abort();
      await seen;
    });

    test(`http2 ${how}: a WebSocket becomes one of HTTP/1.1 at the service`, async (t) => {
      const session = connect(t);
      if (session.remoteSettings.enableConnectProtocol !== true)
        await once(session, "remoteSettings");
      const stream = session.request({
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":path": "/web/socket",
        "sec-websocket-version": "13",
      });
      const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
      assert.equal(headers[":status"], 200);
      assert.equal(headers["sec-websocket-accept"], undefined);
      // "hi" as a text frame, masked with zeroes (RFC 6455 section 5.2).
      stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      const [frame] = (await once(stream, "data")) as [Buffer];
      assert.equal(frame.toString("latin1", 2), "echo hi");
    });
  });
}
