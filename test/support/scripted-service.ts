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
   * would run the script of an earlier test. So would one that the gateway has made and that has not been
   * accepted here yet, such as one for a request that another connection served meanwhile.
   */
  async clear(): Promise<void> {
    this.script = () => {};
    let ended = Infinity;
    // The last is our own. What broke off with the others may have been tried again.
    while (ended > 1) {
      await this.server.acceptAll();
      const connections = this.server.connections.splice(0);
      for (const connection of connections) {
        connection.resume();
        connection.end();
        await connection.readEnd();
        connection.destroy();
      }
      ended = connections.length;
    }
  }
}

export async function startScriptedService(
  t: Cleanup,
  options: Pick<RawServerOptions, "path"> = {},
): Promise<ScriptedService> {
  const server = await startRawServer(
    t,
    (connection) => service.script(connection, server.connections.indexOf(connection)),
    options,
  );
  const service = new ScriptedService(server);
  return service;
}
