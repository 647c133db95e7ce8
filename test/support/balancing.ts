/** balancing: targets, requests and clocks for tests of balancers, without sockets. */
import { Random } from "../../src/base/random.ts";
import { TICK_MS } from "../../src/base/shared-clock.ts";
import type {
  BalanceContext,
  BalanceRequest,
  Balancer,
} from "../../src/upstream/balance/balancer.ts";
import type { StickyConfig } from "../../src/upstream/balance/balance-config.ts";
import { TargetRegistry } from "../../src/upstream/balance/target-registry.ts";
import type { Target, TargetSettings } from "../../src/upstream/balance/target.ts";
import { EJECTED_UNTIL, HEALTH, HEALTH_DOWN, HEALTH_UP } from "../../src/upstream/target-record.ts";
import { TriedSet } from "../../src/upstream/balance/tried-set.ts";

/** Settings of a target at `10.x.y.z:80`, by its number. */
export function targetSettings(
  number: number,
  settings: Partial<TargetSettings> = {},
): TargetSettings {
  const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  return {
    service: "users",
    url: `http://${address}:80`,
    scheme: "http",
    host: address,
    address,
    port: 80,
    socketPath: "",
    weight: 1,
    draining: false,
    priority: 0,
    zone: "",
    ...settings,
  };
}

/** One target for each weight. */
export function weightedTargets(weights: readonly number[]): Target[] {
  return new TargetRegistry().acquire(
    weights.map((weight, number) => targetSettings(number, { weight })),
  );
}

/** Equal targets. */
export function equalTargets(count: number): Target[] {
  return weightedTargets(Array.from({ length: count }, () => 1));
}

/** What an active check finds. */
export function setHealth(target: Target, isUp: boolean): void {
  target.state.record[HEALTH] = isUp ? HEALTH_UP : HEALTH_DOWN;
}

/** As an outlier, or back from that, at that tick. */
export function setEjectedUntil(target: Target, tick: number): void {
  target.state.record[EJECTED_UNTIL] = tick;
}

/** A clock that stands still until it is set. */
export interface FakeClock {
  nowMs: number;
}

export function balanceContext(seed: number): BalanceContext & { clock: FakeClock } {
  const clock = { nowMs: 0 };
  const sharedClock = {
    get tick() {
      return (clock.nowMs / TICK_MS) | 0;
    },
  };
  return { clock, sharedClock, random: new Random(seed) };
}

/** As the schema fills it in. */
export function stickyConfig(changes: Partial<StickyConfig> = {}): StickyConfig {
  return {
    name: "sticky",
    cookie: "gw-sticky",
    ttlMs: 0,
    path: "/",
    secure: false,
    httpOnly: true,
    sameSite: "lax",
    secret: "",
    fallback: { name: "round-robin" },
    ...changes,
  };
}

/** A request with the same value under every name, or none. */
export class FakeRequest implements BalanceRequest {
  value: string | undefined;
  cookies: Record<string, string>;

  constructor(value?: string) {
    this.value = value;
    this.cookies = {};
  }

  get clientAddress(): string {
    return this.value ?? "";
  }

  header(name: string): string | undefined {
    return this.value === undefined ? undefined : `${name}=${this.value}`;
  }

  cookie(name: string): string | undefined {
    return this.cookies[name];
  }

  param(name: string): string | undefined {
    return this.value === undefined ? undefined : `${name}/${this.value}`;
  }
}

export const noTargets: TriedSet = new TriedSet();

/** How often each target is picked, by index, when every request ends before the next begins. */
export function countPicks(
  balancer: Balancer,
  picks: number,
  request = new FakeRequest(),
): number[] {
  const counts = balancer.targets.map(() => 0);
  for (let i = 0; i < picks; i++) {
    const target = balancer.pick(request, noTargets)!;
    counts[target.index]! += 1;
    balancer.started(target);
    balancer.ended(target, 1, false);
  }
  return counts;
}

/** How far counts are from the expected shares: about the number of targets when only chance is at work. */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  let sum = 0;
  for (const [index, count] of counts.entries()) {
    const expected = (total * shares[index]!) / whole;
    if (expected > 0) sum += (count - expected) ** 2 / expected;
  }
  return sum;
}
