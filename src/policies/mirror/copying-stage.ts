import { BodyStage } from "../../policy/body-stage.ts";

/** One of them is called, once. */
interface CopyOwner {
  onWhole(body: Buffer): void;
  /** Than may be kept. */
  onLonger(): void;
  onBrokenOff(): void;
}

/** Keeps a copy of a body as it passes, up to a size; what is sent is never held up. */
export class CopyingStage extends BodyStage {
  readonly holdsHead = false;
  override readonly isTransparent = true;
  override isUnchanged = true;
  private readonly bytesMax: number;
  private readonly owner: CopyOwner;
  /** null once it is told what became of it. */
  private pieces: Buffer[] | null = [];
  private size = 0;

  constructor(bytesMax: number, owner: CopyOwner) {
    super();
    this.bytesMax = bytesMax;
    this.owner = owner;
  }

  write(bytes: Buffer, start: number, end: number): void {
    this.size += end - start;
    if (this.pieces !== null && this.size > this.bytesMax) {
      this.pieces = null;
      this.owner.onLonger();
    }
    this.pieces?.push(Buffer.from(bytes.subarray(start, end)));
    this.sink.push(bytes, start, end);
  }

  end(): void {
    const { pieces } = this;
    this.pieces = null;
    this.sink.end();
    if (pieces !== null) this.owner.onWhole(Buffer.concat(pieces));
  }

  override dispose(): void {
    if (this.pieces === null) return;
    this.pieces = null;
    this.owner.onBrokenOff();
  }
}
