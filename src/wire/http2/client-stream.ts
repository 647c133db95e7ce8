// HOT
import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import { Readable } from "node:stream";
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
import { cancelled } from "./break-off.ts";
import type { Http2ClientSession } from "./client-session.ts";
import { appendFields, appendLines, trailerObject } from "./header-list.ts";
import { readFields } from "./read-fields.ts";
import { readResponseHead } from "./read-response-head.ts";
import { REFUSED_STREAM } from "./session-options.ts";

/** The response's head is awaited. */
const HEAD = 0;
const BODY = 1;
/** Nothing more is of interest to anyone. */
const OVER = 2;

/** A service that sends more interim responses than this to one request is broken or hostile. */
const INFORMATIONAL_MAX = 16;
const FLAG_END_STREAM = 1;

const END_WITH_HEAD = { endStream: true };
const BODY_FOLLOWS = { endStream: false };
const TRAILERS_FOLLOW = { endStream: false, waitForTrailers: true };
/** Sending no trailers ends the stream with an empty DATA frame. */
const NO_TRAILERS: OutgoingHttpHeaders = {};
const NO_QUEUE: Buffer[] = [];

/** The stream of node:http2 knows whose it is: its listeners are functions made once for all streams. */
interface OwnedStream extends ClientHttp2Stream {
  gateward: Http2ClientStream;
}

/**
 * One request to an HTTP/2 service and its response.
 *
 * The response's bytes are taken as node:http2 pushes them, past the stream's own read buffer. That spares
 * some work, and keeps bytes that a slow client has not taken yet from being thrown away when the
 * service closes the connection after a whole response.
 */
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
  /** What came while the exchange had paused; bounded by the stream's window. */
  private queue: Buffer[];
  private paused: boolean;
  private deliveryScheduled: boolean;
  /** The service has ended its side, as opposed to having broken off. */
  private endSeen: boolean;
  private informationalCount: number;
  /** The place in the session has been given back. */
  private released: boolean;

  constructor(session: Http2ClientSession, exchange: UpstreamEvents, reused: boolean) {
    this.reused = reused;
    this.session = session;
    this.stream = null;
    this.exchange = exchange;
    this.state = HEAD;
    this.requestDone = true;
    this.requestTrailers = null;
    this.responseTrailers = null;
    this.queue = NO_QUEUE;
    this.paused = false;
    this.deliveryScheduled = false;
    this.endSeen = false;
    this.informationalCount = 0;
    this.released = false;
  }

  get congested(): boolean {
    return this.stream !== null && this.stream.writableNeedDrain;
  }

  // UpstreamStream

  sendHead(head: RequestHead, target: string, host: string, lines: string, body: number): void {
    const list = this.pseudoFields(head, target, host);
    appendFields(list, head.fields);
    appendLines(list, lines);
    if (head.acceptsTrailers) list.push("te", "trailers");
    this.requestDone = body === BODY_NONE;
    const waits = body === BODY_STREAM && head.fields.has("trailer");
    const options = this.requestDone ? END_WITH_HEAD : waits ? TRAILERS_FOLLOW : BODY_FOLLOWS;
    try {
      // An upgrade is a matter of HTTP/1.1; RFC 8441 towards services is not supported.
      if (body === BODY_TUNNEL) setImmediate(failLater, this);
      else this.listen(this.session.request(list, options) as OwnedStream, waits);
    } catch (error) {
      reportThrown(error);
      setImmediate(failLater, this);
    }
  }

  /** RFC 9113 section 8.3.1. */
  private pseudoFields(head: RequestHead, target: string, host: string): string[] {
    const { scheme } = this.session;
    let authority = host;
    if (authority === "" && head.hostIndex >= 0) authority = head.fields.valueAt(head.hostIndex);
    // Without one, node:http2 puts the target's own there.
    return authority === ""
      ? [":method", head.method, ":scheme", scheme, ":path", target]
      : [":method", head.method, ":scheme", scheme, ":authority", authority, ":path", target];
  }

  private listen(stream: OwnedStream, waits: boolean): void {
    this.stream = stream;
    stream.gateward = this;
    stream.push = takePushed;
    stream.on("response", onResponse);
    stream.on("headers", onInformational);
    stream.on("trailers", onTrailers);
    stream.on("error", onError);
    stream.on("close", onClose);
    if (!this.requestDone) stream.on("drain", onDrain);
    if (waits) stream.on("wantTrailers", onWantTrailers);
    // Starts reading.
    stream._read(0);
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
    this.paused = true;
  }

  /** What has been kept follows when the caller is done. */
  resumeBody(): void {
    if (!this.paused) return;
    this.paused = false;
    this.scheduleDelivery();
  }

  abort(_exchange: UpstreamEvents): void {
    const unanswered = this.state === HEAD && this.exchange !== null;
    this.exchange = null;
    this.end();
    if (unanswered) this.session.onUnanswered();
  }

  /** Whatever is left of the stream is of no use. */
  private end(): void {
    const { stream } = this;
    this.state = OVER;
    this.queue = NO_QUEUE;
    if (stream === null) this.release();
    // From within an event of the session the reset would wait for its next write.
    else if (!stream.closed) setImmediate(cancel, stream);
  }

  private release(): void {
    if (this.released) return;
    this.released = true;
    this.session.onStreamClosed();
  }

  // The response

  onInformational(raw: readonly string[]): void {
    const { exchange } = this;
    if (exchange === null || this.state !== HEAD) return;
    this.session.noteActivity();
    const refusal = readResponseHead(raw, exchange.response, this.session.limits);
    if (refusal === 0 && ++this.informationalCount <= INFORMATIONAL_MAX) exchange.onInformational();
    else this.fail(UPSTREAM_PROTOCOL);
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
    // A length of 0 is one too: trailers may follow.
    else if (head.contentLength !== NO_LENGTH) body = BODY_LENGTH;
    exchange.onResponse(body);
    if (this.queue.length > 0) this.scheduleDelivery();
  }

  /** @internal @returns false to be sent no more for now. */
  onPushed(bytes: Buffer): boolean {
    const { exchange } = this;
    if (exchange === null) return true;
    this.session.noteActivity();
    if (this.paused || this.state !== BODY || this.queue.length > 0) {
      if (this.queue === NO_QUEUE) this.queue = [];
      this.queue.push(bytes);
      return !this.paused;
    }
    exchange.onResponseBody(bytes, 0, bytes.length);
    return !this.paused;
  }

  /** @internal The readable side ends: with an END_STREAM, or because the stream is closed already. */
  onPushedEnd(): void {
    if (this.stream!.closed) return;
    this.endSeen = true;
    // Trailers that came with it are announced by a tick that has been scheduled before.
    this.scheduleDelivery();
  }

  private scheduleDelivery(): void {
    if (this.deliveryScheduled) return;
    this.deliveryScheduled = true;
    process.nextTick(deliver, this);
  }

  /** @internal Hands over what has been kept, and the end once it is all. */
  deliver(): void {
    this.deliveryScheduled = false;
    const { stream } = this;
    // Lets node:http2 see that all has been read, or makes it send more.
    if (!stream!.destroyed) {
      if (this.endSeen) stream!.read(0);
      else if (!this.paused) stream!._read(0);
    }
    let index = 0;
    const { queue } = this;
    while (index < queue.length && !this.paused && this.exchange !== null && this.state === BODY) {
      const bytes = queue[index++]!;
      this.exchange.onResponseBody(bytes, 0, bytes.length);
    }
    if (this.queue === queue) this.queue = index < queue.length ? queue.slice(index) : NO_QUEUE;
    if (this.endSeen && this.queue.length === 0 && !this.paused && this.state === BODY)
      this.finish();
  }

  private finish(): void {
    const { exchange } = this;
    if (exchange === null) return;
    this.exchange = null;
    this.state = OVER;
    exchange.onResponseEnd(this.responseTrailers);
    // The service wants no more of the request.
    if (!this.requestDone) this.end();
  }

  onTrailers(raw: readonly string[]): void {
    if (this.exchange === null || this.state !== BODY) return;
    const trailers = new Fields();
    if (readFields(raw, trailers, "", 0, "", this.session.limits) !== 0) this.fail(UPSTREAM_BROKEN);
    else this.responseTrailers = trailers;
  }

  onDrain(): void {
    if (this.exchange !== null) this.exchange.onUpstreamDrain();
  }

  /** @internal node:http2 is through with the stream. */
  onClosed(): void {
    this.release();
    // A whole response may still wait for the exchange to go on.
    if (this.endSeen && this.state === BODY) return;
    this.fail(this.failure());
  }

  private failure(): number {
    const { rstCode, id } = this.stream!;
    const { session } = this;
    if (this.state === BODY) return UPSTREAM_BROKEN;
    // Without an id it was never sent.
    if (id === undefined || rstCode === REFUSED_STREAM || session.hasDisowned(id))
      return UPSTREAM_REFUSED;
    return session.lost ? UPSTREAM_CLOSED : UPSTREAM_BROKEN;
  }

  /** Ends the exchange for one of the UPSTREAM_ causes, if it is not over. */
  fail(cause: number): void {
    const { exchange } = this;
    this.exchange = null;
    this.end();
    if (exchange !== null) exchange.onUpstreamFailed(cause);
  }

  /** A listener threw: this exchange ends, the others of the session go on. */
  failWith(error: unknown): void {
    reportThrown(error);
    try {
      this.fail(UPSTREAM_BROKEN);
    } catch (second) {
      reportThrown(second);
    }
  }
}

