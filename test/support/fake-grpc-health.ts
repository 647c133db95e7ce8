import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Cleanup } from "./cleanup.ts";

/** gRPC's code for what is not known. */
const NOT_FOUND = "5";

/** A stand-in for a gRPC server with the health service, version 1: enough of it to be asked. */
export interface FakeGrpcHealth {
  readonly port: number;
  /** By name of the service, "" for the whole server: 1 serves, 2 does not. */
  readonly statuses: Map<string, number>;
}

export async function startFakeGrpcHealth(t: Cleanup): Promise<FakeGrpcHealth> {
  const statuses = new Map<string, number>();
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      const name = Buffer.concat(parts).subarray(7).toString();
      const status = statuses.get(name);
      const isHealth = headers[":path"] === "/grpc.health.v1.Health/Check";
      const head = { ":status": 200, "content-type": "application/grpc" };
      if (!isHealth || status === undefined) {
        stream.respond({ ...head, "grpc-status": NOT_FOUND }, { endStream: true });
        return;
      }
      stream.respond(head, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.of(0, 0, 0, 0, 2, 0x08, status));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { port: (server.address() as AddressInfo).port, statuses };
}
