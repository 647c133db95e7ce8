import net from "node:net";
import tls from "node:tls";
import { UPSTREAM_CONNECT_FAILED, UPSTREAM_TLS_FAILED } from "./exchange-streams.ts";
import { HandleTransport } from "./handle-transport.ts";
import { SocketTransport } from "./socket-transport.ts";
import { handleOf, handlesUsable } from "./stream-handle.ts";
import type { Transport } from "./transport.ts";

/** Where a connection goes. */
export interface DialTarget {
  /** IP address, or "" when `path` is given. */
  host: string;
  port: number;
  /** Path of a Unix socket, "" for TCP. */
  path: string;
  /** Makes the options of `tls.connect`, null for a plain connection. */
  tls: (() => tls.ConnectionOptions) | null;
  /** Gets each TLS session that the target offers for a later connection. */
  onSession: ((session: Buffer) => void) | null;
  /** Gets the system's or TLS's name for it each time that a connection cannot be made. */
  onFailure: ((reason: string) => void) | null;
}

export interface DialListener {
  /** `protocol` is what ALPN agreed on, "" without TLS. */
  onDialed(transport: Transport, protocol: string): void;
  /** `cause` is UPSTREAM_CONNECT_FAILED or UPSTREAM_TLS_FAILED. */
  onDialFailed(cause: number): void;
}

/** A connection being made. */
export interface Dial {
  /** Gives up, since it takes too long; no event follows. */
  cancel(): void;
}

const KEEP_ALIVE_DELAY_MS = 60_000;

/** Opens a socket to a target without wrapping it: for HTTP/2, which brings its own framing layer. */
export function openSocket(target: DialTarget): net.Socket {
  const address =
    target.path === ""
      ? { host: target.host, port: target.port, noDelay: true, keepAlive: true }
      : { path: target.path };
  const socket = net.connect({ ...address, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS });
  if (target.tls === null) return socket;
  const secure = tls.connect({ ...target.tls(), socket });
  if (target.onSession !== null) secure.on("session", target.onSession);
  return secure;
}

/** Connects to a target. Exactly one of the listener's events follows, unless it is cancelled. */
export function dial(target: DialTarget, listener: DialListener): Dial {
  const socket = openSocket(target);
  const isTls = target.tls !== null;
  let settled = false;
  let connected = !isTls;
  const fail = (reason: string): void => {
    if (settled) return;
    settled = true;
    socket.destroy();
    target.onFailure?.(reason);
    listener.onDialFailed(isTls && connected ? UPSTREAM_TLS_FAILED : UPSTREAM_CONNECT_FAILED);
  };
  if (isTls) socket.once("connect", () => (connected = true));
  socket.once(isTls ? "secureConnect" : "connect", () => {
    if (settled) return;
    settled = true;
    const protocol = isTls ? (socket as tls.TLSSocket).alpnProtocol || "" : "";
    listener.onDialed(wrap(socket, isTls), protocol);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  socket.once("close", () => fail("ECONNRESET"));
  return {
    cancel() {
      if (settled) return;
      settled = true;
      socket.destroy();
      target.onFailure?.("ETIMEDOUT");
    },
  };
}

function wrap(socket: net.Socket, isTls: boolean): Transport {
  // A socket that flows would start to read by itself once this event is over.
  socket.pause();
  const handle = handlesUsable ? handleOf(socket) : null;
  const address = socket.remoteAddress ?? "";
  const port = socket.remotePort ?? 0;
  return handle === null
    ? new SocketTransport(socket, address, port)
    : new HandleTransport(handle, socket, isTls, address, port);
}
