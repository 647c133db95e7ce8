/** Bounds how many checks are under way at once; the others wait in order. */
export class CheckTurns {
  private readonly max: number;
  private underWay = 0;
  private readonly waiting = new Set<() => void>();

  constructor(max: number) {
    this.max = max;
  }

  /** Runs now or later; `leave` with the same function when that is over, or not wanted any more. */
  enter(run: () => void): void {
    if (this.underWay >= this.max) {
      this.waiting.add(run);
      return;
    }
    this.underWay += 1;
    run();
  }

  leave(run: () => void): void {
    if (this.waiting.delete(run)) return;
    this.underWay -= 1;
    for (const next of this.waiting) {
      this.waiting.delete(next);
      this.enter(next);
      return;
    }
  }
}
