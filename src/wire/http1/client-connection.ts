// HOT
import { Deadline } from "../../base/deadline-wheel.ts";
import type { DeadlineWheel } from "../../base/deadline-wheel.ts";
import {
  BODY_LENGTH,
  BODY_NONE,
  BODY_STREAM,
  BODY_TUNNEL,
  UPSTREAM_BROKEN,
  UPSTREAM_CLOSED,
  UPSTREAM_HEAD_TOO_LARGE,
  UPSTREAM_PROTOCOL,
} from "../exchange-streams.ts";
import type { UpstreamEvents, UpstreamStream } from "../exchange-streams.ts";
import type { Fields } from "../fields.ts";
import type { Transport, TransportListener } from "../transport.ts";
import { BodyReader } from "./body-reader.ts";
import { HEAD_TOO_LARGE, INCOMPLETE, TOO_MANY_FIELDS } from "./refusal.ts";
import { parseResponseHead } from "./parse-response-head.ts";
import type { HeadLimits } from "./parse-request-head.ts";
import { DiscardedExchange } from "./discarded-exchange.ts";
import { NO_LENGTH } from "./request-head.ts";
import type { RequestHead } from "./request-head.ts";
import { LAST_CHUNK, chunkHead, trailerSection } from "./write-message.ts";

/** Nothing is asked of the service. */
const IDLE = 0;
/** A response head is awaited or has come in part. */
const HEAD = 1;
const BODY = 2;
const TUNNEL = 3;
const CLOSED = 4;

/** A service that sends more interim responses than this to one request is broken or hostile. */
const INFORMATIONAL_MAX = 16;

/** What is left of an answer that nobody wants is read past, if it is no longer; beyond that a new connection is cheaper. */
const REST_BYTES_MAX = 16_384;
const REST_MS = 1000;

/** Who keeps connections: the pool. */
export interface ClientConnectionOwner {
  /** The exchange is over and the connection can carry another. */
  onConnectionFree(connection: Http1ClientConnection): void;
  /** The connection is gone, whatever it was doing. */
  onConnectionGone(connection: Http1ClientConnection): void;
}

/**
 * One HTTP/1.1 connection to a service. It carries one exchange at a time or, where the service is
 * configured for pipelining, several in order; then the head of the line is `exchange`, and the others
 * wait in `waiting`.
 */
export class Http1ClientConnection extends Deadline implements TransportListener, UpstreamStream {
  /** Exchanges this connection has carried. */
  requestCount: number;
  /** Every exchange under way may share the connection; the pool's own. */
  shared: boolean;
  private readonly transport: Transport;
  private readonly owner: ClientConnectionOwner;
  private readonly wheel: DeadlineWheel;
  private readonly limits: HeadLimits;
  private exchange: UpstreamEvents | null;
  private readonly waiting: UpstreamEvents[];
  private state: number;
  private readonly reader: BodyReader;
  private partial: Buffer | null;
  private keepAlive: boolean;
  private requestDone: boolean;
  private chunkedRequest: boolean;
  private informationalCount: number;
  private bytesSeen: boolean;
  /** Exchanges in line that have left: their answers are read past. */
  private discardedCount: number;

  constructor(
    transport: Transport,
    owner: ClientConnectionOwner,
    wheel: DeadlineWheel,
    limits: HeadLimits,
  ) {
    super();
    this.requestCount = 0;
    this.shared = false;
    this.transport = transport;
    this.owner = owner;
    this.wheel = wheel;
    this.limits = limits;
    this.exchange = null;
    this.waiting = [];
    this.state = IDLE;
    this.reader = new BodyReader();
    this.partial = null;
    this.keepAlive = true;
    this.requestDone = true;
    this.chunkedRequest = false;
    this.informationalCount = 0;
    this.bytesSeen = false;
    this.discardedCount = 0;
    transport.listener = this;
    transport.resume();
  }

  get congested(): boolean {
    return this.transport.congested;
  }

  get reused(): boolean {
    return this.requestCount > 1;
  }

  get closed(): boolean {
    return this.state === CLOSED;
  }

  /** Exchanges under way. */
  get load(): number {
    return this.exchange === null ? 0 : 1 + this.waiting.length;
  }

  /**
   * Whether one more exchange may share the connection. Behind an answer that nobody waits for none is
   * put: the service may never give it.
   */
  hasRoom(loadMax: number): boolean {
    return this.state !== CLOSED && this.discardedCount === 0 && this.load < loadMax;
  }

  /** Writes of several exchanges leave together, once an iteration of the event loop. */
  enableBatching(): void {
    this.transport.batch = true;
  }

  /** Gives the connection to an exchange; its head is to be sent next. */
  attach(exchange: UpstreamEvents): void {
    this.requestCount++;
    this.wheel.clear(this);
    if (this.exchange === null) {
      this.exchange = exchange;
      this.prepare();
    } else {
      this.waiting.push(exchange);
    }
  }

  private prepare(): void {
    this.state = HEAD;
    this.keepAlive = true;
    this.informationalCount = 0;
    this.bytesSeen = false;
  }

