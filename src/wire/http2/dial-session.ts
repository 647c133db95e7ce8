import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DeadlineWheel } from "../../base/deadline-wheel.ts";
import { openSocket } from "../dial.ts";
import type { Dial, DialTarget } from "../dial.ts";
import {
  UPSTREAM_CONNECT_FAILED,
  UPSTREAM_PROTOCOL,
  UPSTREAM_TLS_FAILED,
} from "../exchange-streams.ts";
import type { HeadLimits } from "../http1/parse-request-head.ts";
import { Http2ClientSession } from "./client-session.ts";
import type { ClientSessionOwner } from "./client-session.ts";
import { SERVICE_CONNECTION_WINDOW_BYTES, clientSessionOptions } from "./session-options.ts";

export interface SessionDialListener extends ClientSessionOwner {
  onSessionDialed(session: Http2ClientSession): void;
  /** `cause` is UPSTREAM_CONNECT_FAILED, _TLS_FAILED or _PROTOCOL. */
  onSessionDialFailed(cause: number): void;
}

/**
 * Connects to a target for HTTP/2: over TLS when ALPN agrees on `h2`, else by prior knowledge. A TLS service
 * that agrees on anything else fails as TLS does: a service is configured for HTTP/2 because it needs it
 * (gRPC), and HTTP/1.1 in its place would fail later and less clearly.
 *
 * The session is handed over once the service has sent its settings: how many streams it allows is
 * known then, and that it speaks HTTP/2 at all. Exactly one of the listener's dial events follows, unless it
 * is cancelled.
 */
export function dialSession(
  target: DialTarget,
  limits: HeadLimits,
  wheel: DeadlineWheel,
  listener: SessionDialListener,
): Dial {
  const socket = openSocket(target);
  const isTls = target.tls !== null;
  let settled = false;
  let connected = !isTls;
  let opened = false;
  const fail = (cause: number, error: string): void => {
    if (settled) return;
    settled = true;
    socket.destroy();
    target.onFailure?.(error);
    listener.onSessionDialFailed(cause);
  };
  const failConnecting = (error: string): void =>
    fail(isTls && connected ? UPSTREAM_TLS_FAILED : UPSTREAM_CONNECT_FAILED, error);
  if (isTls) socket.once("connect", () => (connected = true));
  socket.once(isTls ? "secureConnect" : "connect", () => {
    if (settled) return;
    if (isTls && (socket as TLSSocket).alpnProtocol !== "h2") {
      failConnecting("ERR_ALPN_NOT_H2");
      return;
    }
    const session = openSession(socket, target, limits);
    session.once("remoteSettings", () => {
      if (settled) return;
      settled = true;
      listener.onSessionDialed(new Http2ClientSession(session, socket, listener, wheel, limits));
    });
    // What goes wrong with the socket from here on shows in the session.
    opened = true;
    session.on("error", ({ code = "" }: NodeJS.ErrnoException) =>
      code.startsWith("ERR_HTTP2") ? fail(UPSTREAM_PROTOCOL, code) : failConnecting(code),
    );
    session.once("close", () => failConnecting("ECONNRESET"));
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (!opened) failConnecting(error.code ?? error.message);
  });
  socket.once("close", () => {
    if (!opened) failConnecting("ECONNRESET");
  });
  return {
    cancel() {
      if (settled) return;
      settled = true;
      socket.destroy();
      target.onFailure?.("ETIMEDOUT");
    },
  };
}

function openSession(socket: Socket, target: DialTarget, limits: HeadLimits): ClientHttp2Session {
  const session = connect(authorityOf(target), {
    ...clientSessionOptions(limits),
    createConnection: () => socket,
  });
  session.setLocalWindowSize(SERVICE_CONNECTION_WINDOW_BYTES);
  return session;
}

/** Used for requests that came without a Host: HTTP/1.0. */
function authorityOf(target: DialTarget): string {
  const scheme = target.tls === null ? "http" : "https";
  if (target.path !== "") return `${scheme}://localhost`;
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${scheme}://${host}:${target.port}`;
}
