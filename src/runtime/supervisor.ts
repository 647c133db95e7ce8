import type { CachePurge } from "../base/cache/cache-tags.ts";
import type { FindingBatch } from "../base/findings/finding.ts";
import type { Log } from "../base/log/log.ts";
import type { DataPlanePayload, Endpoints } from "./data-plane.ts";
import { SerialQueue } from "./serial-queue.ts";
import type { WorkerBoard, WorkerReport } from "./worker-board.ts";
import type { WorkerSettings } from "./worker-entry.ts";
import type { WorkerLogEntry } from "./worker-message.ts";
import { WorkerSlot, type WorkerState } from "./worker-slot.ts";
import { RevisionRefused, WorkerEnded, WorkerThread } from "./worker-thread.ts";

/** How patient the supervisor is, in milliseconds. */
export interface SupervisorTimes {
  /** A worker that has not loaded, prepared or committed by then is ended. */
  answerMs: number;
  /** Silence after which a worker that serves is taken to hang. */
  hangMs: number;
  /** A worker that lived shorter than this died at once: the next one is started after a delay, doubled each time. */
  stableMs: number;
  restartDelayMs: number;
  restartDelayMsMax: number;
  /** What a worker may take beyond the deadline of a drain, to write its log. */
  drainGraceMs: number;
}

const timesDefault: SupervisorTimes = {
  // Ten thousand routes compile in a second or two on a busy machine.
  answerMs: 60_000,
  hangMs: 30_000,
  stableMs: 10_000,
  restartDelayMs: 100,
  restartDelayMsMax: 10_000,
  drainGraceMs: 3000,
};

/** Looks at the hearts within the time after which one is taken to stand still. */
const LOOKS_PER_HANG = 6;

export interface SupervisorSettings {
  /** What every worker is started with; the index is filled in. */
  worker: Omit<WorkerSettings, "workerIndex">;
  board: WorkerBoard;
  log: Log;
  onLog: (entry: WorkerLogEntry) => void;
  onFindings?: (batch: FindingBatch) => void;
  /** All workers have prepared this revision and are about to be told to use it. */
  onCommit: (revision: number) => void;
  /** Names have other addresses, and workers are about to be told: finds counters for their targets. */
  onEndpoints?: (endpoints: Endpoints) => MovedCounters;
  /** Nothing in that worker uses that revision any more. */
  onRetired: (workerIndex: number, revision: number) => void;
  /** A worker has ended: its rows of the shared memory are to be cleared. */
  onGone: (workerIndex: number) => void;
  onRestart: (workerIndex: number) => void;
  times?: Partial<SupervisorTimes>;
}

export interface MovedCounters {
  counters: Record<string, number>;
  /** Gives back what only the addresses before needed. Called when no worker uses them for new requests. */
  settle: () => void;
}

export interface WorkerStatus extends WorkerReport {
  index: number;
  state: WorkerState;
  restarts: number;
}

/** Keeps the workers running, and all of them on the same revision. */
export class Supervisor {
  private readonly settings: SupervisorSettings;
  private readonly times: SupervisorTimes;
  private readonly slots: WorkerSlot[];
  private readonly queue = new SerialQueue();
  private current: DataPlanePayload | undefined;
  private isStopping = false;
  private heartTimer: NodeJS.Timeout | undefined;

  constructor(settings: SupervisorSettings) {
    this.settings = settings;
    this.times = { ...timesDefault, ...settings.times };
    this.slots = Array.from(
      { length: settings.worker.workerCount },
      (_, index) => new WorkerSlot(index),
    );
  }

  /** Starts all workers with a first revision. Rejects, with nothing left running, when one of them cannot. */
  async start(payload: DataPlanePayload): Promise<void> {
    try {
      await Promise.all(this.slots.map((slot) => this.spawn(slot)));
      await this.apply(payload);
    } catch (error) {
      await this.stop();
      throw error;
    }
    const everyMs = this.times.hangMs / LOOKS_PER_HANG;
    this.heartTimer = setInterval(() => this.checkHearts(), everyMs).unref();
  }

  /**
   * Makes a revision current in all workers, or in none: then it rejects, and the one before serves on.
   * @throws RevisionRefused when a worker cannot make it its own, WorkerEnded when one died of it.
   */
  apply(payload: DataPlanePayload): Promise<void> {
    return this.queue.run(() => this.applyNow(payload));
  }

  /** Tells all workers that names have other addresses now. */
  updateEndpoints(endpoints: Endpoints): void {
    // In its turn, so that it does not come between a prepare and its commit, and get lost.
    void this.queue.run(() => this.updateEndpointsNow(endpoints));
  }

  reopenLogs(): void {
    for (const { thread } of this.slots) thread?.send({ type: "reopenLogs" });
  }

  /** Has stored responses in Redis forgotten, if there are any. Each worker says so, since any may end just now. */
  purgeRedis(what: CachePurge): void {
    for (const { thread } of this.slots) thread?.send({ type: "purgeRedis", what });
  }

  /** Lets all workers finish what they have, then ends them. Returns how many exchanges were cut. */
  async drain(deadlineMs: number): Promise<{ cut: number }> {
    this.isStopping = true;
    this.cancelTimers();
    // Not in its turn: a worker that is stuck in preparing a revision still drains the one it has.
    const cuts = await Promise.allSettled(
      this.slots.map(async ({ state, thread }) =>
        state === "serving" ? thread?.drain(deadlineMs, this.times.drainGraceMs) : 0,
      ),
    );
    await this.stop();
    let cut = 0;
    for (const each of cuts) if (each.status === "fulfilled") cut += each.value ?? 0;
    return { cut };
  }

