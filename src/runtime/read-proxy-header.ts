import type net from "node:net";
import { PROXY_INCOMPLETE, ProxyHeader, parseProxyHeader } from "../wire/proxy-protocol.ts";

/** What a PROXY protocol header said, and the bytes that came after it. */
export interface ReadProxyHeader {
  /** "" and 0 when the header tells nothing: the socket's own hold. */
  address: string;
  port: number;
  /** The client spoke TLS to whoever sent the header. */
  isTls: boolean;
  rest: Buffer;
}

/**
 * Reads the PROXY protocol header that a connection begins with. The socket is paused when `done` is
 * called; a malformed or late header closes it, and `done` gets null.
 */
export function readProxyHeader(
  socket: net.Socket,
  timeoutMs: number,
  done: (header: ReadProxyHeader | null) => void,
): void {
  const header = new ProxyHeader();
  let received = Buffer.alloc(0);
  const timer = setTimeout(fail, timeoutMs);
  socket.on("data", onData).once("end", fail).once("close", fail);
  socket.resume();

  function onData(bytes: Buffer): void {
    received = Buffer.concat([received, bytes]);
    const end = parseProxyHeader(received, 0, received.length, header);
    if (end === PROXY_INCOMPLETE) return;
    if (end < 0) {
      fail();
      return;
    }
    stop();
    socket.pause();
    done({
      address: header.isLocal ? "" : header.sourceAddress,
      port: header.isLocal ? 0 : header.sourcePort,
      isTls: !header.isLocal && header.isTls,
      rest: received.subarray(end),
    });
  }

  function fail(): void {
    stop();
    socket.destroy();
    done(null);
  }

  function stop(): void {
    clearTimeout(timer);
    socket.off("data", onData).off("end", fail).off("close", fail);
  }
}