  // UpstreamStream

  sendHead(head: RequestHead, target: string, host: string, lines: string, body: number): void {
    const { fields } = head;
    const plain =
      head.versionMinor === 1 &&
      target.length === head.targetEnd - head.targetStart &&
      fields.text.startsWith(target, head.targetStart);
    // A request that goes on as it came needs no new request line: one slice takes it and its fields.
    let text = plain
      ? fields.lines(0)
      : head.method + " " + target + " HTTP/1.1\r\n" + fields.lines(fields.linesStart);
    if (host !== "") text += "Host: " + host + "\r\n";
    this.chunkedRequest = false;
    this.requestDone = body === BODY_NONE || body === BODY_TUNNEL;
    if (body === BODY_STREAM) {
      this.chunkedRequest = true;
      text += "Transfer-Encoding: chunked\r\n";
    } else if (body === BODY_TUNNEL) {
      text += "Connection: Upgrade\r\nUpgrade: " + fields.valueAt(head.upgradeIndex) + "\r\n";
    }
    this.transport.writeText(text + lines + "\r\n");
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    // As a chunk, nothing would be the end.
    if (start === end) return;
    const { transport } = this;
    if (this.chunkedRequest) {
      transport.writeText(chunkHead(end - start));
      transport.writeBytes(bytes, start, end);
      transport.writeText("\r\n");
    } else {
      transport.writeBytes(bytes, start, end);
    }
  }

  sendEnd(trailers: Fields | null): void {
    if (this.state === TUNNEL) {
      this.transport.end();
      return;
    }
    if (this.chunkedRequest) {
      this.transport.writeText(trailers === null ? LAST_CHUNK : trailerSection(trailers));
    }
    this.requestDone = true;
    if (this.exchange === null && this.state === IDLE) this.settle();
  }

  pauseBody(): void {
    this.transport.pause();
  }

  resumeBody(): void {
    this.transport.resume();
  }

  abort(exchange: UpstreamEvents): void {
    if (this.load - this.discardedCount > 1) {
      // Others share the connection: the answer is read and thrown away.
      this.discard(exchange);
      return;
    }
    if (this.exchange === exchange && this.isSoonFree) {
      this.discard(exchange);
      this.wheel.set(this, REST_MS);
      return;
    }
    this.exchange = null;
    // It may stand in line itself, among such as have left.
    this.waiting.length = 0;
    this.close();
  }

  /** The head has come, and little or nothing follows: of a 304 that stood for what is in a cache, for one. */
  private get isSoonFree(): boolean {
    if (this.state !== BODY || !this.requestDone || !this.keepAlive) return false;
    const { contentLength } = this.exchange!.response;
    return this.reader.done || (contentLength !== NO_LENGTH && contentLength <= REST_BYTES_MAX);
  }

  private discard(exchange: UpstreamEvents): void {
    const discarded = new DiscardedExchange(exchange.request.method);
    this.discardedCount++;
    if (this.exchange === exchange) this.exchange = discarded;
    else this.waiting[this.waiting.indexOf(exchange)] = discarded;
    this.transport.resume();
  }

  /** Closes an idle connection, or one that nobody waits on any more. */
  destroy(): void {
    this.exchange = null;
    this.close();
  }

