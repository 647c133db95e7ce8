// HOT
import type { TLSSocket } from "node:tls";
import { Deadline } from "../../base/deadline-wheel.ts";
import type { ClientConnection, ClientEvents, ClientStream } from "../exchange-streams.ts";
import { BODY_NONE, BODY_STREAM, BODY_TUNNEL } from "../exchange-streams.ts";
import type { Fields } from "../fields.ts";
import type { ServerContext } from "../server-context.ts";
import type { Transport, TransportListener } from "../transport.ts";
import { BodyReader } from "./body-reader.ts";
import { HeadScanner } from "./head-scanner.ts";
import { parseRequestHead } from "./parse-request-head.ts";
import { HEAD_TIMEOUT, HEAD_TOO_LARGE, HTTP2_PREFACE, INCOMPLETE } from "./refusal.ts";
import type { ResponseHead } from "./response-head.ts";
import { LAST_CHUNK, chunkHead, statusLine, trailerSection } from "./write-message.ts";

/** Between requests. */
const IDLE = 0;
/** Part of a head has come. */
const HEAD = 1;
/** An exchange runs and its request body is being read. */
const BODY = 2;
/** An exchange runs and its request has been read whole. */
const RESPOND = 3;
const TUNNEL = 4;
/** The last response is out; what still comes is read past, so that no reset overtakes the response. */
const LINGER = 5;
const CLOSED = 6;
/** The response is out before the request was: the little that is left of its body is read past. */
const DISCARD = 7;

/** Reading past what still comes ends after this much silence, and after this long whatever comes, as NGINX's. */
const LINGER_QUIET_MS = 5_000;
const LINGER_MS = 30_000;
/** Pipelined bytes kept while a request is being answered; more stay in the system's buffer. */
const STASH_BYTES_MAX = 16 * 1024;
/** Reading past this much of a body is cheaper than a new connection. */
const DISCARD_BYTES_MAX = 64 * 1024;

/** Owner of a connection: the listener that accepted it. */
export interface ConnectionOwner {
  /** The client speaks HTTP/2 without TLS. The transport's listener is free; bytes were read already. */
  onHttp2Preface(connection: Http1ServerConnection, transport: Transport, bytes: Buffer): void;
  onConnectionClosed(connection: Http1ServerConnection): void;
}

