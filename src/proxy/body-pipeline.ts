// HOT
import type { BodySink, BodyStage } from "../policy/body-stage.ts";
import type { Fields } from "../wire/fields.ts";

/** Where a body comes from and where it goes: one direction of an exchange. */
export interface PipelineOwner {
  /** Nobody takes more of what comes out; `BodyPipeline.drain` follows. */
  readonly outCongested: boolean;
  onOut(bytes: Buffer, start: number, end: number): void;
  /** All has come out. Before `onHeadFree`, if all of it came out with the end of the last that held the head. */
  onOutEnd(): void;
  /** No stage holds the head any more. Not called where none does. */
  onHeadFree(): void;
  /** A fault, a reply, or what a stage threw. */
  onStageFailed(verdict: unknown): void;
  /** More may be written. */
  onInReady(): void;
  onAwait(work: Promise<unknown>): void;
  /** What `dispose` of a stage threw. */
  onDisposeFailed(error: unknown): void;
}

/**
 * The stages that one body passes:
 *
 *     write, end -> stage 0 -> link 0 -> stage 1 -> link 1 -> owner
 *
 * Exists only where a policy has asked for one. Never used again: what a stage says late meets a pipeline
 * that is closed, and not the next request.
 */
export class BodyPipeline {
  isStarted: boolean;
  /** No more comes in. */
  isInEnded: boolean;
  /** All has come out. */
  isOutEnded: boolean;
  /** Nothing that a stage says counts any more. */
  isClosed: boolean;
  /** Bytes that have come out. */
  outSize: number;
  /** That came in with the end. */
  trailers: Fields | null;
  readonly owner: PipelineOwner;
  readonly stages: BodyStage[];
  private readonly links: StageLink[];
  private lastHolder: number;
  /** The length of what comes in is that of what comes out. */
  isTransparent: boolean;

  constructor(owner: PipelineOwner) {
    this.isStarted = false;
    this.isInEnded = false;
    this.isOutEnded = false;
    this.isClosed = false;
    this.outSize = 0;
    this.trailers = null;
    this.owner = owner;
    this.stages = [];
    this.links = [];
    this.lastHolder = -1;
    this.isTransparent = true;
  }

  add(stage: BodyStage): void {
    if (stage.holdsHead) this.lastHolder = this.stages.length;
    if (!stage.isTransparent) this.isTransparent = false;
    this.stages.push(stage);
  }

  get holdsHead(): boolean {
    return this.lastHolder >= 0;
  }

  get congested(): boolean {
    return this.stages[0]!.congested;
  }

  /** The trailers that go on: those of a body that no stage has changed. */
  get outTrailers(): Fields | null {
    const { stages } = this;
    if (this.trailers === null) return null;
    for (let index = 0; index < stages.length; index++) {
      if (!stages[index]!.isUnchanged) return null;
    }
    return this.trailers;
  }

  start(): void {
    this.isStarted = true;
    const { stages, links } = this;
    for (let index = 0; index < stages.length; index++) {
      const link = new StageLink(this, index);
      links.push(link);
      stages[index]!.connect(link);
    }
  }

  write(bytes: Buffer, start: number, end: number): void {
    if (this.isClosed || this.isInEnded || start === end) return;
    try {
      this.writeTo(0, bytes, start, end);
    } catch (error) {
      this.fail(error);
    }
  }

  end(trailers: Fields | null): void {
    if (this.isClosed || this.isInEnded) return;
    this.isInEnded = true;
    this.trailers = trailers;
    try {
      this.endTo(0);
    } catch (error) {
      this.fail(error);
    }
  }

  /** What comes out is taken again. */
  drain(): void {
    if (!this.isStarted || this.isClosed || this.isOutEnded) return;
    try {
      this.drainTo(this.stages.length - 1);
    } catch (error) {
      this.fail(error);
    }
  }

  dispose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { stages, links } = this;
    for (let index = 0; index < stages.length; index++) {
      if (this.isStarted && links[index]!.isEnded) continue;
      try {
        stages[index]!.dispose();
      } catch (error) {
        this.owner.onDisposeFailed(error);
      }
    }
  }

  /** @internal for StageLink */
  writeTo(index: number, bytes: Buffer, start: number, end: number): void {
    const { stages, owner } = this;
    if (index === stages.length) {
      this.outSize += end - start;
      owner.onOut(bytes, start, end);
      return;
    }
    stages[index]!.write(bytes, start, end);
  }

  /** @internal */
  endTo(index: number): void {
    const { stages, owner } = this;
    if (index === stages.length) {
      this.isOutEnded = true;
      owner.onOutEnd();
      return;
    }
    stages[index]!.end();
  }

  /** @internal */
  onEnded(index: number): void {
    this.endTo(index + 1);
    if (index === this.lastHolder && !this.isClosed) this.owner.onHeadFree();
  }

  /** @internal */
  drainTo(index: number): void {
    if (index < 0) {
      this.owner.onInReady();
      return;
    }
    // Ended, it has nothing to be told.
    if (!this.links[index]!.isEnded) this.stages[index]!.onDrain();
  }

  /** @internal */
  isCongestedAt(index: number): boolean {
    return index === this.stages.length ? this.owner.outCongested : this.stages[index]!.congested;
  }

  /** @internal */
  fail(verdict: unknown): void {
    if (!this.isClosed) this.owner.onStageFailed(verdict);
  }
}

/**
 * What stands behind one stage: the next, or the way out. A stage may speak outside of any event of the wire, so
 * that nobody else would catch what is thrown.
 */
class StageLink implements BodySink {
  isEnded: boolean;
  private readonly pipeline: BodyPipeline;
  private readonly index: number;

  constructor(pipeline: BodyPipeline, index: number) {
    this.isEnded = false;
    this.pipeline = pipeline;
    this.index = index;
  }

  get congested(): boolean {
    const { pipeline } = this;
    return !pipeline.isClosed && pipeline.isCongestedAt(this.index + 1);
  }

  push(bytes: Buffer, start: number, end: number): void {
    if (this.isEnded || this.pipeline.isClosed || start === end) return;
    try {
      this.pipeline.writeTo(this.index + 1, bytes, start, end);
    } catch (error) {
      this.pipeline.fail(error);
    }
  }

  end(): void {
    if (this.isEnded || this.pipeline.isClosed) return;
    this.isEnded = true;
    try {
      this.pipeline.onEnded(this.index);
    } catch (error) {
      this.pipeline.fail(error);
    }
  }

  fail(verdict: unknown): void {
    if (!this.isEnded) this.pipeline.fail(verdict);
  }

  ready(): void {
    const { pipeline } = this;
    if (pipeline.isClosed) return;
    try {
      pipeline.drainTo(this.index - 1);
    } catch (error) {
      pipeline.fail(error);
    }
  }

  awaits(work: Promise<unknown>): void {
    // Even of a pipeline that is closed already.
    this.pipeline.owner.onAwait(work);
  }
}
