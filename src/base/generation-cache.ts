/**
 * A bounded cache in two generations: what is found in the older one moves to the younger, and when the
 * younger is full the older is dropped whole. Nearly as good as least-recently-used, and a find costs one
 * look-up and no bookkeeping.
 */
export class GenerationCache<Value> {
  private readonly countMax: number;
  private readonly weightMax: number;
  private young = new Map<string, Entry<Value>>();
  private old = new Map<string, Entry<Value>>();
  private youngWeight = 0;
  private oldWeight = 0;

  /**
   * @param countMax entries kept at most; 0 keeps none.
   * @param weightMax sum of the weights kept at most, in whatever unit `set` is told.
   */
  constructor(countMax: number, weightMax: number) {
    // Each generation may hold half.
    this.countMax = countMax >> 1;
    this.weightMax = weightMax / 2;
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get weight(): number {
    return this.youngWeight + this.oldWeight;
  }

  get(key: string): Value | undefined {
    const entry = this.young.get(key);
    return entry === undefined ? this.promote(key) : entry.value;
  }

  /** What is heavier than a generation may be is not kept. */
  set(key: string, value: Value, weight: number): void {
    this.delete(key);
    if (weight > this.weightMax || this.countMax === 0) return;
    if (this.young.size >= this.countMax || this.youngWeight + weight > this.weightMax) {
      this.old = this.young;
      this.oldWeight = this.youngWeight;
      this.young = new Map();
      this.youngWeight = 0;
    }
    this.young.set(key, { value, weight });
    this.youngWeight += weight;
  }

  delete(key: string): void {
    const young = this.young.get(key);
    if (young !== undefined) {
      this.young.delete(key);
      this.youngWeight -= young.weight;
    }
    const old = this.old.get(key);
    if (old === undefined) return;
    this.old.delete(key);
    this.oldWeight -= old.weight;
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
    this.youngWeight = 0;
    this.oldWeight = 0;
  }

  private promote(key: string): Value | undefined {
    const entry = this.old.get(key);
    if (entry === undefined) return undefined;
    this.set(key, entry.value, entry.weight);
    return entry.value;
  }
}

interface Entry<Value> {
  readonly value: Value;
  readonly weight: number;
}
