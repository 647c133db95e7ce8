// HOT
import { performServerHandshake } from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { Deadline } from "../../base/deadline-wheel.ts";
import type { ClientConnection } from "../exchange-streams.ts";
import type { ServerContext } from "../server-context.ts";
import { Http2ServerStream } from "./server-stream.ts";
import {
  CLIENT_CONNECTION_WINDOW_BYTES,
  ENHANCE_YOUR_CALM,
  serverSessionOptions,
} from "./session-options.ts";
import type { Http2Settings } from "./session-options.ts";

/** Who keeps the sessions of a listener. */
export interface ServerSessionOwner {
  onSessionClosed(session: Http2ServerSession): void;
}

const OPEN = 0;
/** No new streams; the session ends with the last one. */
const CLOSING = 1;
const CLOSED = 2;

const RESET_WINDOW_MS = 10_000;
/** For the last frames to leave once nothing else is to be done. */
const CLOSE_MS = 2_000;

/** The session of node:http2 knows whose it is: its listeners are functions made once for all. */
interface OwnedSession extends ServerHttp2Session {
  gateward: Http2ServerSession;
}

/** The types of node:http2 leave out that a code alone will do. */
interface DestroyableByCode {
  destroy(code: number): void;
}

/** Who is behind a connection, and whether TLS lies between. */
export interface Http2Peer {
  address: string;
  port: number;
  isTls: boolean;
}

/** One HTTP/2 connection from a client. */
export class Http2ServerSession extends Deadline implements ClientConnection {
  readonly context: ServerContext;
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly isTls: boolean;
  readonly tlsSocket: TLSSocket | null;
  forwarding: unknown;
  /** Requests under way, and responses that have not left yet. */
  streamCount: number;
  private readonly socket: Socket;
  private readonly session: OwnedSession;
  private readonly owner: ServerSessionOwner;
  private readonly resetStreamsMax: number;
  private state: number;
  private requestCount: number;
  private resetCount: number;
  private resetWindowStartMs: number;

  constructor(
    socket: Socket,
    context: ServerContext,
    settings: Http2Settings,
    owner: ServerSessionOwner,
    peer: Http2Peer,
  ) {
    super();
    this.context = context;
    this.peerAddress = peer.address;
    this.peerPort = peer.port;
    this.isTls = peer.isTls;
    this.tlsSocket = socket instanceof TLSSocket ? socket : null;
    this.forwarding = null;
    this.streamCount = 0;
    this.socket = socket;
    this.owner = owner;
    this.resetStreamsMax = settings.resetStreamsMax;
    this.state = OPEN;
    this.requestCount = 0;
    this.resetCount = 0;
    this.resetWindowStartMs = context.wheel.nowMs;
    const options = serverSessionOptions(context.limits, settings);
    this.session = performServerHandshake(socket, options) as OwnedSession;
    this.session.gateward = this;
    this.session.on("stream", onStream);
    this.session.on("error", onError);
    this.session.on("close", onClose);
    this.session.setLocalWindowSize(CLIENT_CONNECTION_WINDOW_BYTES);
    context.wheel.set(this, context.timeouts.headMs);
  }

  get localPort(): number {
    return this.context.localPort;
  }

  get listenerKey(): string {
    return this.context.key;
  }

  get serverName(): string {
    const name = this.tlsSocket?.servername;
    return typeof name === "string" ? name : "";
  }

  /** @internal A stream has come with a whole head. */
  onStream(stream: ServerHttp2Stream, ended: boolean, raw: readonly string[]): void {
    const { context } = this;
    this.requestCount++;
    this.streamCount++;
    if (this.state === OPEN) context.wheel.clear(this);
    const request = new Http2ServerStream(this, stream);
    const last = context.connectionRequestsMax;
    if (context.draining || (last !== 0 && this.requestCount >= last)) this.drain();
    // Reset in the same breath as it was opened: it costs no exchange, and counts.
    if (stream.destroyed || stream.closed) {
      this.countReset();
      return;
    }
    try {
      request.begin(raw, ended);
    } catch (error) {
      request.fail(error);
    }
  }

  /** @internal */
  onStreamClosed(): void {
    this.streamCount--;
    if (this.streamCount > 0) return;
    const { wheel, timeouts } = this.context;
    if (this.state === OPEN) wheel.set(this, timeouts.idleMs);
    else if (this.state === CLOSING) wheel.set(this, CLOSE_MS);
  }

  /**
   * @internal The client has broken off a stream. Opening and resetting streams costs a client nothing
   * and the gateway a request each (CVE-2023-44487), so it may not go on like that.
   */
  countReset(): void {
    if (this.state === CLOSED) return;
    const { nowMs } = this.context.wheel;
    if (nowMs - this.resetWindowStartMs >= RESET_WINDOW_MS) {
      this.resetWindowStartMs = nowMs;
      this.resetCount = 0;
    }
    if (++this.resetCount > this.resetStreamsMax) this.destroy(ENHANCE_YOUR_CALM);
  }

  /** Idle for too long, or what was to leave has not left. */
  onDeadline(): void {
    if (this.state === CLOSING || this.state === CLOSED) this.cut();
    else this.close();
  }

  /** Frames wait for the client to take those before them. */
  get hasUnsent(): boolean {
    return (this.session.state.outboundQueueSize ?? 0) > 0;
  }

  /** Closes without another word, which would not leave. */
  cut(): void {
    this.socket.destroy();
  }

  /**
   * The client shall go; its requests under way are finished. What it has sent since is named as not served in
   * the GOAWAY, so it may repeat that. The two-step goodbye of RFC 9113 section 6.8 would serve
   * that too, but nghttp2 ignores new streams after either step, and would keep them waiting for the second.
   */
  drain(): void {
    if (this.state === OPEN) this.close();
  }

  private close(): void {
    this.state = CLOSING;
    this.session.close();
    if (this.streamCount === 0) this.context.wheel.set(this, CLOSE_MS);
    else this.context.wheel.clear(this);
  }

  /** Ends the session at once; requests under way are broken off. */
  destroy(code: number): void {
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    // A client that reads nothing would keep the connection open: it gets this long.
    this.context.wheel.set(this, CLOSE_MS);
    (this.session as unknown as DestroyableByCode).destroy(code);
  }

  /** @internal node:http2 is through with the session and its socket. */
  onClosed(): void {
    this.state = CLOSED;
    this.context.wheel.release(this);
    this.owner.onSessionClosed(this);
  }
}

function onStream(
  this: OwnedSession,
  stream: ServerHttp2Stream,
  _headers: unknown,
  _flags: number,
  raw: string[],
): void {
  this.gateward.onStream(stream, stream.endAfterHeaders, raw);
}

function onError(): void {
  // A client that broke the protocol or left; "close" follows.
}

function onClose(this: OwnedSession): void {
  this.gateward.onClosed();
}
