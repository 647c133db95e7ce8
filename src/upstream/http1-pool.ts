// HOT
import { Deadline } from "../base/deadline-wheel.ts";
import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import { dial } from "../wire/dial.ts";
import type { Dial, DialListener, DialTarget } from "../wire/dial.ts";
import { UPSTREAM_CONNECT_TIMEOUT } from "../wire/exchange-streams.ts";
import type { UpstreamStream } from "../wire/exchange-streams.ts";
import { Http1ClientConnection } from "../wire/http1/client-connection.ts";
import type { ClientConnectionOwner } from "../wire/http1/client-connection.ts";
import type { HeadLimits } from "../wire/http1/parse-request-head.ts";
import type { Transport } from "../wire/transport.ts";
import { type DialAttempt, DialAttempts } from "./dial-attempts.ts";
import { RefusedLine } from "./refused-line.ts";
import type { PoolClient, PoolSettings, TargetPool } from "./target-pool.ts";
import { WaitingLine } from "./waiting-line.ts";

/**
 * Keep-alive connections to one target. The connection used last is used next: the others grow old and
 * close, and the one in use is warm. Every waiting request starts a connection of its own while there
 * is room, and takes whichever comes free first.
 */
export class Http1Pool implements TargetPool, ClientConnectionOwner {
  openCount: number;
  private readonly target: DialTarget;
  private readonly settings: PoolSettings;
  private readonly limits: HeadLimits;
  private readonly wheel: DeadlineWheel;
  private readonly idle: Http1ClientConnection[];
  /** Connections that several exchanges may share; empty without pipelining. */
  private readonly shared: Http1ClientConnection[];
  private readonly waiting: WaitingLine<PoolClient>;
  private readonly refused: RefusedLine;
  private readonly attempts: DialAttempts<ConnectAttempt>;
  private disposed: boolean;

  constructor(
    target: DialTarget,
    settings: PoolSettings,
    limits: HeadLimits,
    wheel: DeadlineWheel,
  ) {
    this.openCount = 0;
    this.target = target;
    this.settings = settings;
    this.limits = limits;
    this.wheel = wheel;
    this.idle = [];
    this.shared = [];
    this.waiting = new WaitingLine();
    this.refused = new RefusedLine();
    this.attempts = new DialAttempts();
    this.disposed = false;
  }

  get idleCount(): number {
    return this.idle.length;
  }

  acquire(client: PoolClient): UpstreamStream | null {
    const pipelined = this.settings.pipelining > 1 && client.pipelinable && !client.wantsFresh;
    if (pipelined) {
      const shared = this.findShared();
      if (shared !== null) {
        shared.attach(client);
        return shared;
      }
    }
    const connection = client.wantsFresh ? undefined : this.idle.pop();
    if (connection !== undefined) {
      if (pipelined) this.share(connection);
      connection.attach(client);
      return connection;
    }
    if (this.openCount < this.settings.connectionsMax) {
      this.waiting.push(client);
      this.connect();
    } else if (this.idle.length > 0) {
      // It wants a new connection, so those that idle will not serve it: the oldest makes room.
      this.waiting.push(client);
      this.idle[0]!.destroy();
    } else if (this.waiting.size - this.attempts.size < this.settings.waitingMax) {
      this.waiting.push(client);
    } else {
      this.refused.push(client);
    }
    client.dialNumber = this.attempts.begun;
    return null;
  }

  /** The first that has room: few full connections send more per write than many half-empty ones. */
  private findShared(): Http1ClientConnection | null {
    const { shared } = this;
    const loadMax = this.settings.pipelining;
    for (let index = 0; index < shared.length; index++) {
      const connection = shared[index]!;
      if (connection.hasRoom(loadMax)) return connection;
    }
    return null;
  }

  private share(connection: Http1ClientConnection): void {
    connection.shared = true;
    connection.enableBatching();
    this.shared.push(connection);
  }

