// HOT
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  Settings,
} from "node:http2";
import type { Socket } from "node:net";
import { Deadline } from "../../base/deadline-wheel.ts";
import type { DeadlineWheel } from "../../base/deadline-wheel.ts";
import type { UpstreamEvents } from "../exchange-streams.ts";
import type { HeadLimits } from "../http1/parse-request-head.ts";
import { Http2ClientStream } from "./client-stream.ts";

/** Who keeps sessions: the pool. */
export interface ClientSessionOwner {
  /** A stream has ended, or the service allows more: there may be room. */
  onSessionFree(session: Http2ClientSession): void;
  /** It takes no more streams; those under way go on. */
  onSessionLeaving(session: Http2ClientSession): void;
  /** It is gone, whatever it was doing. */
  onSessionGone(session: Http2ClientSession): void;
}

/** More than any service allows in earnest; bounds what is lost with one connection. */
const STREAMS_MAX = 1000;
/** Stream ids run out after 2^30 requests; the session is replaced well before. */
const REQUESTS_MAX = 1_000_000_000;
/** A service that has sent nothing for this long when a request of its is given up is asked whether it lives. */
const SILENCE_MS = 5_000;
/** For its answer, and for the last frames of a session to leave. */
const PING_MS = 10_000;
/** gRPC servers take offence at pings in quick succession without data in between. */
const PING_INTERVAL_MS = 60_000;

const OPEN = 0;
/** No more streams; it closes with the last one. */
const LEAVING = 1;
const GONE = 2;

/** The session of node:http2 knows whose it is: its listeners are functions made once for all. */
interface OwnedSession extends ClientHttp2Session {
  gateward: Http2ClientSession;
}

/** One HTTP/2 connection to a service. */
export class Http2ClientSession extends Deadline {
  readonly limits: HeadLimits;
  readonly scheme: string;
  /** Streams under way. */
  load: number;
  private readonly socket: Socket;
  private readonly session: OwnedSession;
  private readonly owner: ClientSessionOwner;
  private readonly wheel: DeadlineWheel;
  private state: number;
  private streamsMax: number;
  private requestCount: number;
  private lastActivityMs: number;
  private lastPingMs: number;
  private pinging: boolean;
  /** The last stream that the service has said it works on. */
  private lastServedId: number;

  constructor(
    session: ClientHttp2Session,
    socket: Socket,
    owner: ClientSessionOwner,
    wheel: DeadlineWheel,
    limits: HeadLimits,
  ) {
    super();
    this.limits = limits;
    this.scheme = session.encrypted === true ? "https" : "http";
    this.load = 0;
    this.socket = socket;
    this.session = session as OwnedSession;
    this.owner = owner;
    this.wheel = wheel;
    this.state = OPEN;
    this.streamsMax = streamsAllowed(session.remoteSettings);
    this.requestCount = 0;
    this.lastActivityMs = wheel.nowMs;
    this.lastPingMs = wheel.nowMs - PING_INTERVAL_MS;
    this.pinging = false;
    this.lastServedId = Number.MAX_SAFE_INTEGER;
    this.session.gateward = this;
    session.on("remoteSettings", onRemoteSettings);
    session.on("goaway", onGoaway);
    session.on("error", onError);
    session.on("close", onClose);
  }

  /** It has carried a request, so the service may have meant to close it. */
  get used(): boolean {
    return this.requestCount > 0;
  }

  get hasRoom(): boolean {
    return this.state === OPEN && this.load < this.streamsMax;
  }

  /** The connection is gone, and what came of it with it. */
  get lost(): boolean {
    return this.session.destroyed;
  }

  /** Gives the exchange a stream; its head is to be sent next. */
  attach(exchange: UpstreamEvents): Http2ClientStream {
    if (!this.pinging) this.wheel.clear(this);
    this.load++;
    if (++this.requestCount === REQUESTS_MAX) this.leave();
    return new Http2ClientStream(this, exchange, this.requestCount > 1);
  }

  /** Sets the idle timeout, to be called when there is no stream. */
  expireIn(idleTimeoutMs: number): void {
    if (!this.pinging) this.wheel.set(this, idleTimeoutMs);
  }

  /** @internal for streams */
  request(list: readonly string[], options: ClientSessionRequestOptions): ClientHttp2Stream {
    return this.session.request(list, options);
  }

  /** @internal Something came from the service. */
  noteActivity(): void {
    this.lastActivityMs = this.wheel.nowMs;
  }

  /** @internal */
  onStreamClosed(): void {
    this.load--;
    if (this.state === OPEN) this.owner.onSessionFree(this);
    else if (this.load === 0 && this.state === LEAVING) this.close();
  }

  /**
   * @internal A request was given up before an answer came. On a connection that has died without a
   * word every further one would wait in vain, so the service is asked whether it is there.
   */
  onUnanswered(): void {
    const { nowMs } = this.wheel;
    if (this.pinging || this.state === GONE) return;
    if (nowMs - this.lastActivityMs < SILENCE_MS || nowMs - this.lastPingMs < PING_INTERVAL_MS)
      return;
    this.lastPingMs = nowMs;
    this.pinging = this.session.ping((error) => this.onPong(error)); // cold: once a minute at most
    if (this.pinging) this.wheel.set(this, PING_MS);
  }

  private onPong(error: Error | null): void {
    this.pinging = false;
    if (error !== null || this.state === GONE) return;
    this.noteActivity();
    this.wheel.clear(this);
    if (this.load === 0 && this.state === OPEN) this.owner.onSessionFree(this);
  }

  onDeadline(): void {
    if (this.pinging || this.state !== OPEN) this.destroy();
    else this.leave();
  }

  /** @internal */
  onRemoteSettings(settings: Settings): void {
    this.streamsMax = streamsAllowed(settings);
    if (this.hasRoom) this.owner.onSessionFree(this);
  }

  /** @internal The service wants to close; node:http2 lets streams it will serve go on, and fails the others. */
  onGoaway(lastServedId: number): void {
    this.lastServedId = lastServedId;
    this.leave();
  }

  /** True for a stream that the service has said it never began to work on. */
  hasDisowned(id: number): boolean {
    return id > this.lastServedId;
  }

  /** Takes no more streams, and closes when those under way are done. */
  leave(): void {
    if (this.state !== OPEN) return;
    this.state = LEAVING;
    this.owner.onSessionLeaving(this);
    if (this.load === 0) this.close();
  }

  private close(): void {
    this.wheel.set(this, PING_MS);
    this.session.close();
  }

  /** Closes at once; streams under way fail. */
  destroy(): void {
    this.leave();
    this.session.destroy();
    this.socket.destroy();
  }

  /** @internal */
  onClosed(): void {
    if (this.state === GONE) return;
    if (this.state === OPEN) this.owner.onSessionLeaving(this);
    this.state = GONE;
    this.wheel.release(this);
    this.owner.onSessionGone(this);
  }
}

function streamsAllowed({ maxConcurrentStreams }: Settings): number {
  return Math.min(maxConcurrentStreams ?? STREAMS_MAX, STREAMS_MAX);
}

function onRemoteSettings(this: OwnedSession, settings: Settings): void {
  this.gateward.onRemoteSettings(settings);
}

function onGoaway(this: OwnedSession, _code: number, lastServedId: number): void {
  this.gateward.onGoaway(lastServedId);
}

function onError(): void {
  // The service broke the protocol or left; "close" follows.
}

function onClose(this: OwnedSession): void {
  this.gateward.onClosed();
}
