import { Deadline } from "../base/deadline-wheel.ts";
import { faults } from "../base/faults.ts";
import type { Fault } from "../base/faults.ts";
import type { Refresh } from "../policy/refresh.ts";
import { NobodyStream } from "./nobody-stream.ts";
import { Exchange } from "./exchange.ts";
import { NO_HOOKS } from "./no-hooks.ts";
import type { ProxyRuntime } from "./proxy-runtime.ts";
import type { PendingRefresh } from "./refreshes.ts";
import type { CompiledHooks, Snapshot } from "./snapshot.ts";

/** For all of it, policies included, whatever the service's own deadlines are. */
const REFRESH_MS_MAX = 30_000;

/** Where exchanges that are over go. */
interface RefreshOwner {
  takeBack(exchange: RefreshExchange, isReusable: boolean): void;
}

class RefreshDeadline extends Deadline {
  private readonly exchange: RefreshExchange;

  constructor(exchange: RefreshExchange) {
    super();
    this.exchange = exchange;
  }

  onDeadline(): void {
    this.exchange.expire();
  }
}

/**
 * A client's request once more, after the client has been answered: through the policies behind the one that
 * has answered, to the service, and back to that one. It has no line in the access log and is none of the route's
 * requests; what it asks of the service counts there like any other.
 */
export class RefreshExchange extends Exchange {
  private readonly owner: RefreshOwner;
  private readonly limit: RefreshDeadline;
  private refresh: Refresh | null;

  constructor(runtime: ProxyRuntime, owner: RefreshOwner) {
    super(runtime);
    this.owner = owner;
    this.limit = new RefreshDeadline(this);
    this.refresh = null;
  }

  /** Copies what it needs of `cause`, which may be another request soon. */
  take(cause: Exchange, { refresh, hooks, index }: PendingRefresh): void {
    const snapshot = cause.snapshot!;
    this.runtime.hold(snapshot);
    this.begin(new NobodyStream(cause.stream!), false, snapshot);
    this.copyRequest(cause);
    this.route = { ...cause.route!, hooks: hooksBehind(hooks, index) };
    // Where the policy stands behind a choice, that is not made again.
    this.destination = cause.destination;
    // The caller's own have let `cause` pass, and are not asked again.
    this.callerHooks = NO_HOOKS;
    this.refresh = refresh;
    this.runtime.wheel.set(this.limit, REFRESH_MS_MAX);
  }

  go(): void {
    try {
      this.refresh!.prepare(this);
    } catch (error) {
      this.fail(this.runtime.reportError(error, this.routeName));
      return;
    }
    this.runRequestHooks(this.route!.hooks, 0);
  }

  /** There is nothing to be asked, as has turned out. */
  drop(): void {
    this.route = null;
    this.finish();
  }

  /** @internal */
  expire(): void {
    this.fail(faults["total-timeout"]);
  }

  /** No client is told, so it is no fault of any request. */
  protected override noteFault(fault: Fault): void {
    this.fault = fault;
  }

  protected override record(): void {
    const { destination, destinationHooks, route } = this;
    if (destination !== null) this.countBytes(destination.service);
    if (destinationHooks !== null) this.runEndHooks(destinationHooks);
    if (route !== null) this.runEndHooks(route.hooks);
  }

  /** What is wanted is the service's own answer; the client has another. */
  protected override fallbackOf(): null {
    return null;
  }

  /** Nobody would come back with it. */
  protected override addSessionCookie(): void {}

  protected override giveBack(snapshot: Snapshot): void {
    this.runtime.wheel.clear(this.limit);
    this.refresh = null;
    this.runtime.letGo(snapshot);
    this.owner.takeBack(this, this.waitCount === 0);
  }
}

/** Those that a request meets after the one at `index`; on the way back that one too. */
function hooksBehind(hooks: CompiledHooks, index: number): CompiledHooks {
  const { onRequest, outward, outwardEnd, onResponse, onEnd } = hooks;
  return {
    onPreflight: [],
    standbys: [],
    onRequest: onRequest.slice(index + 1),
    outward: outward.slice(index + 1),
    outwardEnd: outwardEnd.slice(index + 1),
    onResponse: onResponse.slice(0, outward[index]),
    onEnd: onEnd.slice(0, outwardEnd[index]),
  };
}
