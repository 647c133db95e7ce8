import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionBroken, type ConnectionPlace, SoakConnection } from "./soak-connection.ts";
import type { SoakRecords } from "./soak-records.ts";

/** Waits between the tries of a request whose connection broke: a new worker needs a moment. */
const retryDelaysMs = [5, 20, 80, 320];

export interface ClientSettings {
  /** Tells the clients apart. */
  name: string;
  place: ConnectionPlace;
  records: SoakRecords;
  /** Aborted when the client is to end. */
  signal: AbortSignal;
}

/** A client on one connection at a time that does something again and again, and tries it again when the connection breaks. */
export abstract class SoakClient {
  protected readonly settings: ClientSettings;
  /** How often it has done what it does. */
  protected round = 0;
  private connection: SoakConnection | undefined;
  private connectionName = "";
  private connectionCount = 0;

  constructor(settings: ClientSettings) {
    this.settings = settings;
  }

  /** Runs until the signal; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.settings;
    while (!signal.aborted) {
      await this.tryAgain();
      this.round += 1;
    }
    this.connection?.close();
  }

  /** Does it once. @throws ConnectionBroken, or another error when something is wrong. */
  protected abstract once(connection: SoakConnection, connectionName: string): Promise<void>;

  private async tryAgain(): Promise<void> {
    const { records, name, signal } = this.settings;
    for (const delayMs of [...retryDelaysMs, -1]) {
      const connection = this.open();
      try {
        await this.once(connection, this.connectionName);
        return;
      } catch (error) {
        connection.close();
        const { message } = error as Error;
        if (!(error instanceof ConnectionBroken)) {
          records.failures.push(`${name}: ${message}`);
          return;
        }
        records.breaks.push({
          connection: this.connectionName,
          what: name,
          reason: message,
          atMs: performance.now(),
          openedAtMs: connection.openedAtMs,
        });
        if (delayMs < 0) records.failures.push(`${name}: failed in spite of retries: ${message}`);
        else if (!signal.aborted) await sleep(delayMs);
      }
    }
  }

  private open(): SoakConnection {
    if (this.connection === undefined || this.connection.isOver) {
      this.connection?.close();
      this.connection = new SoakConnection(this.settings.place);
      this.connectionCount += 1;
      this.connectionName = `${this.settings.name}-${this.connectionCount}`;
    }
    return this.connection;
  }
}
