/**
 * gateway: runs `bin/gateward start` as a process of its own, as a user would, on free ports.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cleanup } from "./cleanup.ts";
import { freePort } from "./free-port.ts";

const executable = fileURLToPath(new URL("../../bin/gateward", import.meta.url));

/**
 * What has not come about by then will not. A start takes half a second of processor time, which is half a
 * minute where the machine is busy; a little less than a test may take, so that the failure tells of it.
 */
const startTimeoutMs = 50_000;
const reloadTimeoutMs = 50_000;
/** A second reload follows the first within this time, if at all. */
const reloadSettleMs = 500;
/** Longer than the `timeouts.shutdown` that tests use. */
const stopTimeoutMs = 20_000;

export interface GatewayOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Working folder of the process; the config's own by default. */
  readonly cwd?: string;
}

/** What the process said and how it ended. */
export interface GatewayExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * The user's form of a config. What is missing is filled in: `listen` and `admin` with free ports of
 * loopback, also the port of a listener that has neither `port` nor `path`; one worker; only
 * warnings in the log.
 */
export type GatewayConfig = Record<string, unknown>;

export class Gateway {
  /** Of the first TCP listener; 0 when there is none. */
  readonly port: number;
  /** Of the listeners in their order; 0 for Unix sockets. */
  readonly ports: readonly number[];
  readonly adminPort: number;
  readonly configFile: string;
  readonly child: ChildProcess;
  /** Standard output and standard error, as they came. */
  output = "";
  readonly exited: Promise<GatewayExit>;
  readonly #filled: FilledConfig;

  constructor(child: ChildProcess, filled: FilledConfig, configFile: string) {
    this.child = child;
    this.ports = filled.ports;
    this.port = filled.ports.find((port) => port > 0) ?? 0;
    this.adminPort = filled.adminPort;
    this.configFile = configFile;
    this.#filled = filled;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => (this.output += text));
    }
    this.exited = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.adminPort}`;
  }

  /** Waits until all workers serve; throws with what it said when it ends instead. */
  async ready(): Promise<void> {
    await this.poll(startTimeoutMs, "ready", async () => {
      const response = await fetch(`${this.adminUrl}/readyz`);
      await response.arrayBuffer();
      return response.ok || undefined;
    });
  }

  /** What the admin API says of the process. */
  async status(): Promise<GatewayStatus> {
    const response = await fetch(`${this.adminUrl}/`);
    return (await response.json()) as GatewayStatus;
  }

  /**
   * Replaces the config file, asks for a reload and waits until it has been decided. `listen` and
   * `admin` stay as they are where the config says nothing of them.
   */
  async reload(config: GatewayConfig): Promise<"applied" | "unchanged" | "refused"> {
    const filled = { ...this.#filled.config, ...config };
    const { revision, lastReload } = await this.status();
    writeConfig(this.configFile, filled);
    this.child.kill("SIGHUP");
    // The file's change may be noticed before the signal is, or after: either tells of what the other has
    // decided already, or even of the change before. Only a rising revision says enough.
    let last = lastReload?.at;
    let settledAt = Infinity;
    return await this.poll(reloadTimeoutMs, "reloaded", async () => {
      const status = await this.status();
      if (status.revision > revision) return "applied";
      const at = status.lastReload?.at;
      if (at !== last) settledAt = performance.now() + reloadSettleMs;
      last = at;
      return performance.now() > settledAt ? status.lastReload?.result : undefined;
    });
  }

  /** Ends it and waits for its exit. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<GatewayExit> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), stopTimeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** Asks again and again until there is an answer; a refused connection is none. */
  async poll<Found>(
    timeoutMs: number,
    what: string,
    ask: () => Promise<Found | undefined>,
  ): Promise<Found> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the gateway ended before it was ${what}:\n${this.output}`);
      }
      const found = await ask().catch(() => undefined);
      if (found !== undefined) return found;
      if (performance.now() > deadline) {
        throw new Error(`the gateway was not ${what} in time:\n${this.output}`);
      }
      // There is no event to wait for across processes; the pause only spares the processor.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** The part of the admin API's status that tests look at. */
export interface GatewayStatus {
  readonly revision: number;
  readonly lastReload: {
    readonly at: string;
    readonly result: "applied" | "unchanged" | "refused";
  } | null;
  readonly workers: readonly unknown[];
}

/** Starts a gateway and waits until it is ready; the test's end stops it. */
export async function startGateway(
  t: Cleanup,
  config: GatewayConfig,
  options: GatewayOptions = {},
): Promise<Gateway> {
  const gateway = await spawnGateway(t, config, options);
  await gateway.ready();
  return gateway;
}

/** Starts a gateway without waiting, for tests of what goes wrong at the start. */
export async function spawnGateway(
  t: Cleanup,
  config: GatewayConfig,
  options: GatewayOptions = {},
): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), "gateward-test-"));
  const configFile = join(folder, "gateward.json");
  const filled = await fillIn(config);
  writeConfig(configFile, filled.config);
  const child = spawn(process.execPath, [executable, "start", "--config", configFile], {
    cwd: options.cwd ?? folder,
    env: { ...process.env, ...options.env, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gateway = new Gateway(child, filled, configFile);
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await gateway.exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return gateway;
}

interface FilledConfig {
  readonly config: GatewayConfig;
  readonly ports: readonly number[];
  readonly adminPort: number;
}

async function fillIn(config: GatewayConfig): Promise<FilledConfig> {
  const given = config["listen"] ?? {};
  const listeners = await Promise.all((Array.isArray(given) ? given : [given]).map(fillListener));
  const adminPort = await freePort();
  const filled = {
    admin: `127.0.0.1:${adminPort}`,
    workers: 1,
    log: { level: "warn" },
    ...config,
    listen: listeners,
  };
  return { config: filled, ports: listeners.map(portOf), adminPort };
}

async function fillListener(listener: unknown): Promise<unknown> {
  if (typeof listener !== "object" || listener === null) return listener;
  if ("port" in listener || "path" in listener) return listener;
  return { host: "127.0.0.1", port: await freePort(), ...listener };
}

function portOf(listener: unknown): number {
  if (typeof listener === "number") return listener;
  if (typeof listener === "string") return Number(/:(\d+)$/.exec(listener)?.[1] ?? 0);
  return (listener as { port?: number }).port ?? 0;
}

/** In one step, so that a watcher never reads half a file. */
function writeConfig(file: string, config: GatewayConfig): void {
  writeFileSync(`${file}.next`, JSON.stringify(config, undefined, 2));
  renameSync(`${file}.next`, file);
}
