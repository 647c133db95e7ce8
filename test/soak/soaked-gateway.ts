import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SoakMessage, ThreadMeasurement, WayToDie } from "./soak-channel.ts";

const PROCESS = new URL("gateway-process.ts", import.meta.url).pathname;
const startDeadlineMs = 30_000;
const answerDeadlineMs = 30_000;
const stopDeadlineMs = 15_000;

/** What the whole process holds at rest. */
export interface Footprint {
  threads: ThreadMeasurement[];
  rssBytes: number;
  descriptors: number;
  /** Samples on the page of metrics. */
  metricSamples: number;
  /** Metrics of what is open or under way, where it is not 0. */
  busy: string[];
}

/** The gateway under test, in a process of its own. */
export class SoakedGateway {
  readonly configFile: string;
  private readonly child: ChildProcess;
  private readonly adminUrl: string;
  private readonly workerCount: number;
  /** The last lines of its log. */
  private readonly log: string[] = [];
  private readonly counts = new Map<string, number>();

  constructor(folder: string, document: object, adminPort: number, workerCount: number) {
    this.configFile = join(folder, "gateward.yaml");
    this.adminUrl = `http://127.0.0.1:${adminPort}`;
    this.workerCount = workerCount;
    this.write(document);
    this.child = spawn(process.execPath, [PROCESS, this.configFile], {
      cwd: folder,
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    let rest = "";
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.readLog(line);
    });
  }

  /** Replaces the configuration file in one step. */
  write(document: object): void {
    writeFileSync(`${this.configFile}.next`, JSON.stringify(document, undefined, 2));
    renameSync(`${this.configFile}.next`, this.configFile);
  }

  hangUp(): void {
    this.child.kill("SIGHUP");
  }

  kill(worker: number, way: WayToDie): void {
    this.child.send({ type: "kill", worker, way } satisfies SoakMessage);
  }

  /** How often the log said this. */
  said(message: string): number {
    return this.counts.get(message) ?? 0;
  }

  /** The end of the log, for a failure's report. */
  lastWords(): string {
    return this.log.join("\n");
  }

  /** Resolves when all workers serve. */
  async ready(): Promise<void> {
    const deadline = performance.now() + startDeadlineMs;
    for (;;) {
      const isReady = await fetch(`${this.adminUrl}/readyz`).then(
        async (answer) => (await answer.text()) !== "" && answer.ok,
        () => false,
      );
      if (isReady) return;
      if (this.child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`the gateway is not ready\n${this.lastWords()}`);
      }
      await sleep(50);
    }
  }

  async measure(): Promise<Footprint> {
    const threads: ThreadMeasurement[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onMessage = (message: SoakMessage): void => {
      if (message.type !== "measured") return;
      threads.push(message);
      if (threads.length === this.workerCount + 1) resolve();
    };
    const timer = setTimeout(() => reject(new Error("no measurement in time")), answerDeadlineMs);
    this.child.on("message", onMessage);
    this.child.send({ type: "measure" } satisfies SoakMessage);
    await promise;
    clearTimeout(timer);
    this.child.off("message", onMessage);
    threads.sort((left, right) => left.thread.localeCompare(right.thread));
    const metrics = await fetch(`${this.adminUrl}/metrics`).then((answer) => answer.text());
    const samples = metrics.split("\n").filter((line) => /^[a-z]/.test(line));
    return {
      threads,
      rssBytes: this.rssBytes(),
      descriptors: readdirSync(`/proc/${this.child.pid}/fd`).length,
      metricSamples: samples.length,
      busy: samples.filter((line) => /^gateward_(in_flight|\w+_connections).* [^0]/.test(line)),
    };
  }

  rssBytes(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
  }

  /** Asks it to end. Resolves with its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), stopDeadlineMs);
    await exited;
    clearTimeout(timer);
    return this.child.exitCode;
  }

  private readLog(line: string): void {
    this.log.push(line);
    if (this.log.length > 40) this.log.shift();
    let message = line;
    try {
      message = String((JSON.parse(line) as { msg?: unknown }).msg);
    } catch {
      // Node itself said something.
    }
    this.counts.set(message, (this.counts.get(message) ?? 0) + 1);
  }
}
