import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { commandPath } from "../../test/support/command-path.ts";

/** How long a process may take to end by itself after SIGTERM before it is killed. */
const stopDeadlineMs = 3000;

/** A server or load generator that runs in a process group of its own; `pid` is also the group's id. */
export interface StartedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string | undefined;
  /** Settles when the process itself has ended; never rejects. */
  readonly ended: Promise<void>;
  /** Undefined while it runs, afterwards the exit code or the signal. */
  exit: string | undefined;
  /** True once we asked it to end: only then an end is not a failure. */
  stopping: boolean;
}

/** Who may run where: a list as `taskset` takes it, such as "0" or "1-3". */
export type Cores = string;

/**
 * The processes of one benchmark run. Every one is the leader of a process group (nginx and haproxy
 * fork workers), and is ended by that id: all of them on `stopAll`, and also when this process exits
 * in any way that still runs exit handlers.
 */
export class ProcessSet {
  readonly #running = new Set<StartedProcess>();
  readonly #onExit = (): void => this.killAll();

  constructor() {
    process.on("exit", this.#onExit);
  }

  /** Starts a server; what it prints goes to `logFile`. */
  start(name: string, command: readonly string[], cores: Cores, logFile: string): StartedProcess {
    const log = openSync(logFile, "a");
    try {
      const child = spawnPinned(command, cores, ["ignore", log, log]);
      return this.#track(name, child, logFile);
    } finally {
      closeSync(log);
    }
  }

  /**
   * Starts a program whose output is its result. `process` can be signalled meanwhile; it is killed,
   * which is an error, when it has not ended after `deadlineMs`.
   */
  run(
    name: string,
    command: readonly string[],
    cores: Cores,
    deadlineMs: number,
  ): { process: StartedProcess; output: Promise<string> } {
    const child = spawnPinned(command, cores, ["ignore", "pipe", "pipe"]);
    const started = this.#track(name, child, undefined);
    const deadline = setTimeout(() => killGroup(started.pid, "SIGKILL"), deadlineMs);
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (output += text));
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const whole = closed.then(() => {
      clearTimeout(deadline);
      if (started.exit === "0") return output;
      throw new Error(`${name} ended with ${started.exit}:\n${output}`);
    });
    return { process: started, output: whole };
  }

  signal(target: StartedProcess, signal: NodeJS.Signals): void {
    if (target.exit === undefined) process.kill(target.pid, signal);
  }

  /** Asks the process to end, and kills its whole group when it has not after some seconds. */
  async stop(target: StartedProcess): Promise<void> {
    target.stopping = true;
    this.signal(target, "SIGTERM");
    const deadline = setTimeout(() => killGroup(target.pid, "SIGKILL"), stopDeadlineMs);
    await target.ended;
    clearTimeout(deadline);
    killGroup(target.pid, "SIGKILL"); // workers that outlived their master
    this.#running.delete(target);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((each) => this.stop(each)));
  }

  /** Kills everything without waiting: for exit handlers. */
  killAll(): void {
    for (const each of this.#running) killGroup(each.pid, "SIGKILL");
  }

  async dispose(): Promise<void> {
    await this.stopAll();
    process.off("exit", this.#onExit);
  }

  #track(name: string, child: ChildProcess, logFile: string | undefined): StartedProcess {
    if (child.pid === undefined) throw new Error(`${name} cannot be started`);
    let settle = (): void => {};
    const ended = new Promise<void>((resolve) => (settle = resolve));
    const started: StartedProcess = {
      name,
      pid: child.pid,
      logFile,
      ended,
      exit: undefined,
      stopping: false,
    };
    child.once("exit", (code, signal) => {
      started.exit = String(signal ?? code);
      // A load generator leaves nothing behind; a server's group may still hold workers.
      if (logFile === undefined) this.#running.delete(started);
      settle();
    });
    this.#running.add(started);
    return started;
  }
}

/** Throws, with the end of its log, when a server has ended without having been asked to. */
export function assertRunning(target: StartedProcess): void {
  if (target.exit === undefined || target.stopping) return;
  const log = target.logFile === undefined ? "" : readFileSync(target.logFile, "utf8").slice(-2000);
  throw new Error(`${target.name} ended with ${target.exit}:\n${log}`);
}

/** Pins this process, all its threads and those to come, to `cores`. */
export function pinSelf(cores: Cores): void {
  const pinned = spawnSync("taskset", ["-a", "-c", "-p", cores, String(process.pid)]);
  if (pinned.status !== 0) throw new Error(`taskset cannot pin to core ${cores}`);
}

function spawnPinned(
  [program = "", ...args]: readonly string[],
  cores: Cores,
  stdio: ("ignore" | "pipe" | number)[],
): ChildProcess {
  // `detached` makes a process group: its id ends workers too, and a Ctrl-C of the terminal does not
  // reach them before our own handler does. taskset executes the command in its place: same pid.
  const child = spawn("taskset", ["-c", cores, commandPath(program) ?? program, ...args], {
    detached: true,
    stdio,
  });
  child.once("error", () => {}); // reported by the missing pid
  return child;
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: everyone in the group has ended.
  }
}
