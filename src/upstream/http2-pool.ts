// HOT
import { Deadline } from "../base/deadline-wheel.ts";
import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import type { Dial, DialTarget } from "../wire/dial.ts";
import { UPSTREAM_CONNECT_TIMEOUT } from "../wire/exchange-streams.ts";
import type { UpstreamStream } from "../wire/exchange-streams.ts";
import type { HeadLimits } from "../wire/http1/parse-request-head.ts";
import type { Http2ClientSession } from "../wire/http2/client-session.ts";
import { dialSession } from "../wire/http2/dial-session.ts";
import type { SessionDialListener } from "../wire/http2/dial-session.ts";
import { type DialAttempt, DialAttempts } from "./dial-attempts.ts";
import { RefusedLine } from "./refused-line.ts";
import type { PoolClient, PoolSettings, TargetPool } from "./target-pool.ts";
import { WaitingLine } from "./waiting-line.ts";

/** Waiting requests for which one connection under way is thought to be enough. */
const CLIENTS_PER_ATTEMPT = 100;

/**
 * HTTP/2 sessions to one target. One session carries as many requests as the service allows; another
 * is opened when all are full. What finds no room waits.
 */
export class Http2Pool implements TargetPool {
  /** Sessions that are open, leave or are being made. */
  openCount: number;
  private readonly target: DialTarget;
  private readonly settings: PoolSettings;
  private readonly limits: HeadLimits;
  private readonly wheel: DeadlineWheel;
  /** Sessions that take requests, the oldest first. */
  private readonly sessions: Http2ClientSession[];
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
    this.sessions = [];
    this.waiting = new WaitingLine();
    this.refused = new RefusedLine();
    this.attempts = new DialAttempts();
    this.disposed = false;
  }

  get idleCount(): number {
    const { sessions } = this;
    let count = 0;
    for (let index = 0; index < sessions.length; index++) if (sessions[index]!.load === 0) count++;
    return count;
  }

  acquire(client: PoolClient): UpstreamStream | null {
    // A client that has met a closed connection waits for a new one, as long as one can be made.
    const session = client.wantsFresh && this.mayConnect ? null : this.findRoom();
    if (session !== null) return session.attach(client);
    if (this.waiting.size < this.settings.waitingMax) {
      this.waiting.push(client);
      this.connectForWaiting();
    } else {
      this.refused.push(client);
    }
    client.dialNumber = this.attempts.begun;
    return null;
  }

  cancel(client: PoolClient): boolean {
    this.waiting.remove(client);
    this.refused.remove(client);
    return this.attempts.hasOf(client.dialNumber);
  }

  /** The first with room: the others run empty and expire. */
  private findRoom(): Http2ClientSession | null {
    const { sessions } = this;
    for (let index = 0; index < sessions.length; index++) {
      const session = sessions[index]!;
      if (session.hasRoom) return session;
    }
    return null;
  }

  /** Sessions that leave do not count: they may take their time, and carry nothing new. */
  private get mayConnect(): boolean {
    return this.sessions.length + this.attempts.size < this.settings.connectionsMax;
  }

  private connectForWaiting(): void {
    const { size } = this.waiting;
    while (size > this.attempts.size * CLIENTS_PER_ATTEMPT && this.mayConnect) {
      this.openCount++;
      this.attempts.add(
        new ConnectAttempt(
          this,
          ++this.attempts.begun,
          this.target,
          this.settings,
          this.limits,
          this.wheel,
        ),
      );
    }
  }

  /** @internal for ConnectAttempt */
  onConnected(attempt: ConnectAttempt, session: Http2ClientSession): void {
    this.attempts.delete(attempt);
    this.sessions.push(session);
    this.onSessionFree(session);
    this.connectForWaiting();
  }

  /** @internal for ConnectAttempt */
  onConnectFailed(attempt: ConnectAttempt, cause: number): void {
    this.attempts.delete(attempt);
    this.openCount--;
    // As long as there is another connection the waiting ones may still get through.
    if (this.openCount === 0) this.failWaiting(cause);
  }

  /** All that wait now; what they do about it may put them in line again. */
  private failWaiting(cause: number): void {
    for (let left = this.waiting.size; left > 0; left--) {
      const client = this.waiting.shift();
      if (client === null) return;
      client.onNoStream(cause);
    }
  }

  /** @internal for sessions */
  onSessionFree(session: Http2ClientSession): void {
    while (this.waiting.size > 0 && session.hasRoom) {
      const client = this.waiting.peek()!;
      // What it waits for is under way.
      if (client.wantsFresh && session.used && this.attempts.size > 0) break;
      this.waiting.shift();
      client.onStream(session.attach(client));
    }
    if (session.load > 0) return;
    if (this.disposed || this.idleCount > this.settings.idleMax) session.leave();
    else session.expireIn(this.settings.idleTimeoutMs);
  }

  /** @internal for sessions */
  onSessionLeaving(session: Http2ClientSession): void {
    const index = this.sessions.indexOf(session);
    if (index >= 0) this.sessions.splice(index, 1);
    this.connectForWaiting();
  }

  /** @internal for sessions */
  onSessionGone(_session: Http2ClientSession): void {
    this.openCount--;
  }

  dispose(): void {
    this.disposed = true;
    const { sessions } = this;
    for (let index = sessions.length - 1; index >= 0; index--) {
      if (this.waiting.size === 0) sessions[index]!.leave();
    }
  }
}

class ConnectAttempt extends Deadline implements SessionDialListener, DialAttempt {
  readonly number: number;
  private readonly pool: Http2Pool;
  private readonly wheel: DeadlineWheel;
  private readonly dialing: Dial;

  constructor(
    pool: Http2Pool,
    number: number,
    target: DialTarget,
    settings: PoolSettings,
    limits: HeadLimits,
    wheel: DeadlineWheel,
  ) {
    super();
    this.number = number;
    this.pool = pool;
    this.wheel = wheel;
    wheel.set(this, settings.connectTimeoutMs);
    this.dialing = dialSession(target, limits, wheel, this);
  }

  onSessionDialed(session: Http2ClientSession): void {
    this.wheel.release(this);
    this.pool.onConnected(this, session);
  }

  onSessionDialFailed(cause: number): void {
    this.wheel.release(this);
    this.pool.onConnectFailed(this, cause);
  }

  onDeadline(): void {
    this.dialing.cancel();
    this.pool.onConnectFailed(this, UPSTREAM_CONNECT_TIMEOUT);
  }

  onSessionFree(session: Http2ClientSession): void {
    this.pool.onSessionFree(session);
  }

  onSessionLeaving(session: Http2ClientSession): void {
    this.pool.onSessionLeaving(session);
  }

  onSessionGone(session: Http2ClientSession): void {
    this.pool.onSessionGone(session);
  }
}
