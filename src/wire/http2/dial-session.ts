import { connect } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DeadlineWheel } from "../../base/deadline-wheel.ts";
import { openSocket } from "../dial.ts";
import type { Dial, DialTarget } from "../dial.ts";
import { UPSTREAM_CONNECT_FAILED, UPSTREAM_TLS_FAILED } from "../exchange-streams.ts";
import type { HeadLimits } from "../http1/parse-request-head.ts";
import { Http2ClientSession } from "./client-session.ts";
import type { ClientSessionOwner } from "./client-session.ts";
import { SERVICE_CONNECTION_WINDOW_BYTES, clientSessionOptions } from "./session-options.ts";

export interface SessionDialListener extends ClientSessionOwner {
  onSessionDialed(session: Http2ClientSession): void;
  /** `cause` is UPSTREAM_CONNECT_FAILED or UPSTREAM_TLS_FAILED; `error` the system's or TLS's name for it. */
  onSessionDialFailed(cause: number, error: string): void;
}

/**
 * Connects to a target for HTTP/2: over TLS when ALPN agrees on `h2`, else by prior knowledge. A TLS service that
 * agrees on anything else fails as TLS does: a service is configured for HTTP/2 because it needs
 * it (gRPC), and HTTP/1.1 in its place would fail later and less clearly.
 *
 * Exactly one of the listener's dial events follows, unless it is cancelled.
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
  const fail = (error: string): void => {
    if (settled) return;
    settled = true;
    socket.destroy();
    const cause = isTls && connected ? UPSTREAM_TLS_FAILED : UPSTREAM_CONNECT_FAILED;
    listener.onSessionDialFailed(cause, error);
  };
  if (isTls) socket.once("connect", () => (connected = true));
  socket.once(isTls ? "secureConnect" : "connect", () => {
    if (settled) return;
    if (isTls && (socket as TLSSocket).alpnProtocol !== "h2") {
      fail("ERR_ALPN_NOT_H2");
      return;
    }
    settled = true;
    listener.onSessionDialed(openSession(socket, target, limits, wheel, listener));
  });
  socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  socket.once("close", () => fail("ECONNRESET"));
  return {
    cancel() {
      settled = true;
      socket.destroy();
    },
  };
}

function openSession(
  socket: Socket,
  target: DialTarget,
  limits: HeadLimits,
  wheel: DeadlineWheel,
  owner: ClientSessionOwner,
): Http2ClientSession {
  const session = connect(authorityOf(target), {
    ...clientSessionOptions(limits),
    createConnection: () => socket,
  });
  session.setLocalWindowSize(SERVICE_CONNECTION_WINDOW_BYTES);
  return new Http2ClientSession(session, socket, owner, wheel, limits);
}

/** Used for requests that came without a Host: HTTP/1.0. */
function authorityOf(target: DialTarget): string {
  const scheme = target.tls === null ? "http" : "https";
  if (target.path !== "") return `${scheme}://localhost`;
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${scheme}://${host}:${target.port}`;
}
