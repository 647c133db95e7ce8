import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ClientConnection } from "../wire/exchange-streams.ts";
import type { HeadLimits } from "../wire/http1/parse-request-head.ts";
import { parseRequestHead } from "../wire/http1/parse-request-head.ts";
import type { RequestHead } from "../wire/http1/request-head.ts";
import { readRequestHead } from "../wire/http2/read-request-head.ts";
import { headerPairs, type TestHeaders } from "./header-lines.ts";
import { prepareBody, type PreparedBody, type TestBody } from "./test-body.ts";

/** A request as a test writes it. */
export interface TestRequest {
  /** Default GET. */
  method?: string;
  /** Path and query. Default `/`. */
  path?: string;
  /** `host` is `gateway.test` unless it is given. */
  headers?: TestHeaders;
  body?: TestBody;
  /** Of the connection: what X-Forwarded-For says counts where this is one of `trustedProxies`. Default 192.0.2.1. */
  clientAddress?: string;
  /** How it looks to the gateway. Default HTTP/1.1. */
  protocol?: "HTTP/1.1" | "HTTP/2";
  /** The connection is secured; perhaps by a certificate of the client's. */
  tls?: boolean | TestTls;
}

export interface TestTls {
  /** Server name that the client asked for. */
  serverName?: string;
  /** PEM; it counts as verified. */
  clientCertificate?: string;
}

const HOST = "gateway.test";

/** Reads the request as the wire would. @returns 0 or a refusal of the parser */
export function readTestRequest(request: TestRequest, head: RequestHead, limits: HeadLimits) {
  const body = prepareBody(request.body);
  const lines = linesOf(request, body);
  const refusal =
    request.protocol === "HTTP/2"
      ? readHttp2(request, { lines, body, head, limits })
      : readHttp1(request, { lines, body, head, limits });
  return { refusal, body };
}

interface Reading {
  lines: [string, string][];
  body: PreparedBody;
  head: RequestHead;
  limits: HeadLimits;
}

function linesOf({ headers, method = "GET" }: TestRequest, body: PreparedBody) {
  const lines = headerPairs(headers);
  const has = (name: string): boolean => lines.some(([one]) => one.toLowerCase() === name);
  if (body.contentType !== "" && !has("content-type")) {
    lines.push(["content-type", body.contentType]);
  }
  const { bytes } = body;
  const isBodiless = bytes?.length === 0 && ["GET", "HEAD", "DELETE", "OPTIONS"].includes(method);
  if (bytes !== null && !isBodiless && !has("content-length") && !has("transfer-encoding")) {
    lines.push(["content-length", String(bytes.length)]);
  }
  return lines;
}

function readHttp1({ method = "GET", path = "/" }: TestRequest, reading: Reading): number {
  const { lines, body, head, limits } = reading;
  const all = [...lines];
  if (!all.some(([name]) => name.toLowerCase() === "host")) all.unshift(["host", HOST]);
  if (body.pieces !== null) all.push(["transfer-encoding", "chunked"]);
  const fields = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields}\r\n`, "latin1");
  const end = parseRequestHead(bytes, 0, bytes.length, head, limits);
  return end < 0 ? end : 0;
}

function readHttp2(request: TestRequest, { lines, body, head, limits }: Reading): number {
  const { method = "GET", path = "/", tls } = request;
  const lower = lines.map(([name, value]) => [name.toLowerCase(), value] as const);
  const authority = lower.find(([name]) => name === "host")?.[1] ?? HOST;
  const pseudo = [":method", method, ":path", path, ":authority", authority];
  const scheme = [":scheme", tls === undefined || tls === false ? "http" : "https"];
  const rest = lower.filter(([name]) => name !== "host").flat();
  const ended = body.bytes?.length === 0;
  return readRequestHead([...pseudo, ...scheme, ...rest], ended, head, limits);
}

/** The connection that the request comes over: a new one for each. */
export function connectionOf({ clientAddress = "192.0.2.1", tls = false }: TestRequest) {
  const connection: ClientConnection = {
    peerAddress: clientAddress,
    peerPort: 50_000,
    localPort: tls === false ? 80 : 443,
    isTls: tls !== false,
    listenerKey: "memory",
    serverName: typeof tls === "object" ? (tls.serverName ?? "") : "",
    tlsSocket: tls === false ? null : tlsSocketOf(tls === true ? {} : tls),
    forwarding: null,
  };
  return connection;
}

/** What can be asked of a TLS socket about the client's certificate. A named fake of the rest. */
function tlsSocketOf({ serverName = "", clientCertificate }: TestTls): TLSSocket {
  const certificate =
    clientCertificate === undefined ? undefined : new X509Certificate(clientCertificate);
  const fake = {
    encrypted: true,
    authorized: certificate !== undefined,
    servername: serverName,
    getPeerX509Certificate: () => certificate,
    getPeerCertificate: () => certificate?.toLegacyObject() ?? {},
  };
  return fake as unknown as TLSSocket;
}
