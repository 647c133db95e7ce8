/**
 * scripted-service: a raw service for files whose tests share one gateway: each test says what its
 * next connections do, and nothing of it is left for the test after.
 */
import type { Cleanup } from "./cleanup.ts";
import type { RawConnection } from "./raw-connection.ts";
import { startRawServer } from "./raw-server.ts";
import type { RawScript, RawServer, RawServerOptions } from "./raw-server.ts";
import { until } from "./until.ts";

export class ScriptedService {
  /** Runs for each connection to come; `index` counts those since `clear`. */
  script: RawScript = () => {};
  readonly server: RawServer;

  constructor(server: RawServer) {
    this.server = server;
  }

  get url(): string {
    return this.server.url;
  }

  /** Those since `clear`. */
  get connections(): readonly RawConnection[] {
    return this.server.connections;
  }

  /** Waits until a connection has been made and has brought these bytes, or any at all. */
  async reached(mark = ""): Promise<RawConnection> {
    const found = (): RawConnection | undefined =>
      this.connections.find(({ received }) => received.includes(mark));
    await until(() => found() !== undefined);
    return found()!;
  }

  /**
   * Ends all connections and waits until the gateway has ended them too: one that is kept for reuse
   * would run the script of an earlier test.
   */
  async clear(): Promise<void> {
    this.script = () => {};
    for (const connection of this.server.connections.splice(0)) {
      connection.resume();
      connection.end();
      await connection.readEnd();
      connection.destroy();
    }
  }
}

export async function startScriptedService(
  t: Cleanup,
  options: RawServerOptions = {},
): Promise<ScriptedService> {
  const server = await startRawServer(
    t,
    (connection) => service.script(connection, server.connections.indexOf(connection)),
    options,
  );
  const service = new ScriptedService(server);
  return service;
}
