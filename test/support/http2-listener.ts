import { once } from "node:events";
import http2 from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import net from "node:net";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import tls from "node:tls";
import { HandleTransport } from "../../src/wire/handle-transport.ts";
import { Http1ServerConnection } from "../../src/wire/http1/server-connection.ts";
import { Http2Server } from "../../src/wire/http2/server.ts";
import type { Http2Settings } from "../../src/wire/http2/session-options.ts";
import type { ServerContext } from "../../src/wire/server-context.ts";

import type { StreamHandle } from "../../src/wire/stream-handle.ts";
import { testCertificates } from "./certificates.ts";
import type { ExchangeScript } from "./fake-exchange.ts";
import { FakeExchanges } from "./fake-exchange.ts";
import { FramePeer } from "./http2-frames.ts";
import { serverContext } from "./server-context.ts";

export interface ListenOptions {
  script?: ExchangeScript;
  context?: Partial<ServerContext>;
  settings?: Partial<Http2Settings>;
  /** `socket`: a socket that was told to be HTTP/2; `handle`: begins as HTTP/1.1 and shows its preface. */
  by?: "socket" | "handle" | "tls";
}

export interface TestListener {
  port: number;
  exchanges: FakeExchanges;
  context: ServerContext;
  server: Http2Server;
  /** Connections that have been reported as closed. */
  closedCount: () => number;
  /** The sockets accepted, unless `by` is "handle". */
  sockets: net.Socket[];
}

/** A listener as the runtime makes one, with an exchange that follows a script. */
export async function listenHttp2(
  t: TestContext,
  options: ListenOptions = {},
): Promise<TestListener> {
  const { script = {}, by = "socket" } = options;
  const exchanges = new FakeExchanges(script);
  const context = serverContext(exchanges, { ...options.context });
  context.wheel.start();
  let closed = 0;
  const owner = { onHttp2ConnectionClosed: () => void closed++ };
  const settings = { streamsMax: 100, resetStreamsMax: 100, ...options.settings };
  const server = new Http2Server(context, settings, owner);
  const sockets: net.Socket[] = [];
  const accept = (socket: net.Socket): void => {
    sockets.push(socket);
    server.accept(socket, socket.remoteAddress ?? "", socket.remotePort ?? 0, by === "tls");
  };
  const listener = by === "tls" ? tls.createServer(tlsOptions(), accept) : net.createServer(accept);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  if (by === "handle") acceptHandles(listener, context, server);
  t.after(() => {
    server.destroy();
    listener.close();
    context.wheel.stop();
  });
  const { port } = listener.address() as AddressInfo;
  return { port, exchanges, context, server, closedCount: () => closed, sockets };
}

function tlsOptions(): tls.TlsOptions {
  const { cert, key } = testCertificates().localhostEcdsa;
  return { cert, key, ALPNProtocols: ["h2"] };
}

function acceptHandles(listener: net.Server, context: ServerContext, server: Http2Server): void {
  const handle = (listener as unknown as { _handle: { onconnection: unknown } })._handle;
  handle.onconnection = (_error: number, client: StreamHandle) => {
    const transport = new HandleTransport(client, null, false, "192.0.2.1", 1);
    const owner = {
      onHttp2Preface(_connection: unknown, given: HandleTransport, bytes: Buffer): void {
        server.acceptTransport(given, bytes, "192.0.2.1", 1, false);
      },
      onConnectionClosed() {},
    };
    new Http1ServerConnection(transport, context, owner, "192.0.2.1", 1, null);
  };
}

/** A client session that the end of the test closes. */
export function connectHttp2(t: TestContext, port: number, secure = false): ClientHttp2Session {
  const session = secure
    ? http2.connect(`https://localhost:${port}`, { ca: testCertificates().ca.cert })
    : http2.connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  t.after(() => session.destroy());
  return session;
}

/** A client that sends frames by hand, its preface and settings sent. */
export async function connectFrames(t: TestContext, port: number): Promise<FramePeer> {
  const socket = net.connect(port, "127.0.0.1");
  await once(socket, "connect");
  t.after(() => socket.destroy());
  return new FramePeer(socket).start();
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  trailers: IncomingHttpHeaders | undefined;
  /** Set when the stream was reset. */
  code: number;
}

/** Resolves when the stream is over, however that came about. */
export async function answerOf(stream: ClientHttp2Stream): Promise<HttpAnswer> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  const pieces: Buffer[] = [];
  stream.on("response", (got) => (headers = got));
  stream.on("trailers", (got) => (trailers = got));
  stream.on("data", (bytes: Buffer) => pieces.push(bytes));
  stream.on("error", () => {});
  await new Promise((resolve) => void stream.on("close", resolve));
  const status = Number(headers[":status"] ?? 0);
  return {
    status,
    headers,
    body: Buffer.concat(pieces).toString("latin1"),
    trailers,
    code: stream.rstCode,
  };
}
