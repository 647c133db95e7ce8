import { once } from "node:events";
import http2 from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import net from "node:net";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { DeadlineWheel } from "../../src/base/deadline-wheel.ts";
import { Http2Pool } from "../../src/upstream/http2-pool.ts";
import type { PoolSettings } from "../../src/upstream/target-pool.ts";
import type { DialTarget } from "../../src/wire/dial.ts";
import type { Cleanup } from "./cleanup.ts";
import { FramePeer, SETTINGS } from "./http2-frames.ts";

export interface Http2Service {
  port: number;
  sessions: ServerHttp2Session[];
}

type Answer = (stream: ServerHttp2Stream, raw: string[]) => void;

/** A service that speaks HTTP/2 by prior knowledge. */
export async function serveHttp2(
  t: TestContext,
  answer: Answer,
  options: http2.ServerOptions = {},
): Promise<Http2Service> {
  const server = http2.createServer({ strictSingleValueFields: false, ...options });
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream, _headers, _flags, raw) => {
    stream.on("error", () => {});
    answer(stream as ServerHttp2Stream, raw);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

/** A service whose frames the test writes by hand; each connection has its settings sent. */
export async function serveFrames(
  t: Cleanup,
  onPeer: (peer: FramePeer, number: number) => void,
): Promise<number> {
  let count = 0;
  const server = net.createServer((socket) => {
    const peer = new FramePeer(socket, true);
    t.after(() => void socket.destroy());
    peer.send(SETTINGS, 0, 0);
    onPeer(peer, count++);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A pool towards a port of this machine, with settings that no test meets by chance. */
export function poolFor(
  t: TestContext,
  port: number,
  settings: Partial<PoolSettings> = {},
  target: Partial<DialTarget> = {},
  wheel: DeadlineWheel = new DeadlineWheel(10),
): Http2Pool {
  wheel.start();
  t.after(() => wheel.stop());
  const all: PoolSettings = {
    connectionsMax: 8,
    waitingMax: 1000,
    idleMax: 8,
    idleTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
    pipelining: 1,
    ...settings,
  };
  const dial: DialTarget = {
    host: "127.0.0.1",
    port,
    path: "",
    tls: null,
    onSession: null,
    onFailure: null,
    ...target,
  };
  const limits = { headBytesMax: 32 * 1024, uriBytesMax: 0, fieldCountMax: 100 };
  const pool = new Http2Pool(dial, all, limits, wheel);
  t.after(() => pool.dispose());
  return pool;
}
