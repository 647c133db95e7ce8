/**
 * fake-data-plane: serves every request of the first listener by itself, over node:http, so that the control
 * plane can be tested without the real one. Names of routes make it misbehave:
 * `refuse in 1` (prepare rejects in worker 1), `die in 1` (throws while it prepares), `stuck in 1` (never
 * prepares). A host name `die-in-1.test` among new addresses ends worker 1. Paths do too: /crash, /hang,
 * /slow/MS (the answer begins at once and ends after so long), /hold (adds one to slot 0 of the shared counters
 * for good).
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import { SharedCounters } from "../../src/base/shared-counters.ts";
import type {
  CreateDataPlane,
  DataPlane,
  DataPlaneContext,
  DataPlanePayload,
  DataPlaneStats,
  Endpoints,
  RevisionResources,
} from "../../src/runtime/data-plane.ts";
import { readPages } from "../../src/runtime/route-pages.ts";

/** What an answer of the fake says. */
export interface FakeAnswer {
  worker: number;
  revision: number;
  endpoints: Endpoints;
  counters: Record<string, number>;
  routes: string[];
}

export const createDataPlane: CreateDataPlane = (context) => new FakeDataPlane(context);

class FakeDataPlane implements DataPlane {
  private readonly context: DataPlaneContext;
  private readonly servers = new Map<string, Server>();
  private readonly opened: string[] = [];
  private readonly held = new Set<ServerResponse>();
  private prepared: (DataPlanePayload & RevisionResources) | undefined;
  private current: (DataPlanePayload & RevisionResources) | undefined;
  private readonly counters: SharedCounters;
  private connections = 0;

  constructor(context: DataPlaneContext) {
    this.context = context;
    this.counters = new SharedCounters(context.shared.counters, context.workerIndex);
  }

  async prepare(payload: DataPlanePayload, resources: RevisionResources): Promise<void> {
    const { workerIndex } = this.context;
    for (const { name } of [...readPages(payload.routes)].flat()) {
      if (name === `refuse in ${workerIndex}`) throw new Error(`refused in ${workerIndex}`);
      if (name === `stuck in ${workerIndex}`) await new Promise(() => {});
      if (name === `die in ${workerIndex}`) setImmediate(throwUncaught);
      if (name === `die in ${workerIndex}`) await new Promise(() => {});
    }
    this.prepared = { ...payload, ...resources };
    for (const { key, host, port } of payload.config.listen) {
      if (!this.servers.has(key)) await this.listen(key, host, port);
    }
  }

  commit(revision: number): void {
    if (this.prepared?.revision !== revision) throw new Error(`${revision} was not prepared`);
    const before = this.current;
    this.current = this.prepared;
    this.opened.length = 0;
    for (const [key, server] of this.servers) {
      if (this.current.config.listen.some((one) => one.key === key)) continue;
      server.close();
      this.servers.delete(key);
    }
    if (before !== undefined) this.context.onRetired(before.revision);
  }

  abort(): void {
    for (const key of this.opened) {
      this.servers.get(key)?.close();
      this.servers.delete(key);
    }
    this.opened.length = 0;
    this.prepared = undefined;
  }

  updateEndpoints(endpoints: Endpoints, counters?: Record<string, number>): void {
    if (`die-in-${this.context.workerIndex}.test` in endpoints) throwUncaught();
    if (this.current === undefined) return;
    this.current.endpoints = endpoints;
    if (counters !== undefined) this.current.counters = counters;
  }

  async drain(deadlineMs: number): Promise<{ cut: number }> {
    const closed = Promise.withResolvers<void>();
    let open = this.servers.size;
    for (const server of this.servers.values()) {
      server.close(() => {
        open -= 1;
        if (open === 0) closed.resolve();
      });
      server.closeIdleConnections();
    }
    const timer = setTimeout(() => closed.resolve(), deadlineMs);
    await closed.promise;
    clearTimeout(timer);
    return { cut: this.held.size };
  }

  stats(): DataPlaneStats {
    return { connections: this.connections, inFlight: this.held.size };
  }

  private async listen(key: string, host: string, port: number): Promise<void> {
    const server = createServer((request, response) => this.answer(request.url ?? "", response));
    server.on("connection", (socket) => {
      this.connections += 1;
      socket.on("close", () => (this.connections -= 1));
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host, port, reusePort: this.context.workerCount > 1 }, resolve);
    await promise;
    this.servers.set(key, server);
    this.opened.push(key);
  }

  private answer(url: string, response: ServerResponse): void {
    response.setHeader("connection", "close");
    if (url === "/crash") throwUncaught();
    if (url === "/hang") for (;;);
    if (url === "/hold") this.counters.add(0, 1);
    if (url.startsWith("/slow/")) {
      this.held.add(response);
      response.writeHead(200).write("slow ");
      const timer = setTimeout(() => response.end("and whole"), Number(url.slice(6)));
      response.on("close", () => {
        clearTimeout(timer);
        this.held.delete(response);
      });
      return;
    }
    if (url === "/log") this.context.log.info("asked to say something");
    this.writeAccess(url);
    response.end(JSON.stringify(this.describe()));
  }

  private describe(): FakeAnswer {
    const { revision, endpoints, counters, routes: pages } = this.current!;
    const routes = [...readPages(pages)].flat().map(({ name }) => name);
    return { worker: this.context.workerIndex, revision, endpoints, counters, routes };
  }

  private writeAccess(path: string): void {
    this.current?.accessLog?.write({
      startedAtMs: Date.now(),
      durationUs: 0,
      upstreamUs: -1,
      clientAddress: "127.0.0.1",
      method: "GET",
      scheme: "http",
      host: "",
      path,
      query: "",
      protocol: "HTTP/1.1",
      status: 200,
      requestBodyBytes: 0,
      responseBodyBytes: 0,
      routeName: "",
      serviceName: "",
      targetUrl: "",
      attempts: 0,
      retriedFor: "",
      retryForgone: "",
      grpcStatus: "",
      hedge: "",
      requestId: "",
      consumer: "",
      subject: "",
      credential: "",
      identityMethod: "",
      faultCode: "",
      failure: "",
      fallback: "",
      requestHeader: () => "",
      responseHeader: () => "",
    });
  }
}

function throwUncaught(): never {
  throw new Error("thrown by the fake data plane");
}
