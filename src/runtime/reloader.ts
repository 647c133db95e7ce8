/**
 * Runs reloads one after the other. What is asked for while one is under way leads to a single one after
 * it, however often it was asked for.
 */
export class Reloader {
  private readonly reload: (reason: string) => Promise<void>;
  private running: Promise<void> | undefined;
  private wanted: string | undefined;
  private isClosed = false;

  /** `reload` must not reject. */
  constructor(reload: (reason: string) => Promise<void>) {
    this.reload = reload;
  }

  /** `reason` is for the log. */
  request(reason: string): void {
    if (this.isClosed) return;
    this.wanted ??= reason;
    this.running ??= this.run();
  }

  /** Resolves when nothing is asked for any more. */
  async idle(): Promise<void> {
    await this.running;
  }

  /** No reload begins from now on. */
  close(): void {
    this.isClosed = true;
    this.wanted = undefined;
  }

  private async run(): Promise<void> {
    // Not within the call that asks: what is asked for by the reload itself must find it running.
    await Promise.resolve();
    while (this.wanted !== undefined) {
      const reason = this.wanted;
      this.wanted = undefined;
      await this.reload(reason);
    }
    this.running = undefined;
  }
}
