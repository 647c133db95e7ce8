import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyStage } from "../policy/body-stage.ts";
import { BodyPipeline, type PipelineOwner } from "./body-pipeline.ts";

/** Notes what comes to it. */
class NotingOwner implements PipelineOwner {
  outCongested = false;
  readonly notes: string[] = [];

  onOut(bytes: Buffer, start: number, end: number): void {
    this.notes.push(bytes.toString("latin1", start, end));
  }

  onOutEnd(): void {
    this.notes.push("end");
  }

  onHeadFree(): void {
    this.notes.push("head");
  }

  onStageFailed(verdict: unknown): void {
    this.notes.push(`failed: ${String(verdict)}`);
  }

  onInReady(): void {
    this.notes.push("ready");
  }

  onAwait(): void {}

  onDisposeFailed(error: unknown): void {
    this.notes.push(`dispose: ${String(error)}`);
  }
}

/** Sends on what it gets, with its name before each piece; keeps it to itself while it `isFull`. */
class Naming extends BodyStage {
  readonly holdsHead: boolean;
  readonly name: string;
  readonly kept: string[] = [];
  isFull = false;
  isDisposed = false;

  constructor(name: string, holdsHead = false) {
    super();
    this.name = name;
    this.holdsHead = holdsHead;
  }

  override get congested(): boolean {
    return this.isFull || super.congested;
  }

  write(bytes: Buffer, start: number, end: number): void {
    const piece = this.name + bytes.toString("latin1", start, end);
    if (piece.endsWith("throw")) throw new Error("a stage's own");
    if (this.isFull) this.kept.push(piece);
    else this.say(piece);
  }

  say(piece: string): void {
    this.sink.push(Buffer.from(piece), 0, piece.length);
  }

  end(): void {
    this.sink.end();
  }

  empty(): void {
    this.isFull = false;
    for (const piece of this.kept.splice(0)) this.say(piece);
    this.sink.ready();
  }

  override dispose(): void {
    this.isDisposed = true;
  }
}

function pipelineOf(...stages: BodyStage[]) {
  const owner = new NotingOwner();
  const pipeline = new BodyPipeline(owner);
  for (const stage of stages) pipeline.add(stage);
  pipeline.start();
  const write = (text: string): void => pipeline.write(Buffer.from(text), 0, text.length);
  return { owner, pipeline, write, notes: owner.notes };
}

test("pipeline: bytes pass the stages in order, and the head is free with the last that holds it", () => {
  const { pipeline, write, notes } = pipelineOf(
    new Naming("a", true),
    new Naming("b", true),
    new Naming("c"),
  );
  write("1");
  pipeline.end(null);
  assert.deepEqual(notes, ["cba1", "end", "head"]);
  assert.deepEqual([pipeline.outSize, pipeline.isOutEnded], [4, true]);
});

test("pipeline: a stage that is full holds back whoever sends, through those before it", () => {
  const last = new Naming("b");
  const { pipeline, write, notes, owner } = pipelineOf(new Naming("a"), last);
  last.isFull = true;
  write("1");
  assert.equal(pipeline.congested, true);
  last.empty();
  assert.deepEqual([pipeline.congested, notes], [false, ["ba1", "ready"]]);
  owner.outCongested = true;
  assert.equal(pipeline.congested, true);
  owner.outCongested = false;
  pipeline.drain();
  assert.deepEqual(notes, ["ba1", "ready", "ready"]);
});

test("pipeline: what a stage throws, and what it fails with, is told once; then nothing counts", () => {
  const first = new Naming("a");
  const second = new Naming("b");
  const { pipeline, write, notes } = pipelineOf(first, second);
  write("throw");
  assert.deepEqual(notes, ["failed: Error: a stage's own"]);
  pipeline.dispose();
  assert.deepEqual([first.isDisposed, second.isDisposed], [true, true]);
  write("1");
  first.say("late");
  first.end();
  pipeline.end(null);
  assert.equal(notes.length, 1);
});

test("pipeline: after its end a stage says nothing more, and is not disposed", () => {
  const stage = new Naming("a");
  const { pipeline, notes } = pipelineOf(stage);
  pipeline.end(null);
  stage.say("more");
  stage.end();
  pipeline.dispose();
  assert.deepEqual([notes, stage.isDisposed], [["end"], false]);
});

test("pipeline: a stage whose dispose throws does not keep the others from theirs", () => {
  class Throws extends Naming {
    override dispose(): void {
      throw new Error("not now");
    }
  }
  const last = new Naming("b");
  const { pipeline, notes } = pipelineOf(new Throws("a"), last);
  pipeline.dispose();
  assert.deepEqual([notes, last.isDisposed], [["dispose: Error: not now"], true]);
});

test("pipeline: what is thrown while a stage speaks outside of any event fails the body too", () => {
  const first = new Naming("a");
  const { notes } = pipelineOf(first, new Naming("b"));
  first.say("throw");
  assert.deepEqual(notes, ["failed: Error: a stage's own"]);
});

test("pipeline: what the way out throws is no matter of the stage's", () => {
  const first = new Naming("a");
  const { notes, owner } = pipelineOf(first);
  owner.onOut = () => {
    throw new Error("no way out");
  };
  first.say("x");
  assert.deepEqual(notes, ["failed: Error: no way out"]);
});
