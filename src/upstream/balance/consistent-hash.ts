// HOT
/**
 * hash: requests with the same key go to the same target, by consistent hashing with bounded loads
 * (Mirrokni, Thorup, Zadimoghaddam 2016). No target has more requests in flight than
 * ceil(`boundedLoad` x its share of all requests in flight, this one included); past that the next
 * target on the ring serves, the same one for the same key as long as it has room. So a hot key
 * spreads instead of drowning one target. Requests without the key are spread at random.
 *
 * The bound counts requests in flight of all workers; workers that choose at the same instant may
 * exceed it by one each. A pick looks at each target twice, about 6 ns each time, unless the first
 * choice is idle.
 */
import { hashString } from "../../base/hash.ts";
import type { HashConfig } from "./balance-config.ts";
import { BaseBalancer } from "./balancer.ts";
import type { BalanceContext, BalanceRequest } from "./balancer.ts";
import { HashRing } from "./hash-ring.ts";
import { RandomChoice } from "./random-choice.ts";
import type { Rotation } from "./rotation.ts";
import type { Target } from "./target.ts";
import type { TriedSet } from "./tried-set.ts";

/** Fixed, so that every gateway sends a key to the same target. */
const KEY_SEED = 0x67617465;
/** Unrelated to the place on the ring. */
const DRAW_SEED = 0x77617264;

const FROM_HEADER = 0;
const FROM_COOKIE = 1;
const FROM_PARAM = 2;
const FROM_CLIENT = 3;

export class ConsistentHash extends BaseBalancer {
  private readonly ring: HashRing;
  private readonly keyless: RandomChoice;
  private readonly from: number;
  private readonly name: string;
  private readonly boundedLoad: number;
  /** Results of `sumUp`. */
  private inFlight: number;
  private weight: number;

  constructor(
    targets: readonly Target[],
    context: BalanceContext,
    config: HashConfig,
    rotation?: Rotation,
  ) {
    super(targets, context, rotation);
    this.ring = new HashRing(targets);
    this.keyless = new RandomChoice(targets, context, this.rotation);
    this.from = codeOf(config.by.from);
    this.name = config.by.name;
    this.boundedLoad = config.boundedLoad;
    this.inFlight = 0;
    this.weight = 0;
  }

  /** Keys stay together when failover groups share the load, and move one by one to a target that comes back. */
  override drawFor(request: BalanceRequest): number {
    const key = this.keyOf(request);
    return key === undefined || key === "" ? this.random.next() : hashString(key, DRAW_SEED);
  }

  protected select(request: BalanceRequest, tried: TriedSet): Target | undefined {
    const key = this.keyOf(request);
    if (key === undefined || key === "") return this.keyless.pickUsable(request, tried);
    const { ring, targets } = this;
    if (ring.size === 0) return undefined;
    let point = ring.pointOf(hashString(key, KEY_SEED));
    const first = targets[ring.owner(point)]!;
    if (this.isEligible(first) && first.inFlight() === 0 && !tried.has(first)) return first;
    this.sumUp();
    if (this.weight === 0) return undefined;
    // What each unit of weight may have in flight, with this request.
    const loadPerWeight = (this.boundedLoad * (this.inFlight + 1)) / this.weight;
    // Walking all round for nobody would take as long as there are points: up to milliseconds.
    let candidate: Target | undefined;
    let hasRoom = false;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (!this.isEligible(target) || tried.has(target)) continue;
      candidate = target;
      if (target.inFlight() < Math.ceil(loadPerWeight * target.weight)) hasRoom = true;
    }
    if (candidate === undefined) return undefined;
    for (let steps = ring.size; steps > 0; steps--) {
      const target = targets[ring.owner(point)]!;
      point = ring.next(point);
      if (tried.has(target) || !this.isEligible(target)) continue;
      // Where those with room have been tried: of the rest the one the key would go to.
      if (!hasRoom || target.inFlight() < Math.ceil(loadPerWeight * target.weight)) return target;
    }
    // Another worker has taken what room there was.
    return candidate;
  }

  /** Adds up the targets that are eligible. */
  private sumUp(): void {
    const { targets } = this;
    let inFlight = 0;
    let weight = 0;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (!this.isEligible(target)) continue;
      inFlight += target.inFlight();
      weight += target.weight;
    }
    this.inFlight = inFlight;
    this.weight = weight;
  }

  private keyOf(request: BalanceRequest): string | undefined {
    switch (this.from) {
      case FROM_HEADER:
        return request.header(this.name);
      case FROM_COOKIE:
        return request.cookie(this.name);
      case FROM_PARAM:
        return request.param(this.name);
      default:
        return request.clientAddress;
    }
  }
}

function codeOf(from: HashConfig["by"]["from"]): number {
  if (from === "header") return FROM_HEADER;
  if (from === "cookie") return FROM_COOKIE;
  return from === "param" ? FROM_PARAM : FROM_CLIENT;
}
