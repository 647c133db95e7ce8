// HOT
import type {
  OutgoingHttpHeaders,
  ServerHttp2Stream,
  ServerStreamResponseOptions,
} from "node:http2";
import { Deadline } from "../../base/deadline-wheel.ts";
import { BODY_LENGTH, BODY_NONE, BODY_STREAM, BODY_TUNNEL } from "../exchange-streams.ts";
import type { ClientConnection, ClientEvents, ClientStream } from "../exchange-streams.ts";
import { Fields } from "../fields.ts";
import { reportThrown } from "../handle-transport.ts";
import { BAD_LENGTH, BAD_TRAILER } from "../http1/refusal.ts";
import { NO_LENGTH } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { brokenOff, cancelled } from "./break-off.ts";
import { appendFields, headerObject, trailerObject } from "./header-list.ts";
import { readFields } from "./read-fields.ts";
import { readRequestHead } from "./read-request-head.ts";
import type { Http2ServerSession } from "./server-session.ts";
import { NO_ERROR } from "./session-options.ts";

/** The request's body is being read. */
const BODY = 1;
/** The request has been read whole; the response is awaited or under way. */
const RESPOND = 2;
/** An extended CONNECT, of which nothing is read before it is answered. */
const UPGRADE = 3;
const TUNNEL = 4;
/** The response has been handed over whole and leaves as the client takes it. */
const FLUSH = 5;
const CLOSED = 6;

const STATUS_MAX = 599;
/** Frames that are not held back leave within an iteration of the event loop or two. */
const STOP_AT_ONCE_MAX = 5;
const STOP_COUNT_MAX = 50;
const STOP_RETRY_MS = 200;
/** The service's Date goes on, and none is added: the types of node:http2 leave `sendDate` out. */
interface RespondOptions extends ServerStreamResponseOptions {
  sendDate: boolean;
}
const END_WITH_HEAD: RespondOptions = { endStream: true, sendDate: false };
const BODY_FOLLOWS: RespondOptions = { sendDate: false };
const TRAILERS_FOLLOW: RespondOptions = { sendDate: false, waitForTrailers: true };

/** The stream of node:http2 knows whose it is: its listeners are functions made once for all streams. */
interface OwnedStream extends ServerHttp2Stream {
  gateward: Http2ServerStream;
}

/** One request of an HTTP/2 client and its response. */
export class Http2ServerStream extends Deadline implements ClientStream {
  private readonly session: Http2ServerSession;
  private readonly stream: OwnedStream;
  private exchange: ClientEvents | null;
  private state: number;
  /** The client has ended its side, with or without a body. */
  private requestDone: boolean;
  /** Body bytes that the client announced and that have not come; NO_LENGTH if it announced none. */
  private missingBytes: number;
  private requestTrailers: Fields | null;
  private acceptsTrailers: boolean;
  /** node:http2 asks for trailers before it ends the stream. */
  private awaitsTrailers: boolean;
  private responseTrailers: OutgoingHttpHeaders | null;
  private endedByHead: boolean;
  /** In a tunnel: the service's direction has ended. */
  private responseDone: boolean;
  /** True if the gateway has broken off the stream, rather than the client. */
  private endedHere: boolean;
  /** How often it was looked whether the response has left. */
  private stopCount: number;

  constructor(session: Http2ServerSession, stream: ServerHttp2Stream) {
    super();
    this.session = session;
    this.stream = stream as OwnedStream;
    this.exchange = null;
    this.state = RESPOND;
    this.requestDone = true;
    this.missingBytes = NO_LENGTH;
    this.requestTrailers = null;
    this.acceptsTrailers = false;
    this.awaitsTrailers = false;
    this.responseTrailers = null;
    this.endedByHead = false;
    this.responseDone = false;
    this.endedHere = false;
    this.stopCount = 0;
    this.stream.gateward = this;
    stream.on("error", onError);
    stream.on("aborted", onAborted);
    stream.on("close", onClose);
    stream.on("drain", onDrain);
  }

  get connection(): ClientConnection {
    return this.session;
  }

  get protocol(): string {
    return "HTTP/2.0";
  }

  get congested(): boolean {
    return this.stream.writableNeedDrain;
  }

  // Reading

  /** @param ended true if the client has sent all of its request with the head. */
  begin(raw: readonly string[], ended: boolean): void {
    const { context } = this.session;
    const exchange = context.exchanges.acquire();
    const { request } = exchange;
    const refusal = readRequestHead(raw, ended, request, context.limits);
    this.exchange = exchange;
    this.requestDone = ended;
    if (refusal !== 0) {
      context.exchanges.refuse(exchange, this, refusal);
      return;
    }
    this.acceptsTrailers = request.acceptsTrailers;
    if (request.upgradeIndex >= 0) {
      this.state = UPGRADE;
    } else if (ended) {
      // Read to its end now, it is destroyed as soon as the response has left. Else it still counts as
      // open when the client, which has seen the end, opens the next.
      this.stream.read(0);
    } else {
      if (request.hasBody) {
        this.state = BODY;
        this.armBody();
      }
      this.missingBytes = request.contentLength;
      this.read();
    }
    exchange.onRequest(this, this.state === BODY);
  }

