/** raw-client: opens connections to write bytes on, exactly as a test gives them. */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import type { Cleanup } from "./cleanup.ts";
import { RawConnection } from "./raw-connection.ts";

/** A port on loopback, a Unix socket, or a port with TLS. */
export type RawTarget =
  | number
  | { readonly path: string }
  | { readonly port: number; readonly host?: string; readonly tls?: ConnectionOptions };

/** Connects; with TLS, resolves when the handshake is done. The test's end destroys the connection. */
export async function rawConnect(t: Cleanup, target: RawTarget): Promise<RawConnection> {
  const options = typeof target === "number" ? { port: target } : target;
  // Half-open, so that a test sees what still comes after it has ended its side.
  const socket =
    "path" in options
      ? connectTcp({ path: options.path, allowHalfOpen: true })
      : options.tls !== undefined
        ? connectTls({ port: options.port, host: options.host ?? "127.0.0.1", ...options.tls })
        : connectTcp({
            port: options.port,
            host: options.host ?? "127.0.0.1",
            allowHalfOpen: true,
          });
  t.after(() => void socket.destroy());
  await once(socket, "path" in options || options.tls === undefined ? "connect" : "secureConnect");
  return new RawConnection(socket);
}
