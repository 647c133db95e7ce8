// HOT
/**
 * Which targets of a service may get requests at all, and how much those that have just come back: what all
 * ways of balancing have in common. One for each service and snapshot.
 *
 * What concerns one target is read from its record with each pick, so that an ejection holds at once. What
 * depends on all of them (panic, loads of failover groups, slow start) is worked out when the clock has moved
 * since the last pick: at most once per tick of the wheel, 2 ns for each target.
 */
import { mixBits } from "../../base/hash.ts";
import { ticksOf } from "../../base/shared-clock.ts";
import type { SharedClock } from "../../base/shared-clock.ts";
import { EJECTED_UNTIL, HEALTH, HEALTH_DOWN, RETURNED_AT } from "../target-record.ts";
import type { BalanceClock } from "./balancer.ts";
import { groupTargets } from "./failover-groups.ts";
import type { RotationRules } from "./rotation-rules.ts";
import { spreadLoad } from "./spread-load.ts";
import type { Target } from "./target.ts";

const ALL_DRAWS = 2 ** 32;

export interface RotationContext {
  readonly clock: BalanceClock;
  readonly sharedClock: SharedClock;
}

export class Rotation {
  /** Targets by their failover group, the first to be asked first; one group almost always. */
  readonly groups: readonly (readonly Target[])[];
  /** Some have just come back, and are to get less than their share. */
  isStarting: boolean;
  private readonly targets: readonly Target[];
  private readonly clock: BalanceClock;
  private readonly sharedClock: SharedClock;
  private readonly rules: RotationRules;
  private readonly windowTicks: number;
  /** Of each target, by index. */
  private readonly groupOf: Int32Array;
  /** Out of 2^32 draws, how many each target takes part in; by index. */
  private readonly draws: Float64Array;
  /** How many of them where a target has its whole share, from 0 to 1; by index. */
  private readonly parts: Float64Array;
  /** By group, see `spreadLoad`. */
  private readonly usable: Int32Array;
  private readonly total: Int32Array;
  private readonly loads: Float64Array;
  private readonly panics: Uint8Array;
  /** The wheel's time and the shared clock's as of the last look. */
  private readAtMs: number;
  private tick: number;

  /**
   * @param targets of the whole service, numbered in order.
   * @param idlestWins the balancer prefers whoever has nothing in flight, so who has just come back would win
   * each draw that it takes part in: it takes part in no more than its share of them.
   */
  // cold: once per snapshot
  constructor(
    targets: readonly Target[],
    context: RotationContext,
    rules: RotationRules,
    idlestWins = false,
  ) {
    this.targets = targets;
    this.clock = context.clock;
    this.sharedClock = context.sharedClock;
    this.rules = rules;
    this.windowTicks = rules.slowStart === null ? 0 : ticksOf(rules.slowStart.windowMs);
    this.isStarting = false;
    this.groups = groupTargets(targets, rules.zone);
    this.groupOf = new Int32Array(targets.length);
    this.draws = new Float64Array(targets.length).fill(ALL_DRAWS);
    this.parts = new Float64Array(targets.length).fill(1);
    for (const [group, members] of this.groups.entries()) {
      const whole = members.reduce((sum, { weight }) => sum + weight, 0);
      for (const { index, weight } of members) {
        this.groupOf[index] = group;
        if (idlestWins) this.parts[index] = weight / whole;
      }
    }
    this.usable = new Int32Array(this.groups.length);
    this.total = new Int32Array(this.groups.length);
    this.loads = new Float64Array(this.groups.length);
    this.panics = new Uint8Array(this.groups.length);
    this.readAtMs = -1;
    this.tick = 0;
  }

  /** To be called before each pick. */
  refresh(): void {
    // An integer, which can be kept without allocating.
    const nowMs = this.clock.nowMs | 0;
    if (nowMs === this.readAtMs) return;
    this.readAtMs = nowMs;
    this.tick = this.sharedClock.tick;
    const { targets, usable, total, groupOf } = this;
    usable.fill(0);
    total.fill(0);
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index]!;
      if (target.draining || target.weight <= 0) continue;
      const group = groupOf[index]!;
      total[group]! += 1;
      if (this.isWell(target)) usable[group]! += 1;
    }
    spreadLoad(usable, total, this.rules.panicShare, this.loads, this.panics);
    if (this.windowTicks > 0) this.startSlowly();
  }

  /** Whether a target may be asked: also one that is draining, or has no weight. */
  isUsable(target: Target): boolean {
    const { state } = target;
    if (state.coolUntilMs !== 0 && state.coolUntilMs > this.clock.nowMs) return false;
    if (target.refuses()) return false;
    return this.isWell(target) || this.panics[this.groupOf[target.index]!] === 1;
  }

  /**
   * Whether a target that has just come back takes part in a draw; the others always do.
   * @param draw 32 bits, the same for all targets that are compared.
   */
  takesPart(target: Target, draw: number): boolean {
    const { index } = target;
    const draws = this.draws[index]!;
    if (draws === ALL_DRAWS) return true;
    return mixBits((draw ^ Math.imul(index + 1, 0x9e3779b9)) | 0) >>> 0 < draws;
  }

  isComingBack(target: Target): boolean {
    return this.draws[target.index]! !== ALL_DRAWS;
  }

  /** The failover group that a draw of 32 bits falls to. */
  groupAt(draw: number): number {
    const { loads } = this;
    let group = 0;
    while (draw >>> 0 >= loads[group]!) group += 1;
    return group;
  }

  /** Group of a target. */
  groupIndex(target: Target): number {
    return this.groupOf[target.index]!;
  }

  private isWell({ state: { record } }: Target): boolean {
    return record[HEALTH] !== HEALTH_DOWN && record[EJECTED_UNTIL]! <= this.tick;
  }

  /** Envoy's formula: max(least, time factor ^ (1 / aggression)). */
  private startSlowly(): void {
    const { aggression, least } = this.rules.slowStart!;
    const { targets, windowTicks, tick } = this;
    this.isStarting = false;
    for (let index = 0; index < targets.length; index++) {
      const { record } = targets[index]!.state;
      const returnedAt = record[RETURNED_AT]!;
      const ejectedUntil = record[EJECTED_UNTIL]!;
      // Nobody needs to write down that an ejection is over.
      const since = ejectedUntil > returnedAt && ejectedUntil <= tick ? ejectedUntil : returnedAt;
      if (since === 0 || tick - since >= windowTicks) {
        this.draws[index] = ALL_DRAWS;
        continue;
      }
      const grown = ((tick - since) / windowTicks) ** (1 / aggression);
      this.draws[index] = (grown > least ? grown : least) * this.parts[index]! * ALL_DRAWS;
      this.isStarting = true;
    }
  }
}
