/** redis-server: a real Redis of the machine's on a free port, which a test may kill and bring back. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { commandPath } from "./command-path.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

interface RedisServerSettings {
  port?: number;
  /** Of a Cluster's node. */
  busPort?: number;
  options?: readonly string[];
}

export class RedisServer {
  readonly port: number;
  /** Where it meets the others of a Cluster; 0 where it is in none. */
  readonly busPort: number;
  private readonly folder: string;
  private readonly options: readonly string[];
  private child: ChildProcess | undefined;

  constructor(port: number, folder: string, { busPort = 0, options = [] }: RedisServerSettings) {
    this.port = port;
    this.busPort = busPort;
    this.folder = folder;
    this.options = options;
    this.child = undefined;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again after `kill`, with nothing in it. */
  async start(): Promise<void> {
    const fixed = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.folder];
    const still = ["--save", "", "--daemonize", "no"];
    // A configuration file, such as a Sentinel's, comes before all options.
    const [first = ""] = this.options;
    const [file, rest] = first.startsWith("/")
      ? [[first], this.options.slice(1)]
      : [[], this.options];
    const args = [...file, ...fixed, ...(rest.includes("--sentinel") ? [] : still), ...rest];
    const child = spawn(commandPath("redis-server")!, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended:\n${output}`);
      return await this.command("PING").then(
        (answer) => !answer.startsWith("-LOADING"),
        () => false,
      );
    });
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    await end(this.child, "SIGKILL");
  }

  /** It keeps its connections and answers nothing, until `resume`. */
  pause(): void {
    this.child?.kill("SIGSTOP");
  }

  resume(): void {
    this.child?.kill("SIGCONT");
  }

  /** Sends one command, its words parted by blanks, and gives the answer as it comes, in its protocol. */
  async command(line: string): Promise<string> {
    const socket = connect(this.port, "127.0.0.1");
    try {
      socket.setEncoding("utf8").write(`${line}\r\n`);
      const [answer] = (await once(socket, "data")) as [string];
      return answer;
    } finally {
      socket.destroy();
    }
  }

  async dispose(): Promise<void> {
    this.resume();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts a server; the test's end stops it. */
export async function startRedis(
  t: Cleanup,
  settings: RedisServerSettings = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "gateward-redis-"));
  const server = new RedisServer(settings.port ?? (await freePort()), folder, settings);
  t.after(() => server.dispose());
  await server.start();
  return server;
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}
