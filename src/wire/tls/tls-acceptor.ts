/**
 * tls-acceptor: turns accepted TCP connections into TLS connections.
 *
 * It listens on nothing: the listener hands it sockets, after it has read a PROXY protocol header
 * where there is one. So new certificates or demands on clients are a new acceptor for the
 * connections to come, while those already made live on with the one that made them.
 */
import type { Socket } from "node:net";
import { createServer } from "node:tls";
import type { Server, TLSSocket, TlsOptions } from "node:tls";

export class TlsAcceptor {
  readonly #server: Server;

  /**
   * @param onSecure gets each connection whose handshake is done; `alpnProtocol` says which HTTP.
   * @param onFailure gets each connection whose handshake failed, took too long or was given up by
   * the client; it is destroyed already.
   */
  constructor(
    options: TlsOptions,
    onSecure: (socket: TLSSocket) => void,
    onFailure: (error: NodeJS.ErrnoException, socket: TLSSocket) => void,
  ) {
    this.#server = createServer(options, onSecure);
    this.#server.on("tlsClientError", (error, socket) => {
      // Node leaves a connection open whose handshake took too long.
      socket.destroy();
      onFailure(error, socket);
    });
  }

  /**
   * Begins the handshake.
   * @param early bytes already read from the socket that belong to the handshake.
   */
  accept(socket: Socket, early?: Uint8Array): void {
    if (early !== undefined && early.length > 0) socket.unshift(early);
    this.#server.emit("connection", socket);
  }
}
