import type { Fault } from "../base/faults.ts";
import { BodyStage, type BodyVerdict } from "./body-stage.ts";

/** Collects a body and judges it whole. The head waits for it. */
export class WholeBody extends BodyStage {
  readonly holdsHead = true;
  private readonly bytesMax: number;
  private readonly tooLarge: Fault | (() => Fault);
  private readonly judge: (body: Buffer) => BodyVerdict | Promise<BodyVerdict>;
  private pieces: Buffer[] = [];
  private size = 0;
  private isOver = false;

  /**
   * @param tooLarge what is answered to a body of more than `bytesMax`: a 413 for requests, a 502 for responses
   * @param judge called once with all of it, also with no bytes. What it throws is an internal error
   */
  constructor(
    bytesMax: number,
    tooLarge: Fault | (() => Fault),
    judge: (body: Buffer) => BodyVerdict | Promise<BodyVerdict>,
  ) {
    super();
    this.bytesMax = bytesMax;
    this.tooLarge = tooLarge;
    this.judge = judge;
  }

  /** It has a bound of its own, and nothing goes on before its end. */
  override get congested(): boolean {
    return false;
  }

  write(bytes: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    this.size += end - start;
    if (this.size > this.bytesMax) {
      const { tooLarge } = this;
      this.dispose();
      this.sink.fail(typeof tooLarge === "function" ? tooLarge() : tooLarge);
      return;
    }
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  end(): void {
    if (this.isOver) return;
    const body = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    this.pieces = [];
    const verdict = this.judge(body);
    if (!(verdict instanceof Promise)) {
      this.obey(verdict, body);
      return;
    }
    this.sink.awaits(verdict);
    verdict.then(
      (late) => this.obey(late, body),
      (error: unknown) => this.sink.fail(error),
    );
  }

  private obey(verdict: BodyVerdict, body: Buffer): void {
    if (this.isOver) return;
    this.isOver = true;
    if (verdict !== undefined && !Buffer.isBuffer(verdict)) {
      this.sink.fail(verdict);
      return;
    }
    const whole = verdict ?? body;
    this.isUnchanged = whole === body;
    if (whole.length > 0) this.sink.push(whole, 0, whole.length);
    this.sink.end();
  }

  override dispose(): void {
    this.isOver = true;
    this.pieces = [];
  }
}
