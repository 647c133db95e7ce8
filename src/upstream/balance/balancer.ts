// HOT
import type { Random } from "../../base/random.ts";
import type { SharedClock } from "../../base/shared-clock.ts";
import { pickAny } from "./pick-any.ts";
import { plainRules } from "./rotation-rules.ts";
import { Rotation } from "./rotation.ts";
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
 * then `started` and, however it ends, `ended` or `left` once; `unreachable` before `ended` when no
 * connection could be had.
 */
export interface Balancer {
  readonly targets: readonly Target[];
  /** A target not yet tried, or `undefined` when all were. */
  pick(request: BalanceRequest, tried: TriedSet): Target | undefined;
  started(target: Target): void;
  /**
   * @param latencyMs from sending the request to the head of the response, or to the failure.
   * @param failed the target is to blame: no connection, timeout, broken or 5xx answer
   */
  ended(target: Target, latencyMs: number, failed: boolean): void;
  /**
   * The try was over before anything could be said of the target: its client left, or no connection came free.
   *
   * @param waitedMs for its answer, so far; 0 where it was not asked
   */
  left(target: Target, waitedMs: number): void;
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
  protected readonly rotation: Rotation;
  /** 32 bits that decide, for one pick, which targets take part that have just come back. */
  protected draw: number;
  private asksAll: boolean;

  /**
   * @param targets those that are chosen among: of one failover group.
   * @param rotation of the whole service; made for `targets` alone where there is none.
   */
  constructor(
    targets: readonly Target[],
    context: BalanceContext,
    rotation: Rotation = new Rotation(targets, context, plainRules),
  ) {
    this.targets = targets;
    this.random = context.random;
    this.clock = context.clock;
    this.rotation = rotation;
    this.draw = 0;
    this.asksAll = true;
  }

  pick(request: BalanceRequest, tried: TriedSet): Target | undefined {
    return this.pickUsable(request, tried) ?? pickAny(this.targets, tried, this.random);
  }

  /** A usable target not yet tried, or `undefined` when there is none. */
  pickUsable(request: BalanceRequest, tried: TriedSet): Target | undefined {
    const { rotation } = this;
    rotation.refresh();
    if (!rotation.isStarting) return this.select(request, tried);
    this.draw = this.drawFor(request);
    this.asksAll = false;
    const target = this.select(request, tried);
    this.asksAll = true;
    // Those that hold back serve where nobody else can.
    return target ?? this.select(request, tried);
  }

  /** Of those that are eligible and not yet tried, by the balancer's own rule. */
  protected abstract select(request: BalanceRequest, tried: TriedSet): Target | undefined;

  /** 32 bits: of equal requests the same where the balancer keeps them together, else chance. */
  drawFor(_request: BalanceRequest): number {
    return this.random.next();
  }

  started(target: Target): void {
    target.state.started();
  }

  ended(target: Target, _latencyMs: number, failed: boolean): void {
    target.state.ended(failed);
  }

  left(target: Target, _waitedMs: number): void {
    target.state.left();
  }

  unreachable(target: Target): void {
    target.state.unreachable(this.clock.nowMs);
  }

  responseCookie(_request: BalanceRequest, _target: Target): string | undefined {
    return undefined;
  }

  /** Whether a target may get a new request without need. */
  protected isEligible(target: Target): boolean {
    if (target.draining || target.weight <= 0 || !this.rotation.isUsable(target)) return false;
    return this.asksAll || this.rotation.takesPart(target, this.draw);
  }

  /** Whether a target is in this draw as one that has just come back. */
  protected isComingBack(target: Target): boolean {
    return !this.asksAll && this.rotation.isComingBack(target);
  }
}
