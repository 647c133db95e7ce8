// HOT
import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import { eventNow } from "../base/event-clock.ts";
import { Random } from "../base/random.ts";
import { ShortWaits } from "../base/short-waits.ts";
import type { Log } from "../base/log/log.ts";
import { Fault, faults } from "../base/faults.ts";
import type { ClientEvents, ClientStream } from "../wire/exchange-streams.ts";
import { refusalFault } from "../wire/http1/refusal.ts";
import type { ExchangeSource } from "../wire/server-context.ts";
import { AccessEntry } from "./access-entry.ts";
import { wholeAnswer } from "./own-answer.ts";
import { Exchange } from "./exchange.ts";
import { Refreshes } from "./refreshes.ts";
import type { Snapshot } from "./snapshot.ts";

/** Exchanges kept for reuse; more than are ever in flight at once at a steady load. */
const SPARE_MAX = 4096;

/**
 * One worker's proxy: holds the current snapshot and the exchange objects. Implements what the wire
 * needs of it.
 */
export class ProxyRuntime implements ExchangeSource {
  readonly wheel: DeadlineWheel;
  readonly log: Log;
  /** Waits finer than the wheel's. */
  readonly waits: ShortWaits;
  /** Of jitter. */
  readonly random: Random;
  readonly accessEntry: AccessEntry;
  /** What new requests begin with; requests in flight keep theirs. */
  snapshot: Snapshot | null;
  /** Exchanges under way, tunnels included. */
  exchangeCount: number;
  readonly refreshes: Refreshes;
  private readonly spare: Exchange[];

  constructor(wheel: DeadlineWheel, log: Log, waits = new ShortWaits(), random = new Random()) {
    this.wheel = wheel;
    this.log = log;
    this.waits = waits;
    this.random = random;
    this.accessEntry = new AccessEntry();
    this.snapshot = null;
    this.exchangeCount = 0;
    this.refreshes = new Refreshes(this);
    this.spare = [];
  }

  /** Milliseconds of a clock that never goes back, the same within an event. */
  now(): number {
    return eventNow();
  }

  /** Makes a snapshot current: one assignment. The old one is let go once its last exchange is over. */
  swap(next: Snapshot): void {
    const previous = this.snapshot;
    this.snapshot = next;
    if (previous !== null) this.releaseIfUnused(previous);
  }

  acquire(): Exchange {
    return this.spare.pop() ?? new Exchange(this);
  }

  release(exchange: ClientEvents): void {
    if (this.spare.length < SPARE_MAX) this.spare.push(exchange as Exchange);
  }

  refuse(exchange: ClientEvents, stream: ClientStream, refusal: number): void {
    (exchange as Exchange).refuse(stream, refusalFault(refusal));
  }

  refuseConnection(): string {
    const fault = faults["too-many-connections"];
    this.snapshot?.faultCounter(fault.name).add(1);
    return wholeAnswer(fault);
  }

  /** @internal for Exchange */
  beginOn(snapshot: Snapshot): void {
    this.hold(snapshot);
    snapshot.inFlight.add(1);
  }

  /** @internal for Exchange */
  endOn(snapshot: Snapshot): void {
    snapshot.inFlight.add(-1);
    this.letGo(snapshot);
  }

  /** @internal for what goes on without a client's request: the snapshot's pools stay. */
  hold(snapshot: Snapshot): void {
    this.exchangeCount++;
    snapshot.exchangeCount++;
  }

  /** @internal */
  letGo(snapshot: Snapshot): void {
    this.exchangeCount--;
    snapshot.exchangeCount--;
    if (snapshot !== this.snapshot) this.releaseIfUnused(snapshot);
  }

  private releaseIfUnused(snapshot: Snapshot): void {
    if (snapshot.exchangeCount > 0 || snapshot.onUnused === null) return;
    const { onUnused } = snapshot;
    snapshot.onUnused = null;
    onUnused();
  }

  /**
   * A policy or the gateway itself failed: the client is told that much, the log the rest. A fault that was
   * thrown, such as a service's that a policy asked, is an answer like one that was returned.
   */
  reportError(error: unknown, routeName: string): Fault {
    if (error instanceof Fault) return error;
    this.log.error("a request failed inside the gateway", { error, route: routeName });
    return faults["internal-error"];
  }
}