  cancel(client: PoolClient): boolean {
    this.waiting.remove(client);
    this.refused.remove(client);
    return this.attempts.hasOf(client.dialNumber);
  }

  private connect(): void {
    this.openCount++;
    this.attempts.add(
      new ConnectAttempt(this, ++this.attempts.begun, this.wheel, this.target, this.settings),
    );
  }

  /** @internal for ConnectAttempt */
  onConnected(attempt: ConnectAttempt, transport: Transport): void {
    this.attempts.delete(attempt);
    const connection = new Http1ClientConnection(transport, this, this.wheel, this.limits);
    this.onConnectionFree(connection);
  }

  /** @internal for ConnectAttempt */
  onConnectFailed(attempt: ConnectAttempt, cause: number): void {
    this.attempts.delete(attempt);
    this.openCount--;
    // One attempt failed, one request learns of it and tries elsewhere; the others have their own.
    const client = this.waiting.shift();
    if (client !== null) client.onNoStream(cause);
    this.connectForWaiting();
  }

  onConnectionFree(connection: Http1ClientConnection): void {
    if (connection.shared) {
      this.serveShared(connection);
      return;
    }
    const client = this.waiting.shift();
    if (client !== null) {
      if (this.settings.pipelining > 1 && client.pipelinable) this.share(connection);
      connection.attach(client);
      client.onStream(connection);
      if (connection.shared) this.serveShared(connection);
      return;
    }
    if (this.disposed || this.idle.length >= this.settings.idleMax) {
      connection.destroy();
      return;
    }
    this.idle.push(connection);
    this.wheel.set(connection, this.settings.idleTimeoutMs);
  }

  /** Fills a shared connection from the waiting line; one without work turns idle again. */
  private serveShared(connection: Http1ClientConnection): void {
    while (connection.hasRoom(this.settings.pipelining)) {
      const client = this.waiting.peek();
      if (client === null || !client.pipelinable) break;
      this.waiting.shift();
      connection.attach(client);
      client.onStream(connection);
    }
    if (connection.load > 0 || connection.closed) return;
    this.unshare(connection);
    this.onConnectionFree(connection);
  }

  private unshare(connection: Http1ClientConnection): void {
    connection.shared = false;
    const index = this.shared.indexOf(connection);
    if (index >= 0) this.shared.splice(index, 1);
  }

  onConnectionGone(connection: Http1ClientConnection): void {
    this.openCount--;
    if (connection.shared) this.unshare(connection);
    const index = this.idle.lastIndexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
    this.connectForWaiting();
  }

  /** A place has come free: whoever waits without a connection under way gets one. */
  private connectForWaiting(): void {
    if (this.waiting.size <= this.attempts.size) return;
    if (this.openCount < this.settings.connectionsMax) this.connect();
  }

  dispose(): void {
    this.disposed = true;
    while (this.idle.length > 0) this.idle[this.idle.length - 1]!.destroy();
  }
}

class ConnectAttempt extends Deadline implements DialListener, DialAttempt {
  readonly number: number;
  private readonly pool: Http1Pool;
  private readonly wheel: DeadlineWheel;
  private readonly dialing: Dial;

  constructor(
    pool: Http1Pool,
    number: number,
    wheel: DeadlineWheel,
    target: DialTarget,
    { connectTimeoutMs }: PoolSettings,
  ) {
    super();
    this.number = number;
    this.pool = pool;
    this.wheel = wheel;
    wheel.set(this, connectTimeoutMs);
    this.dialing = dial(target, this);
  }

  onDialed(transport: Transport): void {
    this.wheel.release(this);
    this.pool.onConnected(this, transport);
  }

  onDialFailed(cause: number): void {
    this.wheel.release(this);
    this.pool.onConnectFailed(this, cause);
  }

  onDeadline(): void {
    this.dialing.cancel();
    this.pool.onConnectFailed(this, UPSTREAM_CONNECT_TIMEOUT);
  }
}
