/** Promises that are kept when a test's clock has come that far. */
export class VirtualTimers {
  private readonly waiting: { atMs: number; keep: () => void }[] = [];

  async until(atMs: number): Promise<void> {
    await new Promise<void>((keep) => this.waiting.push({ atMs, keep }));
  }

  /** To be called after every step of the clock. */
  follow(nowMs: number): void {
    for (let index = this.waiting.length - 1; index >= 0; index--) {
      const { atMs, keep } = this.waiting[index]!;
      if (atMs > nowMs) continue;
      this.waiting.splice(index, 1);
      keep();
    }
  }
}
