import { totalmem } from "node:os";
import { extname } from "node:path";
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { FindingBatch } from "../base/findings/finding.ts";
import type { Log } from "../base/log/log.ts";
import { plainError } from "../base/log/plain-error.ts";
import type { DataPlanePayload, Endpoints } from "./data-plane.ts";
import type { WorkerSettings } from "./worker-entry.ts";
import type { MessageFromWorker, MessageToWorker, WorkerLogEntry } from "./worker-message.ts";

/** A worker thread ended, or was ended, before it answered. */
export class WorkerEnded extends Error {}

/** A worker could not make a revision its own; the message says why, for the user. */
export class RevisionRefused extends Error {}

export interface WorkerThreadSettings {
  worker: WorkerSettings;
  log: Log;
  /** Entries of the worker's own log. */
  onLog: (entry: WorkerLogEntry) => void;
  onFindings: (batch: FindingBatch) => void;
  onRetired: (revision: number) => void;
  /** Called once, whatever the end was; `reason` says so in words. */
  onEnd: (reason: string) => void;
}

type Answer = Exclude<MessageFromWorker, { type: "log" | "findings" | "retired" }>;

interface Question {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/** One worker thread from its start to its end. */
export class WorkerThread {
  private readonly settings: WorkerThreadSettings;
  private readonly worker: Worker;
  /** By the answer they wait for, of each kind one at a time. */
  private readonly questions = new Map<Answer["type"], Question>();
  private endReason: string | undefined;

  constructor(settings: WorkerThreadSettings) {
    this.settings = settings;
    this.worker = new Worker(
      new URL(`./worker-entry${extname(import.meta.url)}`, import.meta.url),
      {
        workerData: settings.worker,
        name: `gateward-${settings.worker.workerIndex}`,
        resourceLimits: workerLimits(settings.worker.workerCount),
      },
    );
    this.worker.on("message", (message: MessageFromWorker) => this.onMessage(message));
    this.worker.once("error", (error: unknown) => this.onError(error));
    this.worker.once("exit", (code) => this.onExit(code));
  }

  /** Resolves when the thread has loaded what it runs. To be asked first. */
  async online(deadlineMs: number): Promise<void> {
    await this.answer("online", deadlineMs);
  }

  /** @throws RevisionRefused, WorkerEnded */
  async prepare(payload: DataPlanePayload, deadlineMs: number): Promise<void> {
    this.send({ type: "prepare", payload });
    const answer = await this.answer("prepared", deadlineMs);
    if (answer.type !== "refused") return;
    const { message } = (answer.error ?? {}) as { message?: unknown };
    throw new RevisionRefused(typeof message === "string" ? message : String(answer.error), {
      cause: answer.error,
    });
  }

  /** @throws WorkerEnded */
  async commit(revision: number, deadlineMs: number): Promise<void> {
    this.send({ type: "commit", revision });
    await this.answer("committed", deadlineMs);
  }

  /** Resolves when it begins no more requests to addresses that are gone. @throws WorkerEnded */
  async updateEndpoints(
    endpoints: Endpoints,
    counters: Record<string, number>,
    deadlineMs: number,
  ): Promise<void> {
    this.send({ type: "endpoints", endpoints, counters });
    await this.answer("endpointsTaken", deadlineMs);
  }

  /** How many exchanges were cut. @throws WorkerEnded */
  async drain(deadlineMs: number, graceMs: number): Promise<number> {
    this.send({ type: "drain", deadlineMs });
    const answer = await this.answer("drained", deadlineMs + graceMs);
    return answer.type === "drained" ? answer.cut : 0;
  }

  send(message: MessageToWorker): void {
    this.worker.postMessage(message);
  }

  /** Ends the thread wherever it is, also within an endless loop. */
  async terminate(reason: string): Promise<void> {
    this.endReason ??= reason;
    await this.worker.terminate();
  }

  private answer(type: Answer["type"], deadlineMs: number): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    if (this.questions.has(type)) throw new Error(`the last ${type} is not there yet`);
    if (this.worker.threadId === -1) throw new WorkerEnded(this.endReason);
    const timer = setTimeout(() => {
      void this.terminate(`no answer (${type}) within ${deadlineMs / 1000} s`);
    }, deadlineMs);
    this.questions.set(type, { resolve, reject });
    return promise.finally(() => clearTimeout(timer));
  }

  private onMessage(message: MessageFromWorker): void {
    if (message.type === "log") {
      this.settings.onLog(message);
      return;
    }
    if (message.type === "findings") {
      this.settings.onFindings(message.batch);
      return;
    }
    if (message.type === "retired") {
      this.settings.onRetired(message.revision);
      return;
    }
    const asked = message.type === "refused" ? "prepared" : message.type;
    const question = this.questions.get(asked);
    if (question === undefined) {
      this.settings.log.error("worker said what it was not asked", { type: message.type });
      return;
    }
    this.questions.delete(asked);
    question.resolve(message);
  }

  private onError(error: unknown): void {
    const { code, message } = (error ?? {}) as { code?: string; message?: string };
    this.endReason ??=
      code === "ERR_WORKER_OUT_OF_MEMORY"
        ? "out of memory"
        : `uncaught: ${message ?? String(error)}`;
    this.settings.log.error("worker failed", { error: plainError(error) });
  }

  private onExit(code: number): void {
    const reason = this.endReason ?? `ended with code ${code}`;
    this.endReason = reason;
    for (const { reject } of this.questions.values()) reject(new WorkerEnded(reason));
    this.questions.clear();
    this.settings.onEnd(reason);
  }
}

/**
 * Three times the space for new objects. V8's own 48 make no request cheaper (measured), but each thread grows into
 * them sooner or later, and a collection that finds all of it in use stops the thread for 15 to 50 ms: while
 * ten thousand routes are compiled that is so.
 */
const YOUNG_GENERATION_MB = 12;

/**
 * The heap a worker may have: together not more than three quarters of what the machine or container gives.
 * Beyond it that worker ends, and is replaced, instead of the whole process.
 */
function workerLimits(workerCount: number): ResourceLimits {
  const limitBytes = process.constrainedMemory() || Infinity;
  const totalBytes = Math.min(limitBytes, totalmem());
  const shareMb = (totalBytes * 0.75) / workerCount / 2 ** 20;
  return {
    maxOldGenerationSizeMb: Math.round(Math.min(4096, Math.max(128, shareMb))),
    maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
  };
}
