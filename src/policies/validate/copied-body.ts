import { BodyStage } from "../../policy/body-stage.ts";

/** Looks at a body when it is whole, while it passes: nothing is held back, and nothing can be changed. */
export class CopiedBody extends BodyStage {
  readonly holdsHead = false;
  private readonly bytesMax: number;
  private readonly judge: (body: Buffer | null) => void;
  private pieces: Buffer[] = [];
  private size = 0;

  /** @param judge is given null for a body of more than `bytesMax` */
  constructor(bytesMax: number, judge: (body: Buffer | null) => void) {
    super();
    this.bytesMax = bytesMax;
    this.judge = judge;
  }

  write(bytes: Buffer, start: number, end: number): void {
    this.size += end - start;
    if (this.size <= this.bytesMax) this.pieces.push(Buffer.from(bytes.subarray(start, end)));
    else this.pieces = [];
    this.sink.push(bytes, start, end);
  }

  end(): void {
    this.judge(this.size <= this.bytesMax ? Buffer.concat(this.pieces) : null);
    this.pieces = [];
    this.sink.end();
  }

  override dispose(): void {
    this.pieces = [];
  }
}
