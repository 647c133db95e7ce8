/**
 * raw-server: a service that does exactly what a test's script says, well-behaved or not, and records
 * what it was sent.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { TlsOptions } from "node:tls";
import { RawConnection } from "./raw-connection.ts";
import type { Cleanup } from "./cleanup.ts";
import { until } from "./until.ts";

/**
 * What to do with a connection; `index` counts connections from 0. The connection stays open when the
 * script is over. A script that fails because the peer went away ends in silence.
 */
export type RawScript = (connection: RawConnection, index: number) => void | Promise<void>;

export interface RawServerOptions {
  /** Listen on a Unix socket instead of a free port. */
  readonly path?: string;
  readonly tls?: TlsOptions;
}

export class RawServer {
  readonly connections: RawConnection[] = [];
  /** Errors of scripts; those that follow from the peer's going away are expected in some tests. */
  readonly scriptErrors: Error[] = [];
  readonly #server: Server;
  readonly #path: string | undefined;
  readonly #isTls: boolean;
  readonly #waiting: ((connection: RawConnection) => void)[] = [];

  constructor(script: RawScript, options: RawServerOptions) {
    this.#path = options.path;
    this.#isTls = options.tls !== undefined;
    const accept = (socket: Socket): void => {
      const connection = new RawConnection(socket);
      const index = this.connections.push(connection) - 1;
      this.#waiting.shift()?.(connection);
      void this.#run(script, connection, index);
    };
    this.#server =
      options.tls === undefined
        ? createServer({ allowHalfOpen: true }, accept)
        : createTlsServer(options.tls, accept);
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#path ?? { port: 0, host: "127.0.0.1" });
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As the target of a service is written in the config. */
  get url(): string {
    if (this.#path !== undefined) return `unix:${this.#path}`;
    return `${this.#isTls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** All bytes of all connections, in the order in which the connections came. */
  get received(): Buffer {
    return Buffer.concat(this.connections.map((connection) => connection.received));
  }

  /** The next connection that is made. */
  async nextConnection(): Promise<RawConnection> {
    const { promise, resolve } = Promise.withResolvers<RawConnection>();
    this.#waiting.push(resolve);
    return promise;
  }

  /**
   * Waits until all connections that were made by now have been accepted. A connection stands, for the
   * peer, as soon as the system has it, and the system hands them out in their order: one of our own, the
   * last of `connections` then, comes after them. Not with TLS, whose handshakes end in any order.
   */
  async acceptAll(): Promise<void> {
    const mark = "all before this one";
    const own = this.#path === undefined ? connect(this.port, "127.0.0.1") : connect(this.#path);
    own.on("error", () => {});
    own.end(mark);
    await until(() => this.connections.some(({ received }) => received.includes(mark)));
  }

  /** Stops listening and resets what is open. */
  close(): void {
    this.#server.close();
    for (const { socket } of this.connections) socket.destroy();
  }

  async #run(script: RawScript, connection: RawConnection, index: number): Promise<void> {
    try {
      await script(connection, index);
    } catch (error) {
      this.scriptErrors.push(error as Error);
    }
  }
}

/** Starts a service that runs the script for each connection; the test's end stops it. */
export async function startRawServer(
  t: Cleanup,
  script: RawScript,
  options: RawServerOptions = {},
): Promise<RawServer> {
  const server = new RawServer(script, options);
  await server.listen();
  t.after(() => server.close());
  return server;
}

/** A script: answers the n-th request of a connection with the n-th of these bytes, then the last. */
export function answering(...answers: (string | Buffer)[]): RawScript {
  return async (connection) => {
    for (let count = 0; ; count++) {
      await connection.readRequest();
      await connection.send(answers[Math.min(count, answers.length - 1)]!);
    }
  };
}

/** A whole response with a body that is counted. */
export function plainResponse(body: string, status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body, "latin1")}\r\n\r\n${body}`;
}