  private read(): void {
    const { stream } = this;
    stream.on("data", onData);
    stream.on("trailers", onTrailers);
    stream.on("end", onEnd);
  }

  onData(bytes: Buffer): void {
    const { exchange } = this;
    if (exchange === null) return;
    if (this.missingBytes !== NO_LENGTH) {
      this.missingBytes -= bytes.length;
      // nghttp2 resets such a stream before it comes here.
      if (this.missingBytes < 0) {
        this.refuseBody(BAD_LENGTH);
        return;
      }
    }
    if (this.state === BODY) {
      if (!this.congested) this.armBody();
    } else if (this.state !== TUNNEL) {
      return;
    }
    exchange.onRequestBody(bytes, 0, bytes.length);
  }

  onTrailers(raw: readonly string[]): void {
    if (this.state !== BODY) return;
    const trailers = new Fields();
    if (readFields(raw, trailers, "", 0, "", this.session.context.limits) !== 0) {
      this.refuseBody(BAD_TRAILER);
      return;
    }
    this.requestTrailers = trailers;
  }

  onEnd(): void {
    this.requestDone = true;
    const { exchange } = this;
    if (exchange === null) return;
    if (this.state === TUNNEL) {
      exchange.onRequestEnd(null);
      if (this.responseDone) this.finish();
    } else if (this.state === BODY) {
      this.state = RESPOND;
      if (!this.congested) this.session.context.wheel.clear(this);
      if (this.missingBytes > 0) exchange.onRequestMalformed(BAD_LENGTH);
      else exchange.onRequestEnd(this.requestTrailers);
    }
  }

  private refuseBody(refusal: number): void {
    this.state = RESPOND;
    this.session.context.wheel.clear(this);
    this.exchange!.onRequestMalformed(refusal);
  }

  onDrain(): void {
    if (this.state === BODY) this.armBody();
    else if (this.state !== FLUSH) this.session.context.wheel.clear(this);
    if (this.exchange !== null) this.exchange.onClientDrain();
  }

  onDeadline(): void {
    if (this.state === BODY && !this.congested) {
      this.exchange!.onRequestTimeout();
      return;
    }
    if (this.stopCount > 0 && this.stopCount < STOP_COUNT_MAX) {
      this.stopRequest();
      return;
    }
    // The client takes nothing of the response. A stream that is being closed can be reset no more.
    if (this.stream.closed) this.session.cut();
    else this.breakOff(cancelled);
    this.leave();
  }

  /** The client has left, or the connection with it. */
  onGone(): void {
    if (!this.endedHere && this.state !== CLOSED) this.session.countReset();
    this.leave();
  }

  /** node:http2 is through with the stream. */
  onClosed(): void {
    if (this.stream.rstCode === NO_ERROR) this.leave();
    else this.onGone();
    this.session.onStreamClosed();
  }

  private leave(): void {
    const { exchange } = this;
    this.exchange = null;
    this.state = CLOSED;
    this.session.context.wheel.release(this);
    if (exchange !== null) exchange.onClientGone();
  }

  /** A listener threw: this request ends, the others of the connection go on. */
  fail(error: unknown): void {
    reportThrown(error);
    try {
      this.breakOff(brokenOff);
      this.leave();
    } catch (second) {
      reportThrown(second);
    }
  }

  private breakOff(reason: Error): void {
    this.endedHere = true;
    this.stream.destroy(reason);
  }

  // ClientStream

  pauseBody(): void {
    this.stream.pause();
    if (this.state === BODY) this.session.context.wheel.clear(this);
  }

  /** The next request is on a stream of its own. */
  closeAfterResponse(): void {}

  resumeBody(): void {
    this.stream.resume();
    if (this.state === BODY) this.armBody();
  }

  /**
   * With the response begun the two directions are a conversation (gRPC), in which the client may be
   * silent for as long as the service's own deadlines allow.
   */
  private armBody(): void {
    const { wheel, timeouts } = this.session.context;
    if (this.stream.headersSent) wheel.clear(this);
    else wheel.set(this, timeouts.bodyMs);
  }

  private get writable(): boolean {
    return this.state !== CLOSED && !this.stream.destroyed && !this.stream.closed;
  }

  sendInformational(head: ResponseHead): void {
    if (!this.writable || this.stream.headersSent) return;
    const headers = headerObject(head.fields);
    headers[":status"] = head.status;
    this.stream.additionalHeaders(headers);
  }

