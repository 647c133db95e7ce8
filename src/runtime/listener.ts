import net from "node:net";
import type { TLSSocket } from "node:tls";
import type { Gauge } from "../base/metrics/metric-view.ts";
import type { TrustedAddresses } from "../base/trusted-addresses.ts";
import { HandleTransport } from "../wire/handle-transport.ts";
import { RefusedConnection } from "../wire/http1/refused-connection.ts";
import { Http1ServerConnection } from "../wire/http1/server-connection.ts";
import type { ConnectionOwner } from "../wire/http1/server-connection.ts";
import type { Http2Server, Http2ServerOwner } from "../wire/http2/server.ts";
import type { ServerContext } from "../wire/server-context.ts";
import { SocketTransport } from "../wire/socket-transport.ts";
import { handleOf, handlesUsable } from "../wire/stream-handle.ts";
import type { StreamHandle } from "../wire/stream-handle.ts";
import type { TlsAcceptor } from "../wire/tls/tls-acceptor.ts";
import type { Transport } from "../wire/transport.ts";
import { readProxyHeader } from "./read-proxy-header.ts";

/** Where a listener listens. */
export interface ListenAddress {
  key: string;
  host: string;
  port: number;
  /** Path of a Unix socket; undefined for TCP. */
  path: string | undefined;
}

/** What a listener does with connections; a reload replaces it, for the connections to come. */
export interface ListenerBehavior {
  tls: TlsAcceptor | null;
  http2: Http2Server | null;
  /** Peers that must send a PROXY header; null: nobody sends one. */
  proxyProtocol: TrustedAddresses | null;
  proxyHeaderTimeoutMs: number;
}

/** Decides about connections before anything is read, for all listeners of the process. */
export interface ConnectionGate {
  /** Counts a connection in; false if there are too many. */
  enter(): boolean;
  leave(): void;
}

const BACKLOG = 4096;

interface ServerHandle {
  onconnection: ((error: number, handle: StreamHandle | undefined) => void) | null;
}

/** One listening socket of one worker and the connections it has accepted. */
export class Listener implements ConnectionOwner, Http2ServerOwner {
  readonly address: ListenAddress;
  readonly context: ServerContext;
  behavior: ListenerBehavior;
  private readonly server: net.Server;
  private readonly gate: ConnectionGate;
  private readonly gauge: Gauge;
  private readonly connections: Set<Http1ServerConnection>;
  /** Connections that came between bind and start. */
  private early: (() => void)[] | null;
  private openCount: number;
  /** HTTP/2 with the settings of earlier revisions, while it has connections. */
  private former: Http2Server[];

  constructor(
    address: ListenAddress,
    context: ServerContext,
    behavior: ListenerBehavior,
    gate: ConnectionGate,
    gauge: Gauge,
  ) {
    this.address = address;
    this.context = context;
    this.behavior = behavior;
    this.gate = gate;
    this.gauge = gauge;
    this.connections = new Set();
    this.early = [];
    this.openCount = 0;
    this.former = [];
    this.server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    this.server.on("connection", (socket) => this.whenStarted(() => this.acceptSocket(socket)));
  }

  get connectionCount(): number {
    return this.openCount;
  }

  /**
   * Responses that are complete for the proxy may still be on their way to slow clients. Of HTTP/2 every
   * connection counts: once drained it ends by itself, soon after its last response has left.
   */
  get hasUnsent(): boolean {
    for (const connection of this.connections) if (connection.hasUnsent) return true;
    return this.http2Servers().some(({ sessionCount }) => sessionCount > 0);
  }