/** One HTTP/1.x connection from a client: reads requests one after the other, writes responses. */
export class Http1ServerConnection
  extends Deadline
  implements TransportListener, ClientStream, ClientConnection
{
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly tlsSocket: TLSSocket | null;
  forwarding: unknown;
  private readonly transport: Transport;
  private readonly context: ServerContext;
  private readonly owner: ConnectionOwner;
  private state: number;
  private exchange: ClientEvents | null;
  private bodyReader: BodyReader | null;
  private scanner: HeadScanner | null;
  private partial: Buffer | null;
  private partialLength: number;
  private stash: Buffer | null;
  private inRead: boolean;
  private requestCount: number;
  private versionMinor: number;
  private keepAlive: boolean;
  private requestDone: boolean;
  private chunkedResponse: boolean;
  private halfClosed: boolean;
  /** In a tunnel: the service's direction has ended. */
  private tunnelEnded: boolean;
  /** Of the wheel's clock. */
  private lingerUntilMs: number;

  constructor(
    transport: Transport,
    context: ServerContext,
    owner: ConnectionOwner,
    peerAddress: string,
    peerPort: number,
    tlsSocket: TLSSocket | null,
  ) {
    super();
    this.peerAddress = peerAddress;
    this.peerPort = peerPort;
    this.tlsSocket = tlsSocket;
    this.forwarding = null;
    this.transport = transport;
    this.context = context;
    this.owner = owner;
    this.state = IDLE;
    this.exchange = null;
    this.bodyReader = null;
    this.scanner = null;
    this.partial = null;
    this.partialLength = 0;
    this.stash = null;
    this.inRead = false;
    this.requestCount = 0;
    this.versionMinor = 1;
    this.keepAlive = true;
    this.requestDone = true;
    this.chunkedResponse = false;
    this.halfClosed = false;
    this.tunnelEnded = false;
    this.lingerUntilMs = 0;
    transport.listener = this;
    context.wheel.set(this, context.timeouts.headMs);
    transport.resume();
  }

  get connection(): ClientConnection {
    return this;
  }

  get localPort(): number {
    return this.context.localPort;
  }

  get isTls(): boolean {
    return this.context.isTls;
  }

  get listenerKey(): string {
    return this.context.key;
  }

  get serverName(): string {
    const name = this.tlsSocket?.servername;
    return typeof name === "string" ? name : "";
  }

  get protocol(): string {
    return this.versionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1";
  }

  get congested(): boolean {
    return this.transport.congested;
  }

  get isIdle(): boolean {
    return this.state === IDLE || this.state === HEAD;
  }

  closeAfterResponse(): void {
    this.keepAlive = false;
  }

  // Reading

  onData(bytes: Buffer, start: number, end: number): void {
    switch (this.state) {
      case IDLE:
        this.readRequests(bytes, start, end);
        break;
      case HEAD:
        this.continueHead(bytes, start, end);
        break;
      case BODY: {
        const position = this.readBody(bytes, start, end);
        if (position < end) this.readRequests(bytes, position, end);
        break;
      }
      case RESPOND:
        this.stashBytes(bytes, start, end);
        break;
      case TUNNEL:
        this.exchange!.onRequestBody(bytes, start, end);
        break;
      case DISCARD: {
        const position = this.discardBody(bytes, start, end);
        if (position < end) this.readRequests(bytes, position, end);
        break;
      }
      case LINGER:
        this.armLinger();
        break;
      default:
        break;
    }
  }

  private readRequests(bytes: Buffer, position: number, end: number): void {
    const context = this.context;
    this.inRead = true;
    // While the client has not taken its last response, its next request waits: a flood of them would
    // otherwise pile up responses here.
    while (position < end && this.state === IDLE && !this.transport.congested) {
      const exchange = context.exchanges.acquire();
      const headEnd = parseRequestHead(bytes, position, end, exchange.request, context.limits);
      if (headEnd < 0) {
        if (headEnd === INCOMPLETE) {
          context.exchanges.release(exchange);
          this.keepPartial(bytes, position, end);
        } else if (headEnd === HTTP2_PREFACE && this.requestCount === 0) {
          context.exchanges.release(exchange);
          this.handOver(bytes, position, end);
        } else {
          this.refuse(exchange, headEnd);
        }
        this.inRead = false;
        return;
      }
      position = this.begin(exchange, bytes, headEnd, end);
    }
    this.inRead = false;
    if (position < end) this.stashBytes(bytes, position, end);
  }

  private begin(exchange: ClientEvents, bytes: Buffer, position: number, end: number): number {
    const { request } = exchange;
    const context = this.context;
    const hasBody = request.chunked || request.contentLength > 0;
    this.exchange = exchange;
    this.requestCount++;
    this.versionMinor = request.versionMinor;
    this.keepAlive =
      request.keepAlive &&
      !(this.halfClosed && position === end) &&
      (context.connectionRequestsMax === 0 || this.requestCount < context.connectionRequestsMax);
    this.requestDone = !hasBody;
    this.chunkedResponse = false;
    if (!hasBody) {
      this.state = RESPOND;
      context.wheel.clear(this);
      exchange.onRequest(this, false);
      return position;
    }
    this.state = BODY;
    const reader = (this.bodyReader ??= new BodyReader());
    if (request.chunked) reader.startChunked(context.limits);
    else reader.startLength(request.contentLength);
    context.wheel.set(this, context.timeouts.bodyMs);
    exchange.onRequest(this, true);
    return position < end ? this.readBody(bytes, position, end) : position;
  }

  private readBody(bytes: Buffer, position: number, end: number): number {
    const reader = this.bodyReader!;
    while (position < end && this.state === BODY) {
      position = reader.read(bytes, position, end);
      if (position < 0) {
        this.keepAlive = false;
        this.exchange!.onRequestMalformed(position);
        return end;
      }
      if (reader.dataEnd > reader.dataStart) {
        this.exchange!.onRequestBody(bytes, reader.dataStart, reader.dataEnd);
      }
      if (reader.done && this.state === BODY) {
        this.requestDone = true;
        this.state = RESPOND;
        this.context.wheel.clear(this);
        this.exchange!.onRequestEnd(reader.trailers);
        return position;
      }
    }
    if (this.state === DISCARD) return this.discardBody(bytes, position, end);
    if (this.state === BODY && !this.transport.congested) {
      this.context.wheel.set(this, this.context.timeouts.bodyMs);
    }
    // An exchange that ended before its request did: the rest is read past.
    return this.state === BODY ? position : end;
  }

  private discardBody(bytes: Buffer, position: number, end: number): number {
    const reader = this.bodyReader!;
    while (position < end && !reader.done) position = reader.read(bytes, position, end);
    if (reader.done) {
      this.requestDone = true;
      this.state = IDLE;
      this.armForState();
    }
    return position;
  }

  /** Keeps the beginning of a head until the rest comes. */
  private keepPartial(bytes: Buffer, position: number, end: number): void {
    const scanner = (this.scanner ??= new HeadScanner());
    // Of an empty line that is cut in two, the scanner must know the first half.
    const isHalf = end - position === 1 && bytes[position] === 0x0d;
    scanner.reset(isHalf ? 1 : 0);
    // A CRLF before the request line must not count as the end of a head.
    const from = bytes[position] === 0x0d ? Math.min(position + 2, end) : position;
    const stop = scanner.scan(bytes, from, end);
    if (stop < 0 && stop !== INCOMPLETE) {
      this.refuse(this.context.exchanges.acquire(), stop);
      return;
    }
    this.state = HEAD;
    this.partial = Buffer.from(bytes.subarray(position, end));
    this.partialLength = end - position;
    this.context.wheel.set(this, this.context.timeouts.headMs);
  }

  private continueHead(bytes: Buffer, start: number, end: number): void {
    let stop = this.scanner!.scan(bytes, start, end);
    if (stop < 0 && stop !== INCOMPLETE) {
      this.partial = null;
      this.refuse(this.context.exchanges.acquire(), stop);
      return;
    }
    let whole = this.appendPartial(bytes, start, stop < 0 ? end : stop);
    if (stop < 0) {
      const { headBytesMax, uriBytesMax } = this.context.limits;
      if (this.partialLength <= headBytesMax + uriBytesMax) return;
      this.partial = null;
      this.refuse(this.context.exchanges.acquire(), HEAD_TOO_LARGE);
      return;
    }
    if (whole[0] === 0x50 && whole[1] === 0x52 && stop < end) {
      // "PR": what comes after the beginning of HTTP/2's preface has to be handed over with it.
      whole = this.appendPartial(bytes, stop, end);
      stop = end;
    }
    const length = this.partialLength;
    this.partial = null;
    this.state = IDLE;
    this.readRequests(whole, 0, length);
    if (stop < end) this.onData(bytes, stop, end);
  }

  /** Appends to the partial head, doubling its room: trickled bytes cost no quadratic copying. */
  private appendPartial(bytes: Buffer, start: number, end: number): Buffer {
    const needed = this.partialLength + end - start;
    let partial = this.partial!;
    if (needed > partial.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, partial.length * 2));
      partial.copy(grown, 0, 0, this.partialLength);
      this.partial = partial = grown;
    }
    bytes.copy(partial, this.partialLength, start, end);
    this.partialLength = needed;
    return partial;
  }

  private stashBytes(bytes: Buffer, start: number, end: number): void {
    if (this.state === CLOSED || this.state === LINGER) return;
    const piece = bytes.subarray(start, end);
    this.stash = this.stash === null ? Buffer.from(piece) : Buffer.concat([this.stash, piece]);
    if (this.stash.length >= STASH_BYTES_MAX) this.transport.pause();
  }

  private readStash(): void {
    const stash = this.stash;
    if (stash === null) return;
    this.stash = null;
    this.transport.resume();
    this.onData(stash, 0, stash.length);
    if (this.halfClosed && this.stash === null) this.finishInput();
  }

  private handOver(bytes: Buffer, position: number, end: number): void {
    this.state = CLOSED;
    this.context.wheel.release(this);
    this.owner.onHttp2Preface(this, this.transport, Buffer.from(bytes.subarray(position, end)));
  }

  private refuse(exchange: ClientEvents, refusal: number): void {
    this.context.wheel.clear(this);
    this.exchange = exchange;
    this.state = RESPOND;
    this.keepAlive = false;
    this.requestDone = false;
    this.versionMinor = 1;
    this.context.exchanges.refuse(exchange, this, refusal);
  }

  // TransportListener

  onEnd(): void {
    this.halfClosed = true;
    if (this.state === IDLE && !this.transport.pending) {
      this.destroy();
    } else if (this.state === TUNNEL) {
      this.exchange!.onRequestEnd(null);
      if (this.tunnelEnded) this.finishTunnel();
    } else if (this.stash === null) {
      this.finishInput();
    }
  }

  /** A client may stop sending and still listen (RFC 9112 section 9.6): what it sent whole is answered. */
  private finishInput(): void {
    switch (this.state) {
      case RESPOND:
        this.keepAlive = false;
        break;
      case BODY:
        this.leave(false);
        break;
      case TUNNEL:
      case CLOSED:
        break;
      default:
        this.closeAfterFlush();
        break;
    }
  }

  onDrain(): void {
    this.armForState();
    if (this.exchange !== null) this.exchange.onClientDrain();
    else if (this.state === IDLE) this.readStash();
    else if (this.state === LINGER && this.halfClosed) this.destroy();
  }

  onClose(): void {
    this.leave(false);
  }

  onDeadline(): void {
    const { transport } = this;
    if (this.state === LINGER ? transport.pending : transport.congested) {
      // A client that reads slowly is waited for, as long as it reads.
      if (transport.hasProgressed()) this.armForState();
      else this.leave(true);
      return;
    }
    switch (this.state) {
      case HEAD:
        this.partial = null;
        this.refuse(this.context.exchanges.acquire(), HEAD_TIMEOUT);
        break;
      case BODY:
        this.keepAlive = false;
        this.exchange!.onRequestTimeout();
        break;
      case IDLE:
      case DISCARD:
      case LINGER:
        this.destroy();
        break;
      default:
        break;
    }
  }

  private armForState(): void {
    const { wheel, timeouts } = this.context;
    if (this.transport.congested) wheel.set(this, timeouts.writeMs);
    else if (this.state === IDLE) wheel.set(this, timeouts.idleMs);
    else if (this.state === BODY || this.state === DISCARD) wheel.set(this, timeouts.bodyMs);
    else if (this.state === LINGER) this.armLinger();
    else wheel.clear(this);
  }

  private armLinger(): void {
    const { wheel, timeouts } = this.context;
    const leftMs = this.lingerUntilMs - wheel.nowMs;
    if (this.transport.pending) wheel.set(this, timeouts.writeMs);
    else if (leftMs <= 0) this.destroy();
    else wheel.set(this, leftMs < LINGER_QUIET_MS ? leftMs : LINGER_QUIET_MS);
  }

  /** The client is gone, or takes nothing any more: whoever works for it is told. */
  private leave(stalled: boolean): void {
    const exchange = this.exchange;
    this.exchange = null;
    const wasClosed = this.state === CLOSED;
    this.destroy();
    if (exchange === null || wasClosed) return;
    if (stalled) exchange.onClientStalled();
    else exchange.onClientGone();
  }

  /** Closes at once. */
  destroy(): void {
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    this.stash = null;
    this.partial = null;
    this.context.wheel.release(this);
    this.transport.destroy();
    this.owner.onConnectionClosed(this);
  }

  /** The listener drains: closes if nothing is under way, else after the response. */
  drain(): void {
    this.keepAlive = false;
    if (this.state === IDLE) this.closeAfterFlush();
  }

  // ClientStream

  pauseBody(): void {
    this.transport.pause();
    if (this.state === BODY && !this.transport.congested) this.context.wheel.clear(this);
  }

  resumeBody(): void {
    this.transport.resume();
    if (this.state === BODY) this.armForState();
  }

  sendInformational(head: ResponseHead): void {
    if (this.versionMinor === 0) return;
    const { fields } = head;
    this.transport.writeText(statusLine(head) + fields.lines(fields.linesStart) + "\r\n");
  }

  sendHead(head: ResponseHead, body: number): void {
    const { fields } = head;
    if (body === BODY_TUNNEL) {
      this.sendUpgradeHead(head);
      return;
    }
    if (this.context.draining) this.keepAlive = false;
    // A response that comes before the request has been read whole ends the connection, unless what is
    // left of the request is little and certain to come.
    if (!this.requestDone && !this.canDiscard()) this.keepAlive = false;
    // The service's own status line goes out with its fields, in one slice.
    let text = head.statusLineStands
      ? fields.lines(0)
      : statusLine(head) + fields.lines(fields.linesStart);
    if (body === BODY_STREAM) {
      if (this.versionMinor === 1) {
        this.chunkedResponse = true;
        text += "Transfer-Encoding: chunked\r\n";
      } else {
        this.keepAlive = false;
      }
    }
    if (!this.keepAlive) text += "Connection: close\r\n\r\n";
    else if (this.versionMinor === 0) text += "Connection: keep-alive\r\n\r\n";
    else text += "\r\n";
    this.transport.writeText(text);
    if (body === BODY_NONE) this.chunkedResponse = false;
  }

  private canDiscard(): boolean {
    if (this.exchange === null || this.exchange.request.expectContinue) return false;
    return this.state === BODY && this.bodyReader!.remainingLength <= DISCARD_BYTES_MAX;
  }

  private sendUpgradeHead(head: ResponseHead): void {
    const { fields } = head;
    let text = statusLine(head) + fields.lines(fields.linesStart) + "Connection: Upgrade\r\n";
    if (head.upgradeIndex >= 0) text += "Upgrade: " + fields.valueAt(head.upgradeIndex) + "\r\n";
    this.transport.writeText(text + "\r\n");
    this.state = TUNNEL;
    this.chunkedResponse = false;
    this.keepAlive = false;
    this.context.wheel.clear(this);
    this.readStash();
    if (this.halfClosed && this.exchange !== null) this.exchange.onRequestEnd(null);
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    const { transport } = this;
    if (this.chunkedResponse) {
      transport.writeText(chunkHead(end - start));
      transport.writeBytes(bytes, start, end);
      transport.writeText("\r\n");
    } else {
      transport.writeBytes(bytes, start, end);
    }
    if (transport.congested) this.context.wheel.set(this, this.context.timeouts.writeMs);
  }

  sendEnd(trailers: Fields | null): void {
    if (this.state === TUNNEL) {
      this.tunnelEnded = true;
      this.transport.end();
      if (this.halfClosed) this.finishTunnel();
      return;
    }
    if (this.chunkedResponse) {
      this.transport.writeText(trailers === null ? LAST_CHUNK : trailerSection(trailers));
    }
    this.exchange = null;
    if (!this.keepAlive) {
      this.linger();
      if (this.halfClosed) this.closeAfterFlush();
      return;
    }
    this.state = this.requestDone ? IDLE : DISCARD;
    this.armForState();
    if (!this.requestDone || this.inRead) return;
    if (this.stash !== null) this.readStash();
    else if (this.halfClosed) this.closeAfterFlush();
  }

  private linger(): void {
    this.state = LINGER;
    this.stash = null;
    this.transport.end();
    this.transport.resume();
    this.lingerUntilMs = this.context.wheel.nowMs + LINGER_MS;
    this.armLinger();
  }

  /** Both directions of a tunnel have ended. */
  private finishTunnel(): void {
    this.exchange = null;
    this.closeAfterFlush();
  }

  /** Nothing more will come from the client: closes once everything is out. */
  private closeAfterFlush(): void {
    if (this.state !== LINGER) this.linger();
    if (!this.transport.pending) this.destroy();
  }

  abort(): void {
    this.exchange = null;
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    this.stash = null;
    this.context.wheel.release(this);
    this.transport.reset();
    this.owner.onConnectionClosed(this);
  }
}
