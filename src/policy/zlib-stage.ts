import type { Transform } from "node:stream";
import type { Zlib } from "node:zlib";
import { BodyStage } from "./body-stage.ts";

/**
 * A gap in a body that is a pause: a sender that has nothing to say, rather than a network between two rounds. A flush
 * costs some ten bytes and a round through the thread pool, so at most 50 in a second.
 */
const PAUSE_MS = 20;

export interface ZlibStageSettings {
  readonly holdsHead: boolean;
  /** What a failure of the engine is: its input is not what it should be. */
  failure(error: Error): unknown;
  /** Called once, however it ends: its memory is free. */
  onClose(): void;
  /** A verdict ends it. @param out bytes that have come out, with these, of `taken` that have gone in */
  check?(out: number, taken: number): unknown;
  /** How the engine is flushed (a constant of node:zlib) when the sender pauses. Without it, it keeps what it holds. */
  readonly pauseFlush?: number;
}

/**
 * Puts a body through an engine of node:zlib, which works in the thread pool: about 0.1 ms for each piece,
 * whatever its size.
 */
export class ZlibStage extends BodyStage {
  readonly holdsHead: boolean;
  private readonly engine: Transform & Zlib;
  private readonly settings: ZlibStageSettings;
  private taken = 0;
  private out = 0;
  private isOver = false;
  /** Runs from the last piece that went in. */
  private pause: NodeJS.Timeout | undefined;

  constructor(engine: Transform & Zlib, settings: ZlibStageSettings) {
    super();
    this.engine = engine;
    this.settings = settings;
    this.holdsHead = settings.holdsHead;
    engine.on("data", (piece: Buffer) => this.onPiece(piece));
    engine.on("end", () => this.onEnd());
    engine.on("drain", () => this.sink.ready());
    engine.on("error", (error) => this.fail(this.settings.failure(error)));
  }

  /** The engine has a queue of its own, which fills while nobody takes what comes out. */
  override get congested(): boolean {
    return this.engine.writableNeedDrain;
  }

  write(bytes: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    this.taken += end - start;
    this.engine.write(Buffer.from(bytes.subarray(start, end)));
    this.awaitPause();
  }

  /** Begins to wait anew. */
  private awaitPause(): void {
    const { pause, engine } = this;
    const { pauseFlush } = this.settings;
    if (pause !== undefined) pause.refresh();
    else if (pauseFlush !== undefined) {
      this.pause = setTimeout(() => engine.flush(pauseFlush), PAUSE_MS);
    }
  }

  end(): void {
    if (this.isOver) return;
    clearTimeout(this.pause);
    this.engine.end();
  }

  override onDrain(): void {
    if (!this.isOver) this.engine.resume();
  }

  private onPiece(piece: Buffer): void {
    if (this.isOver) return;
    this.out += piece.length;
    const verdict = this.settings.check?.(this.out, this.taken);
    if (verdict !== undefined) {
      this.fail(verdict);
      return;
    }
    this.sink.push(piece, 0, piece.length);
    // What came out may have ended the exchange.
    if (!this.isOver && this.sink.congested) this.engine.pause();
  }

  private onEnd(): void {
    if (this.isOver) return;
    this.close();
    this.sink.end();
  }

  private fail(verdict: unknown): void {
    if (this.isOver) return;
    this.close();
    this.sink.fail(verdict);
  }

  private close(): void {
    this.isOver = true;
    clearTimeout(this.pause);
    this.engine.destroy();
    this.settings.onClose();
  }

  override dispose(): void {
    if (!this.isOver) this.close();
  }
}
