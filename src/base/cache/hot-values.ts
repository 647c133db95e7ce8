// HOT
/**
 * What one thread holds of the cache as it is used, so that a hit need not copy and decode. Bounded by bytes: the
 * oldest goes first, unless it was found since it was last looked at.
 */
export interface HotValue<Value> {
  readonly value: Value;
  readonly entry: number;
  /** Of the entry: it still holds this value. */
  readonly version: number;
  readonly untilMs: number;
  /** Of its tags. */
  readonly slots: Int32Array;
  readonly sequence: number;
  /** When its tags were looked at last. */
  purges: number;
  /** Bytes. */
  readonly size: number;
  /** Since it was last looked at for who has to go. */
  isFound: boolean;
}

/** A larger one would drive out many, and its copy is little beside sending it. */
const SHARE_MAX = 1 / 8;

export class HotValues<Value> {
  private readonly bytesMax: number;
  private readonly values: Map<string, HotValue<Value>>;
  private bytes: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
    this.values = new Map();
    this.bytes = 0;
  }

  get(key: string): HotValue<Value> | undefined {
    const hot = this.values.get(key);
    if (hot !== undefined) hot.isFound = true;
    return hot;
  }

  set(key: string, hot: HotValue<Value>): void {
    if (hot.size > this.bytesMax * SHARE_MAX) return;
    const before = this.values.get(key);
    if (before !== undefined) this.drop(key, before);
    this.values.set(key, hot);
    this.bytes += hot.size;
    while (this.bytes > this.bytesMax) this.dropOldest();
  }

  drop(key: string, hot: HotValue<Value>): void {
    this.values.delete(key);
    this.bytes -= hot.size;
  }

  private dropOldest(): void {
    for (const [key, hot] of this.values) {
      this.values.delete(key);
      if (!hot.isFound) {
        this.bytes -= hot.size;
        return;
      }
      hot.isFound = false;
      this.values.set(key, hot);
    }
  }
}
