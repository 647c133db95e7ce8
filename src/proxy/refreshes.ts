import type { Refresh } from "../policy/refresh.ts";
import type { Exchange } from "./exchange.ts";
import type { ProxyRuntime } from "./proxy-runtime.ts";
import { RefreshExchange } from "./refresh-exchange.ts";
import type { CompiledHooks } from "./snapshot.ts";

/** Under way at once in one worker. Each has a copy of its client's request, and at most one connection. */
const REFRESHES_MAX = 128;
/** Objects kept for reuse. */
const SPARE_MAX = 16;

/** What a policy has asked for with its answer, and where among the hooks it stands. */
export interface PendingRefresh {
  readonly refresh: Refresh;
  readonly hooks: CompiledHooks;
  readonly index: number;
}

/** Exchanges of one worker that no client waits for. */
export class Refreshes {
  private readonly runtime: ProxyRuntime;
  private readonly spare: RefreshExchange[];
  private count: number;

  constructor(runtime: ProxyRuntime) {
    this.runtime = runtime;
    this.spare = [];
    this.count = 0;
  }

  get hasRoom(): boolean {
    return this.count < REFRESHES_MAX;
  }

  /** Within the answer to `cause`, which goes on at once: what has to be asked is asked after that. */
  begin(cause: Exchange, pending: PendingRefresh): void {
    if (!this.hasRoom) return;
    let begun: boolean | Promise<boolean>;
    try {
      begun = pending.refresh.begin();
    } catch (error) {
      this.runtime.reportError(error, cause.routeName);
      return;
    }
    if (begun === false) return;
    this.count++;
    const exchange = this.spare.pop() ?? new RefreshExchange(this.runtime, this);
    exchange.take(cause, pending);
    if (begun === true) process.nextTick(go, exchange);
    else
      begun.then(
        (isBegun) => (isBegun ? exchange.go() : exchange.drop()),
        (error: unknown) => {
          this.runtime.reportError(error, exchange.routeName);
          exchange.drop();
        },
      );
  }

  /** @internal for RefreshExchange */
  takeBack(exchange: RefreshExchange, isReusable: boolean): void {
    this.count--;
    if (isReusable && this.spare.length < SPARE_MAX) this.spare.push(exchange);
  }
}

function go(exchange: RefreshExchange): void {
  exchange.go();
}