  /** Ends all workers at once. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.cancelTimers();
    await Promise.all(this.slots.map(async ({ thread }) => thread?.terminate("stopped")));
  }

  status(): WorkerStatus[] {
    return this.slots.map(({ index, state, restarts }) => ({
      index,
      state,
      restarts,
      ...this.settings.board.read(index),
    }));
  }

  private async applyNow(payload: DataPlanePayload): Promise<void> {
    if (this.isStopping) throw new WorkerEnded("the gateway is ending");
    const { answerMs } = this.times;
    const slots = this.slots.filter(({ available }) => available !== undefined);
    const threads = slots.map(({ thread }) => thread!);
    const prepared = await Promise.allSettled(
      threads.map((each) => each.prepare(payload, answerMs)),
    );
    const failures = prepared
      .filter((each) => each.status === "rejected")
      .map(({ reason }) => reason as Error);
    if (failures.length > 0) {
      for (const [index, { status }] of prepared.entries()) {
        if (status === "fulfilled")
          threads[index]!.send({ type: "abort", revision: payload.revision });
      }
      throw failures.find((each) => each instanceof RevisionRefused) ?? failures[0]!;
    }
    // Before they are told: one that dies now is replaced by one with the new revision.
    this.current = payload;
    this.settings.onCommit(payload.revision);
    await Promise.all(slots.map((slot, index) => this.commit(slot, threads[index]!, payload)));
  }

  private async updateEndpointsNow(endpoints: Endpoints): Promise<void> {
    const { current } = this;
    if (current === undefined || this.isStopping) return;
    const moved = this.settings.onEndpoints?.(endpoints);
    const counters = moved?.counters ?? current.counters;
    // Names of a configuration that came in between keep the addresses they came with.
    this.current = { ...current, endpoints: { ...current.endpoints, ...endpoints }, counters };
    await Promise.all(this.slots.map((slot) => this.move(slot, endpoints, counters)));
    moved?.settle();
  }

  /** A worker that dies here is replaced by one that begins with the new addresses. */
  private async move(
    { available }: WorkerSlot,
    endpoints: Endpoints,
    counters: Record<string, number>,
  ): Promise<void> {
    try {
      await available?.updateEndpoints(endpoints, counters, this.times.answerMs);
    } catch (error) {
      if (!(error instanceof WorkerEnded)) throw error;
    }
  }

  /** A worker that dies here is replaced; the others are not held up by it. */
  private async commit(
    slot: WorkerSlot,
    thread: WorkerThread,
    payload: DataPlanePayload,
  ): Promise<void> {
    try {
      await thread.commit(payload.revision, this.times.answerMs);
      slot.state = "serving";
    } catch (error) {
      if (!(error instanceof WorkerEnded)) throw error;
    }
  }

  private async spawn(slot: WorkerSlot): Promise<void> {
    const { worker, log, onLog, onFindings, onRetired } = this.settings;
    const thread = new WorkerThread({
      worker: { ...worker, workerIndex: slot.index },
      log: log.child({ worker: slot.index }),
      onLog,
      onFindings: (batch) => onFindings?.(batch),
      onRetired: (revision) => onRetired(slot.index, revision),
      onEnd: (reason) => this.onEnd(slot, reason),
    });
    slot.begin(thread, performance.now());
    await thread.online(this.times.answerMs);
    slot.state = "idle";
  }

  private onEnd(slot: WorkerSlot, reason: string): void {
    const { log, onGone } = this.settings;
    const livedMs = Math.round(performance.now() - slot.startedAtMs);
    const delayMs = slot.end(performance.now(), this.times);
    onGone(slot.index);
    if (this.isStopping) {
      slot.state = "stopped";
      return;
    }
    // Until the first revision is current, an end is for `start` to tell.
    if (this.current === undefined) return;
    log.error("worker ended and is being replaced", {
      worker: slot.index,
      reason,
      livedMs,
      delayMs,
    });
    slot.timer = setTimeout(() => void this.replace(slot), delayMs);
  }

  private async replace(slot: WorkerSlot): Promise<void> {
    const { log, onRestart } = this.settings;
    slot.restarts += 1;
    onRestart(slot.index);
    try {
      await this.spawn(slot);
      await this.queue.run(() => this.bringUp(slot));
    } catch (error) {
      if (error instanceof WorkerEnded) return;
      const { message } = error as Error;
      await slot.thread?.terminate(`cannot take its place: ${message}`);
      return;
    }
    if (!this.isStopping)
      log.info("worker replaced", { worker: slot.index, revision: this.current?.revision });
  }

  private async bringUp(slot: WorkerSlot): Promise<void> {
    const { current } = this;
    if (this.isStopping || current === undefined || slot.available === undefined) return;
    await slot.available.prepare(current, this.times.answerMs);
    await this.commit(slot, slot.available, current);
  }

  private checkHearts(): void {
    for (const slot of this.slots) {
      if (slot.state !== "serving") continue;
      const { beats } = this.settings.board.read(slot.index);
      if (slot.countMissedBeats(beats) < LOOKS_PER_HANG) continue;
      void slot.thread?.terminate(`hangs: no sign of life for ${this.times.hangMs / 1000} s`);
    }
  }

  private cancelTimers(): void {
    clearInterval(this.heartTimer);
    for (const { timer } of this.slots) clearTimeout(timer);
  }
}
