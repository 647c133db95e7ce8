/**
 * http-service: an ordinary service on node:http or node:http2 that answers with what it was sent, as
 * JSON.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttp2, createSecureServer } from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import type { Cleanup } from "./cleanup.ts";

/** What a service saw of a request. */
export interface SeenRequest {
  readonly service: string;
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  /** Name, lower-case, and value; in order, doubled ones each for itself. */
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBytes: number;
  /** SHA-256, hexadecimal. */
  readonly bodyHash: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** Counts connections that carried a request from 0: equal means one was used again. */
  readonly connection: number;
}

export interface HttpServiceOptions {
  /** Told in each answer, so that several services can be told apart. */
  readonly name?: string;
  /** Listen on a Unix socket instead of a free port. */
  readonly path?: string;
  /** Serve TLS with these. */
  readonly tls?: TlsOptions;
  /** Speak HTTP/2 only: over TLS when `tls` is given, else by prior knowledge. */
  readonly http2?: boolean;
  /** Answers in place of the JSON, once the body has come. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse, seen: SeenRequest) => void;
}

export interface HttpService {
  readonly port: number;
  /** As the target of a service is written in the config. */
  readonly url: string;
  readonly seen: SeenRequest[];
  close(): void;
}

/** Starts the service; the test's end stops it. */
export async function startHttpService(
  t: Cleanup,
  options: HttpServiceOptions = {},
): Promise<HttpService> {
  const sockets = new Set<Socket>();
  const numbers = new Map<unknown, number>();
  const seen: SeenRequest[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Of HTTP/2 the socket is a stand-in; the session is what tells connections apart.
    const key = (request as { stream?: { session?: unknown } }).stream?.session ?? request.socket;
    const connection = numbers.get(key) ?? numbers.size;
    numbers.set(key, connection);
    const one = await collect(request, options.name ?? "service", connection);
    seen.push(one);
    if (options.answer !== undefined) return options.answer(request, response, one);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(one));
  };
  const server = makeServer(options, (request, response) => {
    handle(request, response).catch(ignoreAbort);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", ignoreAbort);
  });
  server.listen(options.path ?? { port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  t.after(close);
  const port = options.path === undefined ? (server.address() as AddressInfo).port : 0;
  const scheme = options.tls === undefined ? "http" : "https";
  const url = options.path === undefined ? `${scheme}://127.0.0.1:${port}` : `unix:${options.path}`;
  return { port, url, seen, close };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function makeServer({ tls, http2 }: HttpServiceOptions, handler: Handler): Server {
  if (http2) {
    // The compatibility layer of node:http2 offers what is used here.
    const server = tls === undefined ? createHttp2() : createSecureServer({ ...tls });
    server.on("request", handler as unknown as () => void);
    return server;
  }
  return tls === undefined ? createServer(handler) : createHttps(tls, handler);
}

async function collect(
  request: IncomingMessage,
  service: string,
  connection: number,
): Promise<SeenRequest> {
  const hash = createHash("sha256");
  let bodyBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bodyBytes += chunk.length;
  }
  return {
    service,
    method: request.method ?? "",
    url: request.url ?? "",
    httpVersion: request.httpVersion,
    headers: pairs(request.rawHeaders),
    bodyBytes,
    bodyHash: hash.digest("hex"),
    trailers: pairs(request.rawTrailers),
    connection,
  };
}

function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    list.push([flat[index]!.toLowerCase(), flat[index + 1]!]);
  }
  return list;
}

/** The client went away within its request: there is nobody to answer. */
function ignoreAbort(): void {}
