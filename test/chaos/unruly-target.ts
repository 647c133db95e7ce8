import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("chaos-target.ts", import.meta.url));

/** What becomes of a target for a while. */
export type Trouble = "killed" | "hanging" | "failing" | "slow";

const SLOW_MS = 2000;

/** A real service at one port that can be killed, stopped, told to fail, and brought back. */
export class UnrulyTarget {
  readonly port: number;
  private child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.child = child;
  }

  static async start(port: number): Promise<UnrulyTarget> {
    return new UnrulyTarget(port, await serve(port));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  begin(trouble: Trouble): void {
    if (trouble === "killed") this.child.kill("SIGKILL");
    else if (trouble === "hanging") this.child.kill("SIGSTOP");
    else if (trouble === "failing") this.child.send({ status: 500, delayMs: 0 });
    else this.child.send({ status: 200, delayMs: SLOW_MS });
  }

  async end(trouble: Trouble): Promise<void> {
    if (trouble === "killed") this.child = await serve(this.port);
    else if (trouble === "hanging") this.child.kill("SIGCONT");
    else this.child.send({ status: 200, delayMs: 0 });
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}

async function serve(port: number): Promise<ChildProcess> {
  const child = fork(program, [String(port)], { execArgv: [] });
  await once(child, "message");
  return child;
}
