import type { Fault } from "../base/faults.ts";
import type { Reply } from "./reply.ts";

/** Where a stage sends what it has made of a body. What comes once the exchange is over is dropped. */
export interface BodySink {
  /** True while nobody takes more; `BodyStage.onDrain` follows. */
  readonly congested: boolean;
  /** `bytes[start, end)`; they are taken or copied before it returns. */
  push(bytes: Buffer, start: number, end: number): void;
  /** The body is complete. */
  end(): void;
  /**
   * The body cannot go on. Where no head has been sent, the client is answered with the fault or the reply;
   * else the message is broken off, so that it is never taken for whole. Anything else is an internal
   * error, as if the stage had thrown it.
   */
  fail(verdict: unknown): void;
  /** The stage was congested and is not any more: whoever sends to it goes on. */
  ready(): void;
  /** Work that cannot be called off, and looks at the exchange: no other request is given the object meanwhile. */
  awaits(work: Promise<unknown>): void;
}

/**
 * One thing that is done to a body on its way, asked for in a hook by `exchange.stageRequest` or
 * `exchange.stageResponse`. Stages of a request run in the order in which policies asked for them, those of a
 * response likewise, the innermost policy's first. Made anew for each body.
 */
export abstract class BodyStage {
  /**
   * Whether the head has to wait until this stage has ended: it may still answer otherwise, or change the
   * head. A request is not sent to any service before. What it takes in meanwhile, or sends on, it has to bound.
   */
  abstract readonly holdsHead: boolean;
  /** What comes out is what came in, as far as is known yet. Only where all stages say so at the end do trailers pass. */
  isUnchanged = false;
  /** What comes out is always what came in, as soon as it does: the length that was told before holds. */
  readonly isTransparent: boolean = false;
  /** Set before the first event. */
  protected sink!: BodySink;

  /** @internal */
  connect(sink: BodySink): void {
    this.sink = sink;
  }

  /**
   * True while it takes no more: whoever sends is held back until it calls `sink.ready`. What was on its way
   * still comes. By default as long as the sink is.
   */
  get congested(): boolean {
    return this.sink.congested;
  }

  /** A piece of the body, of at least one byte; the bytes are valid until it returns. */
  abstract write(bytes: Buffer, start: number, end: number): void;
  /** All of the body has come; also called for a body of no bytes. */
  abstract end(): void;

  /** The sink takes more again. By default this stage does too. */
  onDrain(): void {
    this.sink.ready();
  }

  /** The exchange is over before the body is, perhaps before it began; nothing is to be called any more. */
  dispose(): void {}
}

/** What becomes of a whole body: nothing (it goes on as it is), other bytes, or another answer. */
export type BodyVerdict = Buffer | Fault | Reply | undefined | void;
