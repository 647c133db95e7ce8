import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { BodyFlaw } from "../body-flaw.ts";
import type { ProgramAnswer, ProgramRequest } from "./program-message.ts";

const WAITING_COUNT_MAX = 256;
/** Who has waited longer is told to come again: their client has perhaps left, and those behind them wait too. */
const WAITING_MS_MAX = 2000;
const RETRY_SOON = { "retry-after": "1" };
/** The guards of the library come first, where they can: the thread lives on then. */
const GRACE_MS = 50;
const START_MS = 10_000;
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

interface Job {
  readonly request: ProgramRequest;
  /** By `performance.now()`. */
  readonly since: number;
  readonly resolve: (body: string) => void;
  readonly reject: (flaw: BodyFlaw) => void;
}

/**
 * Runs JSONata programs, one at a time, in a thread of their own. The library looks at the time only between the
 * steps of a program, and a single step (a sort, a pattern) may take minutes or all memory. So nothing less
 * holds: a program that is late, or too large, loses its thread, and the next gets a new one.
 */
export class ProgramThread implements Disposable {
  private readonly waiting: Job[] = [];
  private current: Job | null = null;
  private worker: Worker | null = null;
  private isUp = false;
  private deadline: NodeJS.Timeout | undefined;
  private lastCall: NodeJS.Immediate | undefined;

  /** JSON of what the program makes of the body. Rejects with a BodyFlaw. */
  run(request: ProgramRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length === WAITING_COUNT_MAX) {
        reject(busy());
        return;
      }
      this.waiting.push({ request, since: performance.now(), resolve, reject });
      this.next();
    });
  }

  [Symbol.dispose](): void {
    for (const { reject } of this.waiting.splice(0)) reject(failure("program-failed"));
    this.end("program-failed");
  }

  private next(): void {
    if (this.current !== null) return;
    let job = this.waiting.shift();
    while (job !== undefined && performance.now() - job.since > WAITING_MS_MAX) {
      job.reject(busy());
      job = this.waiting.shift();
    }
    if (job === undefined) {
      // An idle thread keeps no process alive.
      this.worker?.unref();
      return;
    }
    this.current = job;
    this.worker ??= this.start();
    this.worker.ref();
    if (this.isUp) this.send(job);
    else this.expectWithin(START_MS);
  }

  private send({ request }: Job): void {
    this.expectWithin(request.timeoutMs + GRACE_MS);
    this.worker!.postMessage(request);
  }

  private start(): Worker {
    const entry = new URL(`./program-entry${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(entry, { name: "gateward-programs", resourceLimits: LIMITS });
    const isMine = (): boolean => this.worker === worker;
    worker.on("message", (answer: ProgramAnswer) => {
      if (isMine()) this.onAnswer(answer);
    });
    worker.on("error", () => {
      if (isMine()) this.end("program-too-large");
    });
    worker.on("exit", () => {
      if (isMine()) this.end("program-failed");
    });
    return worker;
  }

  private onAnswer(answer: ProgramAnswer): void {
    const job = this.current;
    if (answer.type === "up") {
      this.isUp = true;
      if (job !== null) this.send(job);
      return;
    }
    this.expectNothing();
    this.current = null;
    if (answer.type === "result") job?.resolve(answer.body);
    else job?.reject(failure(answer.code, answer.reason));
    this.next();
  }

  private expectWithin(timeMs: number): void {
    this.expectNothing();
    this.deadline = setTimeout(() => {
      // Where this thread was held up itself, the answer has come and is delivered after this timer.
      this.lastCall = setImmediate(() => this.end("program-timeout"));
    }, timeMs);
  }

  private expectNothing(): void {
    clearTimeout(this.deadline);
    clearImmediate(this.lastCall);
  }

  /** Gives the thread up, and with it what it runs. */
  private end(code: string): void {
    this.expectNothing();
    const { worker, current } = this;
    this.worker = null;
    this.current = null;
    this.isUp = false;
    void worker?.terminate();
    current?.reject(failure(code));
    this.next();
  }
}

function busy(): BodyFlaw {
  return new BodyFlaw("busy", "program-busy", "Too many bodies wait to be mapped.", RETRY_SOON);
}

/** @param reason for the operator */
function failure(code: string, reason = ""): BodyFlaw {
  const flaw = new BodyFlaw("unmappable", code, "The body cannot be mapped.");
  flaw.cause = reason;
  return flaw;
}
