// HOT
import type { Target } from "./target.ts";

/**
 * Targets that one request has been sent to. Made once for each exchange and reused; a look costs a
 * compare for each try, and there are rarely more than two.
 */
export class TriedSet {
  private readonly targets: (Target | undefined)[];
  private count: number;

  constructor() {
    this.targets = [undefined, undefined, undefined, undefined];
    this.count = 0;
  }

  get size(): number {
    return this.count;
  }

  add(target: Target): void {
    if (this.count === this.targets.length) this.targets.push(target);
    else this.targets[this.count] = target;
    this.count += 1;
  }

  has(target: Target): boolean {
    for (let i = 0; i < this.count; i++) if (this.targets[i] === target) return true;
    return false;
  }

  /** Forgets all, and holds no target of an old snapshot. */
  clear(): void {
    for (let i = 0; i < this.count; i++) this.targets[i] = undefined;
    this.count = 0;
  }
}
