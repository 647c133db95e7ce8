/**
 * Values that outlive a snapshot: made when the first lease asks for their key, disposed when the last
 * lease that asked has been released. What a reload does not touch is found again by its key.
 */
export class KeptValues {
  private readonly holdings = new Map<string, Holding>();

  lease(): KeptLease {
    return new KeptLease(this.holdings);
  }

  get size(): number {
    return this.holdings.size;
  }
}

interface Holding {
  value: Partial<Disposable>;
  leases: number;
}

/** What one snapshot asks for. */
export class KeptLease {
  private readonly holdings: Map<string, Holding>;
  private readonly keys = new Set<string>();

  constructor(holdings: Map<string, Holding>) {
    this.holdings = holdings;
  }

  /** The value under `key`, which is always asked for with the same type. */
  keep<Value extends Partial<Disposable>>(key: string, make: () => Value): Value {
    let holding = this.holdings.get(key);
    if (holding === undefined) {
      holding = { value: make(), leases: 0 };
      this.holdings.set(key, holding);
    }
    if (!this.keys.has(key)) {
      this.keys.add(key);
      holding.leases++;
    }
    return holding.value as Value;
  }

  /** Further calls do nothing. */
  release(): void {
    for (const key of this.keys) {
      const holding = this.holdings.get(key)!;
      holding.leases--;
      if (holding.leases > 0) continue;
      this.holdings.delete(key);
      holding.value[Symbol.dispose]?.();
    }
    this.keys.clear();
  }
}
