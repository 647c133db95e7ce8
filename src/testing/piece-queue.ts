/** Pieces of a body as they come, for one reader who may come later. */
export class PieceQueue {
  readonly pieces: Buffer[] = [];
  private isEnded = false;
  private error: Error | undefined;
  private news = Promise.withResolvers<void>();

  /** All that has come so far, as text. */
  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }

  push(bytes: Uint8Array): void {
    this.pieces.push(Buffer.from(bytes));
    this.tell();
  }

  end(): void {
    this.isEnded = true;
    this.tell();
  }

  /** No more comes: whoever reads is told why. */
  fail(error: Error): void {
    this.error ??= error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let index = 0; ;) {
      while (index < this.pieces.length) yield this.pieces[index++]!;
      if (this.error !== undefined) throw this.error;
      if (this.isEnded) return;
      await this.news.promise;
    }
  }

  private tell(): void {
    this.news.resolve();
    this.news = Promise.withResolvers();
  }
}