  sendHead(head: ResponseHead, body: number): void {
    if (!this.writable) return;
    if (body === BODY_TUNNEL) {
      this.sendTunnelHead(head);
      return;
    }
    // node:http2 sends no status beyond 599; clients take one for a 500 anyway (RFC 9110 section 15).
    const list = [":status", head.status > STATUS_MAX ? "500" : String(head.status)];
    appendFields(list, head.fields);
    if (body === BODY_NONE) {
      this.endedByHead = true;
      this.stream.respond(list, END_WITH_HEAD);
    } else if (this.mayHaveTrailers(head, body)) {
      this.awaitsTrailers = true;
      this.stream.on("wantTrailers", onWantTrailers);
      this.stream.respond(list, TRAILERS_FOLLOW);
    } else {
      this.stream.respond(list, BODY_FOLLOWS);
    }
    if (this.state === BODY) this.armBody();
  }

  /**
   * To wait for trailers costs a third of what a small response costs, so it is done for clients that
   * read them (gRPC) and for services that announce them (RFC 9110 section 6.6.2).
   */
  private mayHaveTrailers(head: ResponseHead, body: number): boolean {
    return this.acceptsTrailers || (body === BODY_STREAM && head.fields.has("trailer"));
  }

  /** The service's 101 is this protocol's 200 (RFC 8441 section 5); the proof of the key was for the gateway. */
  private sendTunnelHead(head: ResponseHead): void {
    head.fields.remove("sec-websocket-accept");
    const list = [":status", "200"];
    appendFields(list, head.fields);
    this.stream.respond(list, BODY_FOLLOWS);
    this.state = TUNNEL;
    this.session.context.wheel.clear(this);
    this.read();
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    if (!this.writable || start === end) return;
    const copy = Buffer.allocUnsafe(end - start);
    bytes.copy(copy, 0, start, end);
    if (!this.stream.write(copy)) {
      this.session.context.wheel.set(this, this.session.context.timeouts.writeMs);
    }
  }

  sendWhole(head: ResponseHead, body: Buffer): void {
    this.sendHead(head, BODY_LENGTH);
    this.sendBody(body, 0, body.length);
  }

  sendEnd(trailers: Fields | null): void {
    if (this.state === TUNNEL) {
      this.responseDone = true;
      this.stream.end();
      if (this.requestDone) this.finish();
      return;
    }
    if (!this.writable) {
      this.exchange = null;
      return;
    }
    if (trailers !== null) this.responseTrailers = trailerObject(trailers);
    if (!this.endedByHead) this.stream.end();
    if (!this.requestDone && !this.awaitsTrailers) {
      // A body has left when node:http2 finishes the stream, which it waits for by itself.
      if (this.endedByHead) setImmediate(stopRequest, this);
      else this.close();
    }
    this.finish();
  }

  private finish(): void {
    this.exchange = null;
    this.state = FLUSH;
    this.session.context.wheel.set(this, this.session.context.timeouts.writeMs);
  }

  onWantTrailers(): void {
    this.stream.sendTrailers(this.responseTrailers ?? NO_TRAILERS);
    // node:http2 sends them from an immediate, and not at all on a stream that is being closed.
    if (!this.requestDone) setImmediate(stopRequest, this);
  }

  /**
   * The response is out; the rest of the request is of no use to anyone, and the client may stop
   * sending it (RFC 9113 section 8.1). nghttp2 drops what it has not sent of a stream that is reset: where
   * anything still waits, the request is read past instead, until it ends or time is up.
   */
  stopRequest(): void {
    if (this.stream.destroyed || this.requestDone) return;
    if (this.session.hasUnsent) {
      if (++this.stopCount <= STOP_AT_ONCE_MAX) setImmediate(stopRequest, this);
      else this.session.context.wheel.set(this, STOP_RETRY_MS);
      return;
    }
    this.stopCount = 0;
    this.close();
    this.session.context.wheel.set(this, this.session.context.timeouts.writeMs);
  }

  private close(): void {
    this.endedHere = true;
    this.stream.close(NO_ERROR);
  }

  abort(): void {
    this.exchange = null;
    if (this.writable) this.breakOff(brokenOff);
  }
}

/** An empty list ends the stream with an empty DATA frame. */
const NO_TRAILERS: OutgoingHttpHeaders = {};

function stopRequest(stream: Http2ServerStream): void {
  stream.stopRequest();
}

function onError(): void {
  // What it was shows in the code of the reset; "close" follows.
}

function onAborted(this: OwnedStream): void {
  try {
    this.gateward.onGone();
  } catch (error) {
    this.gateward.fail(error);
  }
}

function onClose(this: OwnedStream): void {
  try {
    this.gateward.onClosed();
  } catch (error) {
    this.gateward.fail(error);
  }
}

function onDrain(this: OwnedStream): void {
  try {
    this.gateward.onDrain();
  } catch (error) {
    this.gateward.fail(error);
  }
}

function onData(this: OwnedStream, bytes: Buffer): void {
  try {
    this.gateward.onData(bytes);
  } catch (error) {
    this.gateward.fail(error);
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
    this.gateward.fail(error);
  }
}

function onEnd(this: OwnedStream): void {
  try {
    this.gateward.onEnd();
  } catch (error) {
    this.gateward.fail(error);
  }
}

function onWantTrailers(this: OwnedStream): void {
  this.gateward.onWantTrailers();
}