function cancel(stream: OwnedStream): void {
  stream.destroy(cancelled);
}

function failLater(stream: Http2ClientStream): void {
  stream.fail(UPSTREAM_PROTOCOL);
}

function deliver(stream: Http2ClientStream): void {
  try {
    stream.deliver();
  } catch (error) {
    stream.failWith(error);
  }
}

function takePushed(this: OwnedStream, bytes: Buffer | null): boolean {
  const stream = this.gateward;
  if (bytes === null) {
    stream.onPushedEnd();
    return Readable.prototype.push.call(this, null);
  }
  try {
    return stream.onPushed(bytes);
  } catch (error) {
    stream.failWith(error);
    return true;
  }
}

function onResponse(
  this: OwnedStream,
  _headers: unknown,
  flags: number,
  raw: readonly string[],
): void {
  try {
    this.gateward.onResponse(flags, raw);
  } catch (error) {
    this.gateward.failWith(error);
  }
}

function onInformational(
  this: OwnedStream,
  _headers: unknown,
  _flags: number,
  raw: readonly string[],
): void {
  try {
    this.gateward.onInformational(raw);
  } catch (error) {
    this.gateward.failWith(error);
  }
}

function onTrailers(
  this: OwnedStream,
  _headers: unknown,
  _flags: number,
  raw: readonly string[],
): void {
  try {
    this.gateward.onTrailers(raw);
  } catch (error) {
    this.gateward.failWith(error);
  }
}

function onDrain(this: OwnedStream): void {
  try {
    this.gateward.onDrain();
  } catch (error) {
    this.gateward.failWith(error);
  }
}

function onClose(this: OwnedStream): void {
  try {
    this.gateward.onClosed();
  } catch (error) {
    this.gateward.failWith(error);
  }
}

function onWantTrailers(this: OwnedStream): void {
  this.gateward.onWantTrailers();
}

function onError(): void {
  // What it was shows in the code of the reset; "close" follows.
}
