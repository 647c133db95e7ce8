import { Fault, faultTypes } from "../../base/faults.ts";
import { BodyStage } from "../../policy/body-stage.ts";

/** Lets a body pass and keeps a copy. What breaks off, or gets longer than allowed, is not kept. */
export class StoringStage extends BodyStage {
  readonly holdsHead = false;
  override isUnchanged = true;
  override readonly isTransparent = true;
  private readonly bytesMax: number;
  private readonly endsEarly: boolean;
  private readonly isDone: (body: Buffer | null) => void;
  private pieces: Buffer[] | null = [];
  private size = 0;
  private isTold = false;

  /**
   * @param endsEarly what is not kept need not pass
   * @param isDone called once: with the whole body, or with null where there is none to be kept
   */
  constructor(bytesMax: number, endsEarly: boolean, isDone: (body: Buffer | null) => void) {
    super();
    this.bytesMax = bytesMax;
    this.endsEarly = endsEarly;
    this.isDone = isDone;
  }

  write(bytes: Buffer, start: number, end: number): void {
    if (this.pieces !== null) this.keep(bytes, start, end);
    this.sink.push(bytes, start, end);
  }

  end(): void {
    const { pieces } = this;
    if (pieces !== null) this.tell(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
    this.sink.end();
  }

  override dispose(): void {
    this.tell(null);
  }

  private keep(bytes: Buffer, start: number, end: number): void {
    this.size += end - start;
    if (this.size > this.bytesMax) {
      this.tell(null);
      if (this.endsEarly) this.sink.fail(new Fault(faultTypes["answer-too-large"]));
      return;
    }
    // Not out of a pool: the copy outlives whatever else would lie beside it there.
    const copy = Buffer.allocUnsafeSlow(end - start);
    bytes.copy(copy, 0, start, end);
    this.pieces!.push(copy);
  }

  private tell(body: Buffer | null): void {
    this.pieces = null;
    if (this.isTold) return;
    this.isTold = true;
    this.isDone(body);
  }
}
