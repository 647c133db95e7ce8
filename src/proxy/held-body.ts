// HOT
import type { Fields } from "../wire/fields.ts";

/** Body bytes held while a connection or a policy is awaited; beyond this their sender is held back. */
export const HELD_BYTES_MAX = 64 * 1024;

interface BodySink {
  sendBody(bytes: Buffer, start: number, end: number): void;
}

/** Part of a body that cannot be sent yet, or may have to be sent again. */
export class HeldBody {
  size: number;
  /** The body's end has come too. */
  ended: boolean;
  trailers: Fields | null;
  private readonly pieces: Buffer[];

  constructor() {
    this.size = 0;
    this.ended = false;
    this.trailers = null;
    this.pieces = [];
  }

  keep(bytes: Buffer, start: number, end: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.size += end - start;
  }

  get isFull(): boolean {
    return this.size >= HELD_BYTES_MAX;
  }

  /** Whether all of a body of which `received` bytes have come is held. */
  isWhole(received: number): boolean {
    return this.size === received;
  }

  sendTo(sink: BodySink): void {
    const { pieces } = this;
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index]!;
      sink.sendBody(piece, 0, piece.length);
    }
  }

  /** Empties it. @returns what it held */
  takeAll(): Buffer[] {
    const taken = this.pieces.splice(0);
    this.size = 0;
    return taken;
  }

  clear(): void {
    if (this.pieces.length > 0) this.pieces.length = 0;
    this.size = 0;
    this.ended = false;
    this.trailers = null;
  }
}
