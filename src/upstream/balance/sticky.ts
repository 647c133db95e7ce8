// HOT
/**
 * sticky: a cookie names the target that served a client first, and it serves that client from then
 * on, also while it drains. A client without the cookie, or whose target is gone, down or already
 * tried, is given one by the fallback, and a new cookie.
 *
 * The value is a keyed hash (HMAC-SHA-256, 96 bits) of the service's name and the target's address, so
 * that it is the same in all workers, on all machines and after a restart, and the same for a target
 * whatever others come and go. With a `secret` it tells nothing of addresses, and one that was made up
 * fits no target. Without one the key is public: who guesses an address can see that the guess is right,
 * and choose that target. Choosing alone harms nobody, since every client can drop its cookie until it is
 * given the target it wants; but it also reaches targets that drain.
 *
 * Values and whole Set-Cookie lines are made when the snapshot is.
 */
import { createHmac } from "node:crypto";
import { cookieAttributes } from "../../base/cookie-attributes.ts";
import type { StickyConfig } from "./balance-config.ts";
import type { Balancer, BalanceRequest } from "./balancer.ts";
import type { Rotation } from "./rotation.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";

/** In place of a secret. Never to change: all cookies would be void. */
const PUBLIC_KEY = "gateward sticky cookie";

export class Sticky implements Balancer {
  readonly targets: readonly Target[];
  private readonly fallback: Balancer;
  private readonly rotation: Rotation;
  private readonly cookie: string;
  /** Targets by the value of their cookie. */
  private readonly bound: Map<string, Target>;
  /** Value of the cookie of each target, by its index. */
  private readonly values: string[];
  /** Set-Cookie of each target, by its index. */
  private readonly lines: string[];

  /** @throws when the cookie's options contradict each other. */
  constructor(fallback: Balancer, rotation: Rotation, config: StickyConfig) {
    this.targets = fallback.targets;
    this.fallback = fallback;
    this.rotation = rotation;
    this.cookie = config.cookie;
    this.bound = new Map();
    this.values = [];
    this.lines = [];
    const attributes = cookieAttributes(config);
    const key = config.secret === "" ? PUBLIC_KEY : config.secret;
    for (let i = 0; i < this.targets.length; i++) {
      const target = this.targets[i]!;
      const value = cookieValue(target, key);
      this.bound.set(value, target);
      this.values.push(value);
      this.lines.push(`${config.cookie}=${value}${attributes}`);
    }
  }

  pick(request: BalanceRequest, tried: TriedSet): Target | undefined {
    const value = request.cookie(this.cookie);
    if (value !== undefined) {
      const target = this.bound.get(value);
      this.rotation.refresh();
      // Draining, priority and slow start do not matter to those who are bound.
      if (target !== undefined && this.rotation.isUsable(target) && !tried.has(target)) {
        return target;
      }
    }
    return this.fallback.pick(request, tried);
  }

  started(target: Target): void {
    this.fallback.started(target);
  }

  ended(target: Target, latencyMs: number, failed: boolean): void {
    this.fallback.ended(target, latencyMs, failed);
  }

  left(target: Target, waitedMs: number): void {
    this.fallback.left(target, waitedMs);
  }

  unreachable(target: Target): void {
    this.fallback.unreachable(target);
  }

  responseCookie(request: BalanceRequest, target: Target): string | undefined {
    const isBound = request.cookie(this.cookie) === this.values[target.index];
    return isBound ? undefined : this.lines[target.index];
  }
}

function cookieValue(target: Target, key: string): string {
  const hmac = createHmac("sha256", key).update(`${target.service} ${target.key}`);
  return hmac.digest("base64url").slice(0, 16);
}
