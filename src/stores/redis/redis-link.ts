/** What a connection is made with: the document's `redis`, its files read. */
export interface RedisSettings {
  readonly kind: "single" | "sentinel" | "cluster";
  /** The server; the Sentinels; some of a Cluster's servers. */
  readonly nodes: readonly RedisAddress[];
  /** What the Sentinels call the master. */
  readonly master: string;
  readonly username: string;
  readonly password: string;
  readonly sentinelUsername: string;
  readonly sentinelPassword: string;
  readonly database: number;
  readonly tls: RedisTls | null;
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Contents of PEM files; "" where there are none. */
export interface RedisTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** "": the server's host. */
  readonly serverName: string;
  readonly verifies: boolean;
}

/** An open way to Redis; once it is down it stays down, and another is opened. */
export interface RedisLink {
  /**
   * Sends a command; rejects at once while there is no connection.
   *
   * @param key which a Cluster finds the server by
   */
  send(key: string, command: string[]): Promise<unknown>;
  /** Whether Redis itself said so; else the connection failed. */
  isReply(error: unknown): boolean;
  /** For people: where it leads. */
  readonly address: string;
  destroy(): void;
}

/**
 * Opens a link that works, or rejects within the settings' `connectTimeoutMs`.
 *
 * @param onDown called once at most, when the link has broken by itself
 */
export type OpenRedisLink = (
  settings: RedisSettings,
  onDown: (reason: Error) => void,
) => Promise<RedisLink>;
