// HOT
import type { Random } from "../../base/random.ts";
import type { SharedClock } from "../../base/shared-clock.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";

/** What balancing may ask of a request. The exchange itself implements it: nothing is made per pick. */
export interface BalanceRequest {
  /** Address of the client, after trusted proxies were believed. */
  readonly clientAddress: string;
  /** Value of a header; `name` in lower case. */
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  /** Value of a path parameter of the route. */
  param(name: string): string | undefined;
}

/** Monotonic milliseconds to be read for free; up to 100 ms late is fine. `DeadlineWheel` is one. */
export interface BalanceClock {
  readonly nowMs: number;
}

/**
 * Chooses among the targets of one service in one snapshot. For each try the exchange calls `pick`,
 * then `started` and, however it ends, `ended` once; `unreachable` before `ended` when no connection
 * could be had.
 */
export interface Balancer {
  readonly targets: readonly Target[];
  /** A target not yet tried, or `undefined` when all were. */
  pick(request: BalanceRequest, tried: TriedSet): Target | undefined;
  started(target: Target): void;
  /**
   * @param latencyMs from sending the request to the head of the response, or to the failure.
   * @param failed the target is to blame: no connection, timeout, broken or 5xx answer. A client
   * that left is not a failure.
   */
  ended(target: Target, latencyMs: number, failed: boolean): void;
  /** A connect failed: the target is left alone for a while. */
  unreachable(target: Target): void;
  /** Value of the Set-Cookie header that the response needs, if any, when `target` has served it. */
  responseCookie(request: BalanceRequest, target: Target): string | undefined;
}

/** What a balancer gets besides its config and targets. */
export interface BalanceContext {
  readonly clock: BalanceClock;
  /** Of what the records of targets say. */
  readonly sharedClock: SharedClock;
  /** Seeded differently in each worker, so that workers do not choose in step. */
  readonly random: Random;
}

/** What all balancers have in common. */
export abstract class BaseBalancer implements Balancer {
  readonly targets: readonly Target[];
  protected readonly random: Random;
  protected readonly clock: BalanceClock;

  constructor(targets: readonly Target[], context: BalanceContext) {
    this.targets = targets;
    this.random = context.random;
    this.clock = context.clock;
  }

  abstract pick(request: BalanceRequest, tried: TriedSet): Target | undefined;

  started(target: Target): void {
    target.state.started();
  }

  ended(target: Target, _latencyMs: number, failed: boolean): void {
    target.state.ended(failed);
  }

  unreachable(target: Target): void {
    target.state.unreachable(this.clock.nowMs);
  }

  responseCookie(_request: BalanceRequest, _target: Target): string | undefined {
    return undefined;
  }

  /** Whether a target may get a new request without need. */
  protected isEligible(target: Target): boolean {
    const { state } = target;
    if (target.draining || target.weight <= 0 || !state.available) return false;
    return state.coolUntilMs === 0 || state.coolUntilMs <= this.clock.nowMs;
  }

  /**
   * Any target not yet tried, for when none is eligible: it is better to ask one that is said to be
   * down than to fail the request for sure. Draining ones come last of all.
   */
  protected pickAny(tried: TriedSet): Target | undefined {
    const { targets } = this;
    const count = targets.length;
    if (count === 0) return undefined;
    let at = this.random.below(count);
    let last: Target | undefined;
    for (let i = 0; i < count; i++) {
      const target = targets[at]!;
      at = at + 1 === count ? 0 : at + 1;
      if (tried.has(target)) continue;
      if (!target.draining && target.weight > 0) return target;
      last = target;
    }
    return last;
  }
}
