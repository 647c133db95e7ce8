// HOT
import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
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
import type { UpstreamEvents, UpstreamStream } from "../exchange-streams.ts";
import { Fields } from "../fields.ts";
import { reportThrown } from "../handle-transport.ts";
import { HEAD_TOO_LARGE, TOO_MANY_FIELDS } from "../http1/refusal.ts";
import { NO_LENGTH } from "../http1/request-head.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { TRAILER } from "../known-header.ts";
import type { Http2ClientSession } from "./client-session.ts";
import { appendFields, appendLines, trailerObject } from "./header-list.ts";
import { readFields } from "./read-fields.ts";
import { readResponseHead } from "./read-response-head.ts";
import { CANCEL, REFUSED_STREAM } from "./session-options.ts";

/** Given to an exchange; its head has not been sent. */
const FRESH = 0;
/** The response's head is awaited. */
const HEAD = 1;
const BODY = 2;
/** Nothing more is of interest to anyone. */
const CLOSED = 3;

const INFORMATIONAL_MAX = 16;
const FLAG_END_STREAM = 1;

/** The stream of node:http2 knows whose it is: its listeners are functions made once for all streams. */
interface OwnedStream extends ClientHttp2Stream {
  gateward: Http2ClientStream;
}

/** One request to an HTTP/2 service and its response. */
export class Http2ClientStream implements UpstreamStream {
  /** The session had carried a request before. */
  readonly reused: boolean;
  private readonly session: Http2ClientSession;
  private stream: OwnedStream | null;
  private exchange: UpstreamEvents | null;
  private state: number;
  private requestDone: boolean;
  private requestTrailers: OutgoingHttpHeaders | null;
  private responseTrailers: Fields | null;
  /** The service has ended its side, as opposed to having broken off. */
  private endSeen: boolean;
  private informationalCount: number;

  constructor(session: Http2ClientSession, exchange: UpstreamEvents, reused: boolean) {
    this.reused = reused;
    this.session = session;
    this.stream = null;
    this.exchange = exchange;
    this.state = FRESH;
    this.requestDone = true;
    this.requestTrailers = null;
    this.responseTrailers = null;
    this.endSeen = false;
    this.informationalCount = 0;
  }

  get congested(): boolean {
    return this.stream !== null && this.stream.writableNeedDrain;
  }

  // UpstreamStream

  sendHead(head: RequestHead, target: string, host: string, lines: string, body: number): void {
    this.state = HEAD;
    if (body === BODY_TUNNEL) {
      // An upgrade is a matter of HTTP/1.1; RFC 8441 towards services is not supported.
      setImmediate(failLater, this);
      return;
    }
    const { fields } = head;
    const list = this.requestLine(head, target, host);
    appendFields(list, fields);
    appendLines(list, lines);
    if (head.acceptsTrailers) list.push("te", "trailers");
    this.requestDone = body === BODY_NONE;
    const waits = body === BODY_STREAM && fields.indexOfId(TRAILER) >= 0;
    const options = this.requestDone ? END_WITH_HEAD : waits ? TRAILERS_FOLLOW : BODY_FOLLOWS;
    const stream = this.session.request(list, options) as OwnedStream;
    this.stream = stream;
    stream.gateward = this;
    stream.push = pushAndNote;
    stream.on("response", onResponse);
    stream.on("headers", onInformational);
    stream.on("trailers", onTrailers);
    stream.on("data", onData);
    stream.on("end", onEnd);
    stream.on("error", onError);
    stream.on("close", onClose);
    if (this.requestDone) return;
    stream.on("drain", onDrain);
    if (waits) stream.on("wantTrailers", onWantTrailers);
  }

  /** The pseudo-header fields, RFC 9113 section 8.3.1. */
  private requestLine(head: RequestHead, target: string, host: string): string[] {
    const { scheme } = this.session;
    let authority = host;
    if (authority === "" && head.hostIndex >= 0) authority = head.fields.valueAt(head.hostIndex);
    // Without one, node:http2 puts the target's own there.
    return authority === ""
      ? [":method", head.method, ":scheme", scheme, ":path", target]
      : [":method", head.method, ":scheme", scheme, ":authority", authority, ":path", target];
  }

  private get writable(): boolean {
    const { stream } = this;
    return stream !== null && !stream.destroyed && !stream.closed && !this.requestDone;
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    if (!this.writable || start === end) return;
    const copy = Buffer.allocUnsafe(end - start);
    bytes.copy(copy, 0, start, end);
    this.stream!.write(copy);
  }

  sendEnd(trailers: Fields | null): void {
    if (!this.writable) return;
    this.requestDone = true;
    if (trailers !== null) this.requestTrailers = trailerObject(trailers);
    this.stream!.end();
  }

