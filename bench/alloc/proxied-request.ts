/** A gateway in memory: one route, one service, both ends fake handles, everything between real. */
import { DeadlineWheel } from "../../src/base/deadline-wheel.ts";
import { silentLog } from "../../src/base/log/log.ts";
import { knownPolicies } from "../../src/config/known-policies.ts";
import { ProxyRuntime } from "../../src/proxy/proxy-runtime.ts";
import { DataPlaneRuntime } from "../../src/runtime/data-plane-runtime.ts";
import { makePayload } from "../../src/runtime/make-payload.ts";
import { SharedState } from "../../src/runtime/shared-state.ts";
import { readTestDocument, type TestDocument } from "../../src/testing/test-document.ts";
import type { PoolClient, TargetPool } from "../../src/upstream/target-pool.ts";
import { Http1ClientConnection } from "../../src/wire/http1/client-connection.ts";
import { Http1ServerConnection } from "../../src/wire/http1/server-connection.ts";
import type { ServerContext } from "../../src/wire/server-context.ts";
import { HandleTransport } from "../../src/wire/handle-transport.ts";
import { FakeHandle } from "./fake-handle.ts";

const limits = { headBytesMax: 32_768, uriBytesMax: 8192, fieldCountMax: 100 };

/** One connection, free whenever it is asked for. */
class OneConnectionPool implements TargetPool {
  readonly openCount = 1;
  readonly idleCount = 0;
  private readonly connection: Http1ClientConnection;

  constructor(connection: Http1ClientConnection) {
    this.connection = connection;
  }

  acquire(client: PoolClient) {
    this.connection.attach(client);
    return this.connection;
  }

  cancel(): boolean {
    return false;
  }
  dispose(): void {}
}

export interface MemoryGateway {
  client: FakeHandle;
  service: FakeHandle;
  /** Sends the request, answers it, and returns what the client got. */
  exchange(request: Buffer, response: Buffer): string;
}

/** @param document as users write it; its service's URL does not matter. */
export async function createMemoryGateway(document: TestDocument): Promise<MemoryGateway> {
  const surroundings = { policies: knownPolicies, environment: {}, files: {} };
  const loaded = await readTestDocument(document, surroundings);
  const wheel = new DeadlineWheel();
  const service = new FakeHandle();
  const owner = { onConnectionFree() {}, onConnectionGone() {} };
  const upstream = new HandleTransport(service, null, false, "127.0.0.1", 1);
  const pool = new OneConnectionPool(new Http1ClientConnection(upstream, owner, wheel, limits));
  const shared = new SharedState(1, silentLog);
  const proxy = new ProxyRuntime(wheel, silentLog);
  const dataPlane = new DataPlaneRuntime(
    {
      workerIndex: 0,
      workerCount: 1,
      shared: shared.memory,
      log: silentLog,
      onRetired: () => {},
    },
    { wheel, makeProxy: () => proxy, consumerStore: null, poolOf: () => pool },
  );
  await dataPlane.prepare(
    makePayload(1, loaded, {}, shared.lease(loaded.config, {}, knownPolicies)),
    {
      accessLog: null,
    },
  );
  dataPlane.commit(1);
  const context: ServerContext = {
    key: "memory",
    localPort: 8080,
    wheel,
    exchanges: proxy,
    limits,
    timeouts: { headMs: 10_000, idleMs: 75_000, bodyMs: 30_000, writeMs: 30_000 },
    connectionRequestsMax: 0,
    draining: false,
  };
  const client = new FakeHandle();
  // The handle keeps it: what the client sends calls it.
  void new Http1ServerConnection(
    new HandleTransport(client, null, false, "127.0.0.1", 1234),
    context,
    { onHttp2Preface() {}, onConnectionClosed() {} },
    "127.0.0.1",
    1234,
    null,
  );
  return {
    client,
    service,
    exchange(request, response) {
      client.deliver(request);
      service.deliver(response);
      return client.lastWritten;
    },
  };
}
