// HOT
/**
 * Consistent hashing (Karger 1997): each target owns many points of a ring of 2^32 places, and a key
 * belongs to the first point from its own place on. When a target goes, only its own keys move; when
 * one comes, it takes only its share. Points depend on the target's key alone, so that all workers,
 * and all gateways with the same targets, agree.
 *
 * 160 points for each unit of weight, as ketama has, give shares with a deviation of 8 %. Finding a
 * point costs one table look and about one compare.
 */
import { hashString } from "../../base/hash.ts";
import type { Target } from "./target.ts";

const POINTS_PER_WEIGHT = 160;
/** Weights up to this are used as they are, so that one target's weight moves no other's keys. */
const WEIGHT_MAX = 16;
/** Points of all targets together; above it each gets fewer. 2^18 of them take 2 MiB and 60 ms. */
const POINTS_MAX = 2 ** 18;
/** Room for the index of a target beside its hash in one exact number. */
const OWNERS_MAX = 2 ** 20;

export class HashRing {
  /** Number of points. */
  readonly size: number;
  /** Places, unsigned and ascending. */
  private readonly places: Uint32Array;
  /** Index of the target that owns each point. */
  private readonly owners: Int32Array;
  /** The ring in equal parts: first point at or after the start of each. */
  private readonly starts: Int32Array;
  private readonly shift: number;

  constructor(targets: readonly Target[]) {
    const points = pointsOf(targets);
    this.size = points.length;
    this.places = new Uint32Array(points.length);
    this.owners = new Int32Array(points.length);
    for (let i = 0; i < points.length; i++) {
      const point = points[i]!;
      this.places[i] = Math.floor(point / OWNERS_MAX);
      this.owners[i] = point % OWNERS_MAX;
    }
    const bits = Math.min(20, Math.max(1, Math.ceil(Math.log2(points.length + 1))));
    this.shift = 32 - bits;
    this.starts = new Int32Array(2 ** bits);
    for (let part = 0, at = 0; part < this.starts.length; part++) {
      while (at < points.length && this.places[at]! >>> this.shift < part) at++;
      this.starts[part] = at;
    }
  }

  /** The point a key belongs to; the ring must not be empty. */
  pointOf(hash: number): number {
    const place = hash >>> 0;
    const { places, size } = this;
    let at = this.starts[place >>> this.shift]!;
    while (at < size && places[at]! < place) at++;
    return at === size ? 0 : at;
  }

  /** Index of the target that owns a point. */
  owner(point: number): number {
    return this.owners[point]!;
  }

  /** The point after another, around the ring. */
  next(point: number): number {
    return point + 1 === this.size ? 0 : point + 1;
  }
}

/** All points in order, each as place x 2^20 + index of its target: numbers sort fastest. */
function pointsOf(targets: readonly Target[]): Float64Array {
  const counts = pointCounts(targets);
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  const points = new Float64Array(total);
  let at = 0;
  for (let i = 0; i < targets.length; i++) {
    for (let seed = 0; seed < counts[i]!; seed++) {
      points[at++] = (hashString(targets[i]!.key, seed) >>> 0) * OWNERS_MAX + i;
    }
  }
  return points.sort();
}

function pointCounts(targets: readonly Target[]): number[] {
  let weightMax = 0;
  let divisor = 0;
  for (let i = 0; i < targets.length; i++) {
    const { weight } = targets[i]!;
    if (weight > weightMax) weightMax = weight;
    divisor = Number.isInteger(weight) ? greatestDivisor(weight, divisor) : 1;
  }
  const largest = weightMax / divisor;
  const scale = largest > WEIGHT_MAX ? WEIGHT_MAX / weightMax : 1 / divisor;
  let total = 0;
  for (let i = 0; i < targets.length; i++) total += targets[i]!.weight * scale;
  const each = Math.min(POINTS_PER_WEIGHT, POINTS_MAX / total);
  const counts: number[] = [];
  for (let i = 0; i < targets.length; i++) {
    const { weight } = targets[i]!;
    counts.push(weight > 0 ? Math.max(1, Math.round(weight * scale * each)) : 0);
  }
  return counts;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