  onWantTrailers(): void {
    this.stream!.sendTrailers(this.requestTrailers ?? NO_TRAILERS);
  }

  pauseBody(): void {
    this.stream?.pause();
  }

  resumeBody(): void {
    this.stream?.resume();
  }

  abort(_exchange: UpstreamEvents): void {
    const unanswered = this.state === HEAD;
    this.exchange = null;
    this.state = CLOSED;
    if (this.stream === null) {
      this.session.onStreamClosed();
      return;
    }
    this.stream.close(CANCEL);
    if (unanswered) this.session.onUnanswered();
  }

  // The response

  onInformational(raw: readonly string[]): void {
    const { exchange } = this;
    if (exchange === null || this.state !== HEAD) return;
    this.session.noteActivity();
    if (readResponseHead(raw, exchange.response, this.session.limits) !== 0) {
      this.fail(UPSTREAM_PROTOCOL);
    } else if (++this.informationalCount > INFORMATIONAL_MAX) this.fail(UPSTREAM_PROTOCOL);
    else exchange.onInformational();
  }

  onResponse(flags: number, raw: readonly string[]): void {
    const { exchange } = this;
    if (exchange === null || this.state !== HEAD) return;
    this.session.noteActivity();
    const head = exchange.response;
    const refusal = readResponseHead(raw, head, this.session.limits);
    if (refusal !== 0) {
      const tooLarge = refusal === HEAD_TOO_LARGE || refusal === TOO_MANY_FIELDS;
      this.fail(tooLarge ? UPSTREAM_HEAD_TOO_LARGE : UPSTREAM_PROTOCOL);
      return;
    }
    this.state = BODY;
    let body = BODY_STREAM;
    if ((flags & FLAG_END_STREAM) !== 0 || exchange.request.method === "HEAD") body = BODY_NONE;
    // An announced length of 0 may still have trailers after it.
    else if (head.contentLength !== NO_LENGTH) body = BODY_LENGTH;
    exchange.onResponse(body);
  }

  onData(bytes: Buffer): void {
    if (this.exchange === null || this.state !== BODY) return;
    this.session.noteActivity();
    this.exchange.onResponseBody(bytes, 0, bytes.length);
  }

  onTrailers(raw: readonly string[]): void {
    if (this.exchange === null || this.state !== BODY) return;
    const trailers = new Fields();
    if (readFields(raw, trailers, "", 0, "", this.session.limits) !== 0) this.fail(UPSTREAM_BROKEN);
    else this.responseTrailers = trailers;
  }

  /** @internal The readable side ends: because of an END_STREAM or because the stream is gone. */
  noteEnd(): void {
    if (!this.stream!.closed) this.endSeen = true;
  }

  onEnd(): void {
    const { exchange } = this;
    if (exchange === null || !this.endSeen || this.state !== BODY) return;
    this.exchange = null;
    this.state = CLOSED;
    this.session.noteActivity();
    exchange.onResponseEnd(this.responseTrailers);
  }

  onDrain(): void {
    if (this.exchange !== null) this.exchange.onUpstreamDrain();
  }

  /** node:http2 is through with the stream. */
  onClosed(): void {
    this.fail(this.failure());
    this.session.onStreamClosed();
  }

  private failure(): number {
    const { rstCode, id } = this.stream!;
    if (this.state === BODY) return UPSTREAM_BROKEN;
    if (rstCode === REFUSED_STREAM || this.session.hasDisowned(id)) return UPSTREAM_REFUSED;
    return this.session.lost ? UPSTREAM_CLOSED : UPSTREAM_BROKEN;
  }

  /** Ends the exchange for one of the UPSTREAM_ causes, if it is not over, and the stream with it. */
  fail(cause: number): void {
    const { exchange, stream } = this;
    this.exchange = null;
    this.state = CLOSED;
    if (stream === null) this.session.onStreamClosed();
    else if (!stream.closed && !stream.destroyed) stream.close(CANCEL);
    if (exchange !== null) exchange.onUpstreamFailed(cause);
  }

  /** A listener threw: this exchange ends, the others of the connection go on. */
  failWith(error: unknown): void {
    reportThrown(error);
    try {
      this.fail(UPSTREAM_BROKEN);
    } catch (second) {
      reportThrown(second);
    }
  }
}

const NO_TRAILERS: OutgoingHttpHeaders = {};
const END_WITH_HEAD = { endStream: true };
const BODY_FOLLOWS = { endStream: false };
const TRAILERS_FOLLOW = { endStream: false, waitForTrailers: true };

function failLater(stream: Http2ClientStream): void {
  stream.fail(UPSTREAM_PROTOCOL);
}
