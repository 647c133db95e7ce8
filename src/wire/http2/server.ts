import type { Socket } from "node:net";
import type { ServerContext } from "../server-context.ts";
import type { Transport } from "../transport.ts";
import { Http2ServerSession } from "./server-session.ts";
import type { ServerSessionOwner } from "./server-session.ts";
import { INTERNAL_ERROR } from "./session-options.ts";
import type { Http2Settings } from "./session-options.ts";

/** Who counts the connections of a listener. */
export interface Http2ServerOwner {
  onHttp2ConnectionClosed(session: Http2ServerSession): void;
}

/** The HTTP/2 connections of one listener. */
export class Http2Server implements ServerSessionOwner {
  private readonly context: ServerContext;
  private readonly settings: Http2Settings;
  private readonly owner: Http2ServerOwner;
  private readonly sessions: Set<Http2ServerSession>;

  constructor(context: ServerContext, settings: Http2Settings, owner: Http2ServerOwner) {
    this.context = context;
    this.settings = settings;
    this.owner = owner;
    this.sessions = new Set();
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  /**
   * Takes over a connection on which HTTP/2 was agreed (ALPN `h2`).
   *
   * @param peerAddress as told by the socket or the PROXY protocol.
   * @param isTls the client speaks TLS, to the gateway or to a balancer that said so.
   * @returns null if the client has gone already; else the owner is told of the end.
   */
  accept(
    socket: Socket,
    peerAddress: string,
    peerPort: number,
    isTls: boolean,
  ): Http2ServerSession | null {
    if (socket.destroyed) return null;
    const peer = { address: peerAddress, port: peerPort, isTls };
    const session = new Http2ServerSession(socket, this.context, this.settings, this, peer);
    this.sessions.add(session);
    return session;
  }

  /**
   * Takes over a connection whose client began with the HTTP/2 preface (RFC 9113 section 3.3).
   *
   * @param bytes all that was read so far, from the preface on.
   * @returns as `accept` does.
   */
  acceptTransport(
    transport: Transport,
    bytes: Buffer,
    peerAddress: string,
    peerPort: number,
    isTls: boolean,
  ): Http2ServerSession | null {
    return this.accept(transport.release(bytes), peerAddress, peerPort, isTls);
  }

  /** @internal */
  onSessionClosed(session: Http2ServerSession): void {
    this.sessions.delete(session);
    this.owner.onHttp2ConnectionClosed(session);
  }

  /** Tells every client to go; sessions end as their streams do. */
  drain(): void {
    for (const session of this.sessions) session.drain();
  }

  /** Breaks off whatever is under way. */
  destroy(): void {
    for (const session of this.sessions) session.destroy(INTERNAL_ERROR);
  }
}