  /** Binds and listens; connections wait until `start`. Rejects with the system's error. */
  bind(reusePort: boolean): Promise<void> {
    const { host, port, path } = this.address;
    const options: net.ListenOptions =
      path === undefined ? { host, port, reusePort, backlog: BACKLOG } : { path, backlog: BACKLOG };
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(options, () => {
        this.server.off("error", reject);
        this.server.on("error", () => {});
        this.takeOverAccept();
        resolve();
      });
    });
  }

  /** Takes connections as bare handles: a socket object for each costs 2 kB and some microseconds. */
  private takeOverAccept(): void {
    const handle = (this.server as unknown as { _handle?: ServerHandle })._handle;
    if (!handlesUsable || handle?.onconnection === undefined) return;
    handle.onconnection = (error, client) => {
      if (error !== 0 || client === undefined) return;
      this.whenStarted(() => this.acceptHandle(client));
    };
  }

  private whenStarted(accept: () => void): void {
    if (this.early === null) accept();
    else this.early.push(accept);
  }

  start(): void {
    const early = this.early ?? [];
    this.early = null;
    for (const accept of early) accept();
  }

  private acceptHandle(handle: StreamHandle): void {
    const { tls, proxyProtocol } = this.behavior;
    if (tls !== null || proxyProtocol !== null) {
      const socket = new net.Socket({ handle, allowHalfOpen: true, pauseOnCreate: true } as object);
      socket.setNoDelay(true);
      this.acceptSocket(socket);
      return;
    }
    handle.setNoDelay?.(true);
    const peer: { address?: string; port?: number } = {};
    handle.getpeername?.(peer);
    const address = plainAddress(peer.address);
    const transport = new HandleTransport(handle, null, false, address, peer.port ?? 0);
    if (!this.enter()) {
      this.refuse(transport);
      return;
    }
    this.serve(transport, address, peer.port ?? 0, null, false);
  }

  private acceptSocket(socket: net.Socket): void {
    socket.on("error", () => socket.destroy());
    if (!this.enter()) {
      if (this.behavior.tls === null) this.refuse(new SocketTransport(socket, "", 0));
      else socket.destroy();
      return;
    }
    const address = plainAddress(socket.remoteAddress);
    const port = socket.remotePort ?? 0;
    const { proxyProtocol, proxyHeaderTimeoutMs } = this.behavior;
    if (proxyProtocol === null) {
      this.secure(socket, address, port, false, null);
      return;
    }
    if (!proxyProtocol.has(address) && this.address.path === undefined) {
      this.leave();
      socket.destroy();
      return;
    }
    readProxyHeader(socket, proxyHeaderTimeoutMs, (header) => {
      if (header === null) this.leave();
      else {
        const { isTls, rest } = header;
        this.secure(socket, header.address || address, header.port || port, isTls, rest);
      }
    });
  }

  private secure(
    socket: net.Socket,
    address: string,
    port: number,
    isTls: boolean,
    rest: Buffer | null,
  ): void {
    const { tls } = this.behavior;
    if (tls === null) {
      this.serveSocket(socket, address, port, null, isTls, rest);
      return;
    }
    peers.set(socket, { listener: this, address, port });
    // A client that stops sending within the handshake is gone; the TLS socket takes this over.
    socket.allowHalfOpen = false;
    tls.accept(socket, rest ?? undefined);
  }

  /** A handshake is done. */
  onSecure(socket: TLSSocket, address: string, port: number): void {
    socket.on("error", () => socket.destroy());
    this.serveSocket(socket, address, port, socket, true, null);
  }

  onInsecure(): void {
    this.leave();
  }

  private serveSocket(
    socket: net.Socket,
    address: string,
    port: number,
    tlsSocket: TLSSocket | null,
    isTls: boolean,
    rest: Buffer | null,
  ): void {
    const { http2 } = this.behavior;
    if (tlsSocket?.alpnProtocol === "h2" && http2 !== null) {
      if (http2.accept(tlsSocket, address, port, true) === null) this.leave();
      return;
    }
    const handle = handlesUsable ? handleOf(socket) : null;
    const transport: Transport =
      handle === null
        ? new SocketTransport(socket, address, port)
        : new HandleTransport(handle, socket, tlsSocket !== null, address, port);
    const connection = this.serve(transport, address, port, tlsSocket, isTls);
    if (rest !== null && rest.length > 0) connection.onData(rest, 0, rest.length);
  }

  private serve(
    transport: Transport,
    address: string,
    port: number,
    tlsSocket: TLSSocket | null,
    isTls: boolean,
  ): Http1ServerConnection {
    const connection = new Http1ServerConnection(
      transport,
      this.context,
      this,
      address,
      port,
      tlsSocket,
      isTls,
    );
    this.connections.add(connection);
    return connection;
  }

  onHttp2Preface(connection: Http1ServerConnection, transport: Transport, bytes: Buffer): void {
    const { http2 } = this.behavior;
    this.connections.delete(connection);
    if (http2 === null) {
      transport.destroy();
      this.leave();
      return;
    }
    const { peerAddress, peerPort, isTls } = connection;
    const session = http2.acceptTransport(transport, bytes, peerAddress, peerPort, isTls);
    if (session === null) this.leave();
  }

  onHttp2ConnectionClosed(): void {
    this.leave();
  }

  onConnectionClosed(connection: Http1ServerConnection): void {
    this.connections.delete(connection);
    this.leave();
  }

  private refuse(transport: Transport): void {
    const { wheel, exchanges } = this.context;
    new RefusedConnection(transport, wheel).answer(exchanges.refuseConnection());
  }

  private enter(): boolean {
    if (!this.gate.enter()) return false;
    this.openCount++;
    this.gauge.add(1);
    return true;
  }

  private leave(): void {
    this.openCount--;
    this.gauge.add(-1);
    this.gate.leave();
  }

  /** For the connections to come; those there are keep what they were made with. */
  replaceBehavior(behavior: ListenerBehavior): void {
    const { http2 } = this.behavior;
    this.behavior = behavior;
    if (http2 !== null) this.former.push(http2);
    this.former = this.former.filter(({ sessionCount }) => sessionCount > 0);
  }

  /** Stops listening; connections end after the response under way. */
  drain(): void {
    this.context.draining = true;
    this.server.close();
    for (const http2 of this.http2Servers()) http2.drain();
    for (const connection of [...this.connections]) connection.drain();
  }

  /** Closes whatever is left. */
  destroy(): void {
    this.server.close();
    for (const connection of [...this.connections]) connection.destroy();
    for (const http2 of this.http2Servers()) http2.destroy();
  }

  private http2Servers(): Http2Server[] {
    const { http2 } = this.behavior;
    return http2 === null ? this.former : [...this.former, http2];
  }
}

export interface Peer {
  listener: Listener;
  address: string;
  port: number;
}

/** Who is behind a connection whose handshake is under way, by address and port of its socket. */
const peers = new WeakMap<object, Peer>();

/** @param socket the TLS socket; the TCP socket under it was noted when it was handed over. */
export function peerOf(socket: TLSSocket): Peer | undefined {
  const parent = (socket as unknown as { _parent?: object })._parent;
  return parent === undefined ? undefined : peers.get(parent);
}

/** "::ffff:10.0.0.1" is how a dual-stack socket spells an IPv4 peer. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