  // TransportListener

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.state === TUNNEL) {
      this.exchange!.onResponseBody(bytes, start, end);
      return;
    }
    if (this.partial !== null) {
      bytes = Buffer.concat([this.partial, bytes.subarray(start, end)]);
      start = 0;
      end = bytes.length;
      this.partial = null;
    }
    let position = start;
    while (position < end) {
      if (this.state === HEAD) position = this.readHead(bytes, position, end);
      else if (this.state === BODY) position = this.readBody(bytes, position, end);
      else if (this.state === TUNNEL) {
        this.exchange!.onResponseBody(bytes, position, end);
        return;
      } else {
        // Bytes nobody asked for: they must never be taken for the next exchange's response.
        if (this.state === IDLE) this.close();
        return;
      }
    }
  }

  /** @returns the position reached; `end` when more is needed or the connection is lost. */
  private readHead(bytes: Buffer, position: number, end: number): number {
    const exchange = this.exchange;
    if (exchange === null) {
      this.close();
      return end;
    }
    this.bytesSeen = true;
    const head = exchange.response;
    const headEnd = parseResponseHead(bytes, position, end, head, this.limits);
    if (headEnd < 0) {
      if (headEnd === INCOMPLETE) this.partial = Buffer.from(bytes.subarray(position, end));
      else this.fail(causeOf(headEnd));
      return end;
    }
    if (head.status >= 200) this.startBody(exchange, headEnd < end);
    else if (head.status === 101) this.startTunnel(exchange);
    else if (++this.informationalCount > INFORMATIONAL_MAX) this.fail(UPSTREAM_PROTOCOL);
    else exchange.onInformational();
    return headEnd;
  }

  /** RFC 9112 section 6.3 says where a response's body ends. */
  private startBody(exchange: UpstreamEvents, more: boolean): void {
    const head = exchange.response;
    const { status } = head;
    this.keepAlive = head.keepAlive;
    let body = BODY_LENGTH;
    if (exchange.request.method === "HEAD" || status === 204 || status === 304) {
      body = BODY_NONE;
      this.reader.startLength(0);
    } else if (head.chunked) {
      body = BODY_STREAM;
      this.reader.startChunked(this.limits);
    } else if (head.contentLength !== NO_LENGTH) {
      if (head.contentLength === 0) body = BODY_NONE;
      this.reader.startLength(head.contentLength);
    } else {
      body = BODY_STREAM;
      this.keepAlive = false;
      this.reader.startUntilClose();
    }
    this.state = BODY;
    exchange.onResponse(body);
    // The exchange may have left: then another stands in for it.
    if (this.reader.done && this.state === BODY && this.exchange !== null) {
      this.finish(null, more);
    }
  }

  private startTunnel(exchange: UpstreamEvents): void {
    if (exchange.request.upgradeIndex < 0 || this.waiting.length > 0) {
      this.fail(UPSTREAM_PROTOCOL);
      return;
    }
    this.state = TUNNEL;
    this.chunkedRequest = false;
    this.keepAlive = false;
    exchange.onResponse(BODY_TUNNEL);
  }

  private readBody(bytes: Buffer, position: number, end: number): number {
    const { reader } = this;
    const exchange = this.exchange!;
    position = reader.read(bytes, position, end);
    if (position < 0) {
      this.fail(UPSTREAM_BROKEN);
      return end;
    }
    if (reader.dataEnd > reader.dataStart) {
      exchange.onResponseBody(bytes, reader.dataStart, reader.dataEnd);
    }
    if (reader.done && this.exchange !== null && this.state === BODY) {
      this.finish(reader.trailers, position < end);
    }
    return position;
  }

  /**
   * The response is complete. The connection is settled before the exchange is told, so that what the
   * exchange starts next finds it free. Bytes left over that nobody asked for close it: they must never
   * be taken for the response to the next request.
   */
  private finish(trailers: Fields | null, leftOver: boolean): void {
    const exchange = this.exchange!;
    this.exchange = null;
    this.state = IDLE;
    if (this.discardedCount > 0 && exchange instanceof DiscardedExchange) this.discardedCount--;
    if (leftOver && this.waiting.length === 0) this.keepAlive = false;
    if (!this.keepAlive) this.close();
    else if (this.requestDone) this.settle();
    exchange.onResponseEnd(trailers);
  }

  /** Turns to the next pipelined exchange, or back to the pool. */
  private settle(): void {
    if (this.discardedCount > 0 && this.discardedCount === this.waiting.length) {
      // Nobody waits any more for what is to come, which may be never.
      this.waiting.length = 0;
      this.close();
      return;
    }
    const next = this.waiting.shift();
    if (next !== undefined) {
      this.exchange = next;
      this.prepare();
    }
    this.transport.resume();
    this.owner.onConnectionFree(this);
  }

  onDrain(): void {
    if (this.exchange !== null) this.exchange.onUpstreamDrain();
  }

  onEnd(): void {
    if (this.state === TUNNEL) {
      this.exchange!.onResponseEnd(null);
      return;
    }
    if (this.state === BODY && this.reader.endsAtClose) {
      this.finish(null, false);
      return;
    }
    this.close();
  }

  onClose(): void {
    this.close();
  }

  /** The idle time is over, or that for what nobody wants. */
  onDeadline(): void {
    if (this.state === IDLE || this.exchange instanceof DiscardedExchange) this.close();
  }

  private fail(cause: number): void {
    const exchange = this.exchange;
    this.exchange = null;
    this.close();
    if (exchange !== null) exchange.onUpstreamFailed(cause);
  }

  private close(): void {
    if (this.state === CLOSED) return;
    const { exchange } = this;
    const wasTunnel = this.state === TUNNEL;
    const inBody = this.state === BODY;
    this.state = CLOSED;
    this.exchange = null;
    this.partial = null;
    this.wheel.release(this);
    this.transport.destroy();
    this.owner.onConnectionGone(this);
    if (exchange !== null) {
      const broken = inBody || wasTunnel || this.bytesSeen;
      exchange.onUpstreamFailed(broken ? UPSTREAM_BROKEN : UPSTREAM_CLOSED);
    }
    if (this.waiting.length > 0) this.failWaiting();
  }

  private failWaiting(): void {
    const waiting = this.waiting.splice(0);
    for (let index = 0; index < waiting.length; index++) {
      waiting[index]!.onUpstreamFailed(UPSTREAM_CLOSED);
    }
  }
}

/** What a refused head of the service counts as. */
function causeOf(refusal: number): number {
  return refusal === HEAD_TOO_LARGE || refusal === TOO_MANY_FIELDS
    ? UPSTREAM_HEAD_TOO_LARGE
    : UPSTREAM_PROTOCOL;
}
