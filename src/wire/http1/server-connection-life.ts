// HOT
import type { TLSSocket } from "node:tls";
import { Deadline } from "../../base/deadline-wheel.ts";
import type { ClientConnection, ClientEvents } from "../exchange-streams.ts";
import type { ServerContext } from "../server-context.ts";
import type { Transport } from "../transport.ts";
import { BODY, CLOSED, DISCARD, HEAD, IDLE, LINGER } from "./connection-state.ts";
import type { PartialHead } from "./partial-head.ts";

/** Reading past what still comes ends after this much silence, and after this long whatever comes, as NGINX's. */
const LINGER_QUIET_MS = 5_000;
const LINGER_MS = 30_000;

/** Owner of a connection: the listener that accepted it. */
export interface ConnectionOwner {
  /** The client speaks HTTP/2 without TLS. The transport's listener is free; bytes were read already. */
  onHttp2Preface(connection: ServerConnectionLife, transport: Transport, bytes: Buffer): void;
  onConnectionClosed(connection: ServerConnectionLife): void;
}

/**
 * How a connection from a client is waited on, left and closed. What is read and written on it is in
 * server-connection.ts, which extends this.
 */
export abstract class ServerConnectionLife extends Deadline implements ClientConnection {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly tlsSocket: TLSSocket | null;
  readonly isTls: boolean;
  forwarding: unknown;
  protected readonly transport: Transport;
  protected readonly context: ServerContext;
  protected readonly owner: ConnectionOwner;
  protected state: number;
  protected exchange: ClientEvents | null;
  protected partial: PartialHead | null;
  protected stash: Buffer | null;
  protected versionMinor: number;
  protected keepAlive: boolean;
  protected halfClosed: boolean;
  /** Of the wheel's clock. */
  protected lingerUntilMs: number;

  constructor(
    transport: Transport,
    context: ServerContext,
    owner: ConnectionOwner,
    peerAddress: string,
    peerPort: number,
    tlsSocket: TLSSocket | null,
    isTls: boolean,
  ) {
    super();
    this.peerAddress = peerAddress;
    this.peerPort = peerPort;
    this.tlsSocket = tlsSocket;
    this.isTls = isTls;
    this.forwarding = null;
    this.transport = transport;
    this.context = context;
    this.owner = owner;
    this.state = IDLE;
    this.exchange = null;
    this.partial = null;
    this.stash = null;
    this.versionMinor = 1;
    this.keepAlive = true;
    this.halfClosed = false;
    this.lingerUntilMs = 0;
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

  get isIdle(): boolean {
    return this.state === IDLE || this.state === HEAD;
  }

  /** Closing now would cut what the client has been sent and has not taken yet. */
  get hasUnsent(): boolean {
    return this.transport.pending;
  }

  // Deadlines and the end

  protected armForState(): void {
    const { wheel, timeouts } = this.context;
    if (this.transport.congested) wheel.set(this, timeouts.writeMs);
    else if (this.state === IDLE) wheel.set(this, timeouts.idleMs);
    else if (this.state === BODY || this.state === DISCARD) wheel.set(this, timeouts.bodyMs);
    else if (this.state === LINGER) this.armLinger();
    else wheel.clear(this);
  }

  protected armLinger(): void {
    const { wheel, timeouts } = this.context;
    const leftMs = this.lingerUntilMs - wheel.nowMs;
    if (this.transport.pending) wheel.set(this, timeouts.writeMs);
    else if (leftMs <= 0) this.destroy();
    else wheel.set(this, leftMs < LINGER_QUIET_MS ? leftMs : LINGER_QUIET_MS);
  }

  /** The client is gone, or takes nothing any more: whoever works for it is told. */
  protected leave(stalled: boolean): void {
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

  pauseBody(): void {
    this.transport.pause();
    if (this.state === BODY && !this.transport.congested) this.context.wheel.clear(this);
  }

  resumeBody(): void {
    this.transport.resume();
    if (this.state === BODY) this.armForState();
  }

  protected linger(): void {
    this.state = LINGER;
    this.stash = null;
    this.transport.end();
    this.transport.resume();
    this.lingerUntilMs = this.context.wheel.nowMs + LINGER_MS;
    this.armLinger();
  }

  /** Nothing more will come from the client: closes once everything is out. */
  protected closeAfterFlush(): void {
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
