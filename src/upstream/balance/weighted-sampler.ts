// HOT
/**
 * Chooses an index with a chance in proportion to its weight, in constant time (alias method, Walker
 * 1977 as built by Vose 1991): one of n columns, each split between an index and its alias.
 */
import type { Random } from "../../base/random.ts";

export class WeightedSampler {
  private readonly count: number;
  /** Of 2^32 draws, how many of a column give its own index; `undefined` when all weights are equal. */
  private readonly keep: Float64Array | undefined;
  private readonly alias: Int32Array;

  /** @param weights not negative; indices of weight 0 are never chosen, unless all are 0. */
  constructor(weights: readonly number[]) {
    this.count = weights.length;
    this.keep = isUniform(weights) ? undefined : new Float64Array(weights.length);
    this.alias = new Int32Array(weights.length);
    if (this.keep !== undefined) this.build(weights, this.keep);
  }

  /** An index; there must be one. */
  sample(random: Random): number {
    const column = random.below(this.count);
    const { keep } = this;
    if (keep === undefined || random.next() >>> 0 < keep[column]!) return column;
    return this.alias[column]!;
  }

  private build(weights: readonly number[], keep: Float64Array): void {
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i]!;
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < weights.length; i++) {
      keep[i] = (weights[i]! * weights.length) / total;
      this.alias[i] = i;
      if (keep[i]! < 1) small.push(i);
      else large.push(i);
    }
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop()!;
      const rich = large[large.length - 1]!;
      this.alias[poor] = rich;
      keep[rich]! -= 1 - keep[poor]!;
      if (keep[rich]! < 1) small.push(large.pop()!);
    }
    // What is left is 1 but for rounding.
    for (let i = 0; i < small.length; i++) keep[small[i]!] = 1;
    for (let i = 0; i < large.length; i++) keep[large[i]!] = 1;
    for (let i = 0; i < keep.length; i++) keep[i]! *= 2 ** 32;
  }
}

function isUniform(weights: readonly number[]): boolean {
  for (let i = 1; i < weights.length; i++) if (weights[i] !== weights[0]) return false;
  return true;
}
