// HOT
import type { TLSSocket } from "node:tls";
import type { ClientConnection, ClientEvents, ClientStream } from "../exchange-streams.ts";
import { BODY_LENGTH, BODY_STREAM, BODY_TUNNEL } from "../exchange-streams.ts";
import type { Fields } from "../fields.ts";
import type { ServerContext } from "../server-context.ts";
import type { Transport, TransportListener } from "../transport.ts";
import { BodyReader } from "./body-reader.ts";
import { BODY, CLOSED, DISCARD, HEAD, IDLE, LINGER, RESPOND, TUNNEL } from "./connection-state.ts";
import { METHOD_BYTES_MAX, parseRequestHead } from "./parse-request-head.ts";
import { PartialHead } from "./partial-head.ts";
import { HEAD_TIMEOUT, HEAD_TOO_LARGE, HTTP2_PREFACE, INCOMPLETE } from "./refusal.ts";
import type { ResponseHead } from "./response-head.ts";
import { ServerConnectionLife } from "./server-connection-life.ts";
import type { ConnectionOwner } from "./server-connection-life.ts";
import { LAST_CHUNK, chunkHead, statusLine, trailerSection } from "./write-message.ts";

/** Pipelined bytes kept while a request is being answered; more stay in the system's buffer. */
const STASH_BYTES_MAX = 16 * 1024;
/** Reading past this much of a body is cheaper than a new connection. */
const DISCARD_BYTES_MAX = 64 * 1024;

export type { ConnectionOwner } from "./server-connection-life.ts";

/** One HTTP/1.x connection from a client: reads requests one after the other, writes responses. */
export class Http1ServerConnection
  extends ServerConnectionLife
  implements TransportListener, ClientStream
{
  private bodyReader: BodyReader | null;
  private inRead: boolean;
  private requestCount: number;
  private requestDone: boolean;
  private chunkedResponse: boolean;
  /** In a tunnel: the service's direction has ended. */
  private tunnelEnded: boolean;

  /** @param isTls also true where a balancer in front has ended TLS and said so. */
  constructor(
    transport: Transport,
    context: ServerContext,
    owner: ConnectionOwner,
    peerAddress: string,
    peerPort: number,
    tlsSocket: TLSSocket | null,
    isTls = tlsSocket !== null,
  ) {
    super(transport, context, owner, peerAddress, peerPort, tlsSocket, isTls);
    this.bodyReader = null;
    this.inRead = false;
    this.requestCount = 0;
    this.requestDone = true;
    this.chunkedResponse = false;
    this.tunnelEnded = false;
    transport.listener = this;
    context.wheel.set(this, context.timeouts.headMs);
    transport.resume();
  }

  get connection(): ClientConnection {
    return this;
  }

  get protocol(): string {
    return this.versionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1";
  }

  get congested(): boolean {
    return this.transport.congested;
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
    const partial = (this.partial ??= new PartialHead());
    const stop = partial.start(bytes, position, end);
    if (stop !== INCOMPLETE) {
      this.refuse(this.context.exchanges.acquire(), stop);
      return;
    }
    this.state = HEAD;
    this.context.wheel.set(this, this.context.timeouts.headMs);
  }

  private continueHead(bytes: Buffer, start: number, end: number): void {
    const partial = this.partial!;
    const lengthBefore = partial.length;
    let stop = partial.extend(bytes, start, end);
    if (stop === INCOMPLETE) {
      stop = this.checkPartial(partial, lengthBefore);
      if (stop === INCOMPLETE) return;
    }
    if (stop < 0) {
      partial.clear();
      this.refuse(this.context.exchanges.acquire(), stop);
      return;
    }
    this.state = IDLE;
    this.readRequests(partial.take(), 0, partial.length);
    if (stop < end) this.onData(bytes, stop, end);
  }

  /** A head without end is refused as one that is whole would be: for its target first, then for its size. */
  private checkPartial(partial: PartialHead, lengthBefore: number): number {
    const { headBytesMax, uriBytesMax } = this.context.limits;
    const { exchanges } = this.context;
    const lineBytesMax = METHOD_BYTES_MAX + uriBytesMax + 1;
    if (partial.length > lineBytesMax && lengthBefore <= lineBytesMax) {
      const exchange = exchanges.acquire();
      const { limits } = this.context;
      const stop = parseRequestHead(partial.peek(), 0, partial.length, exchange.request, limits);
      exchanges.release(exchange);
      return stop;
    }
    return partial.length > headBytesMax ? HEAD_TOO_LARGE : INCOMPLETE;
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
        this.partial!.clear();
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

  // ClientStream

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
    this.noteLast();
    // The service's own status line goes out with its fields, in one slice.
    let text = head.statusLineStands
      ? fields.lines(0)
      : statusLine(head) + fields.lines(fields.linesStart);
    this.chunkedResponse = false;
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
  }

  /** Finds out whether the connection ends with the response. */
  private noteLast(): void {
    if (this.context.draining) this.keepAlive = false;
    // A response that comes before the request has been read whole ends the connection, unless what is
    // left of the request is little and certain to come.
    if (!this.requestDone && !this.canDiscard()) this.keepAlive = false;
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
    // As a chunk, nothing would be the end.
    if (start === end) return;
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

  sendWhole(head: ResponseHead, body: Buffer): void {
    const { fields } = head;
    this.noteLast();
    if (this.keepAlive && this.versionMinor === 1 && head.statusLineStands && fields.isMessage) {
      this.chunkedResponse = false;
      this.transport.writeText(fields.text);
      return;
    }
    this.sendHead(head, BODY_LENGTH);
    this.sendBody(body, 0, body.length);
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

  /** Both directions of a tunnel have ended. */
  private finishTunnel(): void {
    this.exchange = null;
    this.closeAfterFlush();
  }
}
