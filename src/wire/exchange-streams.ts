// HOT
/**
 * The two ends of an exchange, as the proxy sees them, whatever protocol speaks behind them.
 *
 *     client  --bytes-->  ClientStream  <--- proxy's exchange --->  UpstreamStream  --bytes-->  service
 *
 * Calls go down (proxy to stream) and events come up (stream to exchange). Bytes given to an event are
 * only valid until it returns.
 */
import type { TLSSocket } from "node:tls";
import type { Fields } from "./fields.ts";
import type { RequestHead } from "./http1/request-head.ts";
import type { ResponseHead } from "./http1/response-head.ts";

/** The message has no body and may not have one (HEAD, 204, 304), or its length is 0. */
export const BODY_NONE = 0;
/** The fields carry a Content-Length and exactly that many bytes follow. */
export const BODY_LENGTH = 1;
/** The length is not known beforehand. */
export const BODY_STREAM = 2;
/** The connection becomes a tunnel after this head (101). */
export const BODY_TUNNEL = 3;

/** What is known of the connection a request came over. Lives as long as the connection. */
export interface ClientConnection {
  /** The peer's address as told by the socket or the PROXY protocol, "" for a Unix socket. */
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly localPort: number;
  /** The client's connection is secured, here or by a balancer in front that said so. */
  readonly isTls: boolean;
  readonly listenerKey: string;
  /** Server name asked for by TLS, "" without one. */
  readonly serverName: string;
  /** The TLS socket, for policies that look at client certificates. */
  readonly tlsSocket: TLSSocket | null;
  /** Cache of what the proxy worked out for this connection; owned by the proxy. */
  forwarding: unknown;
}

/** The client's half. */
export interface ClientStream {
  readonly connection: ClientConnection;
  /** "HTTP/1.0", "HTTP/1.1" or "HTTP/2.0". */
  readonly protocol: string;
  /** True while the client does not take what was sent; `onClientDrain` follows. */
  readonly congested: boolean;
  pauseBody(): void;
  resumeBody(): void;
  /** Nothing more is to be read from the connection; only where requests follow one another on it. */
  closeAfterResponse(): void;
  /** 1xx other than 101. */
  sendInformational(head: ResponseHead): void;
  sendHead(head: ResponseHead, body: number): void;
  sendBody(bytes: Buffer, start: number, end: number): void;
  /** A head and all of its body, of which there is some. */
  sendWhole(head: ResponseHead, body: Buffer): void;
  /** The response, or this direction of a tunnel, is complete. */
  sendEnd(trailers: Fields | null): void;
  /** The response cannot be completed: the client must see that it is broken off. */
  abort(): void;
}

/** The service's half. */
export interface UpstreamStream {
  readonly congested: boolean;
  /** True if the connection had already carried a request: a close before an answer may be staleness. */
  readonly reused: boolean;
  /**
   * @param target request target, path and query.
   * @param host value of Host or :authority; "" when the Host field in `head` is to be sent as it is.
   * @param lines further field lines, each ended by CRLF.
   */
  sendHead(head: RequestHead, target: string, host: string, lines: string, body: number): void;
  sendBody(bytes: Buffer, start: number, end: number): void;
  sendEnd(trailers: Fields | null): void;
  pauseBody(): void;
  resumeBody(): void;
  /** The exchange has no further interest; the answer, if it comes, is thrown away. */
  abort(exchange: UpstreamEvents): void;
}

/** Events from the client's half; the proxy's exchange implements it. */
export interface ClientEvents {
  readonly request: RequestHead;
  /** A whole request head lies in `request`. `hasBody` tells whether body events follow. */
  onRequest(stream: ClientStream, hasBody: boolean): void;
  onRequestBody(bytes: Buffer, start: number, end: number): void;
  onRequestEnd(trailers: Fields | null): void;
  onClientDrain(): void;
  /** The client went away, or broke the protocol within the body; nothing can be sent any more. */
  onClientGone(): void;
  /** The client has stopped reading for too long and was left; nothing can be sent any more. */
  onClientStalled(): void;
  /** The client stopped sending its body. The stream can still be answered. */
  onRequestTimeout(): void;
  /** The body is malformed (a refusal of the parser). The stream can still be answered. */
  onRequestMalformed(refusal: number): void;
}

/** Events from the service's half. */
export interface UpstreamEvents {
  readonly request: RequestHead;
  readonly response: ResponseHead;
  /** A 1xx head lies in `response`. */
  onInformational(): void;
  /** The final head lies in `response`. */
  onResponse(body: number): void;
  onResponseBody(bytes: Buffer, start: number, end: number): void;
  onResponseEnd(trailers: Fields | null): void;
  onUpstreamDrain(): void;
  /** One of the UPSTREAM_ causes; no event follows. */
  onUpstreamFailed(cause: number): void;
}

/** Closed before a byte of the answer came. */
export const UPSTREAM_CLOSED = 1;
/** The answer is not HTTP, or ambiguous. */
export const UPSTREAM_PROTOCOL = 2;
/** The answer broke off within its body. */
export const UPSTREAM_BROKEN = 3;
/** The answer's head is larger than allowed. */
export const UPSTREAM_HEAD_TOO_LARGE = 4;
/** The service refused to take the request and has not begun to work on it (HTTP/2 REFUSED_STREAM). */
export const UPSTREAM_REFUSED = 5;
export const UPSTREAM_CONNECT_FAILED = 6;
export const UPSTREAM_CONNECT_TIMEOUT = 7;
export const UPSTREAM_TLS_FAILED = 8;
/** Too many requests wait for a connection already. */
export const UPSTREAM_QUEUE_FULL = 9;
