import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** What is behind the gateway. Each of the paths is answered with a body that the client can foresee. */
export class SoakService {
  readonly port: number;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async start(): Promise<SoakService> {
    // The gateway keeps its connections shorter than this: none is closed under a request.
    const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
      answer(request, response);
    });
    server.on("upgrade", echo);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new SoakService(server);
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** The answer to `/bytes/N`. */
export function bodyOf(length: number): Buffer {
  return Buffer.alloc(length, "0123456789abcdef");
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.on("error", ignore);
  request.on("error", ignore);
  const [, kind, number] = (request.url ?? "").split("/");
  if (kind === "bytes") {
    send(response, bodyOf(Number(number)));
  } else if (kind === "late") {
    setTimeout(() => send(response, bodyOf(16)), Number(number));
  } else if (kind === "echo") {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => send(response, Buffer.concat(chunks)));
  } else {
    response.writeHead(404).end();
  }
}

function send(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { "content-length": body.length, "content-type": "text/plain" });
  response.end(body);
}

/** Any protocol that echoes will do: the gateway passes a tunnel's bytes through. */
function echo(_request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on("error", ignore);
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
  if (head.length > 0) socket.write(head);
  socket.pipe(socket);
}

/** The other side has gone. */
function ignore(): void {}
