/** Beyond so many everything is to be forgotten. */
const MISSED_MAX = 1000;

type Order = () => Promise<unknown>;

/**
 * What a store far away was to forget and could not be told: told again, before anything is believed of it. What
 * has been put there meanwhile is forgotten with it.
 */
export class MissedPurges {
  private readonly forgetAll: Order;
  private orders = new Map<string, Order>();
  private telling: Promise<boolean> | null = null;

  /** @param forgetAll in place of too many */
  constructor(forgetAll: Order) {
    this.forgetAll = forgetAll;
  }

  get isEmpty(): boolean {
    return this.orders.size === 0;
  }

  /** @param name of what is forgotten: to be told of it once is enough */
  add(name: string, order: Order): void {
    if (this.orders.size >= MISSED_MAX) {
      this.orders.clear();
      this.orders.set("", this.forgetAll);
      return;
    }
    // Once everything is to be forgotten, that is all there is to be told.
    if (!this.orders.has("")) this.orders.set(name, order);
  }

  /** Tells all of it, once for all who ask meanwhile. False when something could not be told even now. */
  makeUp(): Promise<boolean> {
    this.telling ??= this.tell().finally(() => (this.telling = null));
    return this.telling;
  }

  private async tell(): Promise<boolean> {
    const told = [...this.orders];
    const outcomes = await Promise.allSettled(told.map(([, order]) => order()));
    for (const [index, { status }] of outcomes.entries()) {
      const [name, order] = told[index]!;
      // Another may have come in under its name.
      if (status === "fulfilled" && this.orders.get(name) === order) this.orders.delete(name);
    }
    return this.isEmpty;
  }
}
