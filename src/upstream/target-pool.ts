// HOT
import type { UpstreamEvents, UpstreamStream } from "../wire/exchange-streams.ts";

/** An exchange that asks a pool for a stream. */
export interface PoolClient extends UpstreamEvents {
  /** Idempotent, without a body and without an upgrade: it may share a connection (RFC 9112 section 9.3.2). */
  readonly pipelinable: boolean;
  /** A kept connection has just turned out to be closed: this try wants a new one. */
  readonly wantsFresh: boolean;
  /** How often its pool had tried to connect when it began to wait; for that pool alone to set and to read. */
  dialNumber: number;
  /** A stream is there; the exchange sends its head next. */
  onStream(stream: UpstreamStream): void;
  /** One of UPSTREAM_CONNECT_FAILED, _CONNECT_TIMEOUT, _TLS_FAILED, _QUEUE_FULL. */
  onNoStream(cause: number): void;
}

/** The connections of one worker to one target. */
export interface TargetPool {
  /** @returns a stream at once, or null: then `onStream` or `onNoStream` follows, never before it returns. */
  acquire(client: PoolClient): UpstreamStream | null;
  /**
   * The client waits no longer.
   *
   * @returns whether the target has not let itself be connected to in all that time; else it was free connections
   *   that were lacking
   */
  cancel(client: PoolClient): boolean;
  /** Closes what is unused now and the rest as it becomes free. */
  dispose(): void;
  readonly openCount: number;
  readonly idleCount: number;
}

/** Settings of the pools of one service; durations in ms, 0 for none. */
export interface PoolSettings {
  connectionsMax: number;
  waitingMax: number;
  idleMax: number;
  idleTimeoutMs: number;
  connectTimeoutMs: number;
  pipelining: number;
}
