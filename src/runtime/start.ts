import { availableParallelism } from "node:os";
import { createLog, type ProcessLog } from "../base/log/create-log.ts";
import { findConfig } from "../config/load/find-config.ts";
import { loadConfig, type LoadedConfig, type LoadResult } from "../config/load-config.ts";
import { formatMistake } from "../config/mistake.ts";
import { openDns } from "./endpoint-source.ts";
import { fileFingerprint } from "./file-watcher.ts";
import { Gateway } from "./gateway.ts";
import type { OpenAdmin } from "./gateway-view.ts";
import { onSignals } from "./process-signals.ts";
import { probeReusePort } from "./reuse-port.ts";

const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_MISTAKE = 2;

export interface StartSettings {
  /** Absolute, or relative to `cwd`; without one the usual names are looked for in `cwd`. */
  configFile?: string;
  cwd?: string;
  /** In place of what the configuration says. */
  workers?: number;
  version: string;
  openAdmin: OpenAdmin;
  /** URL of the module that serves traffic; tests put a fake in its place. */
  dataPlaneModule?: string;
}

/**
 * Runs a gateway until it is told to end. Resolves with the exit code: 0 ended as told, 1 could not serve, 2 the
 * configuration has mistakes (they are on standard error), 128 and the signal's number when told twice. The
 * process should then end, whatever still holds it.
 */
export async function startGateway(settings: StartSettings): Promise<number> {
  const { configFile, cwd = process.cwd() } = settings;
  const file = await findConfig(cwd, configFile);
  if (file === undefined) {
    process.stderr.write(`gateward: no configuration in ${cwd}\n`);
    return EXIT_MISTAKE;
  }
  const load = (before?: LoadedConfig): Promise<LoadResult> =>
    loadConfig({ file, folder: cwd, before });
  const fingerprint = await fileFingerprint(file);
  const { loaded, mistakes } = await load();
  if (loaded === undefined) {
    for (const mistake of mistakes) process.stderr.write(`${formatMistake(mistake)}\n`);
    return EXIT_MISTAKE;
  }
  const log = createLog(loaded.config.log);
  for (const mistake of mistakes) log.warn(formatMistake(mistake));
  const gateway = new Gateway({
    version: settings.version,
    loaded,
    fingerprint,
    load,
    workerCount: await countWorkers(settings.workers ?? loaded.config.workers, log),
    log,
    openEndpoints: openDns,
    openAdmin: settings.openAdmin,
    dataPlaneModule: settings.dataPlaneModule,
  });
  return run(gateway, log);
}

async function run(gateway: Gateway, log: ProcessLog): Promise<number> {
  const ended = Promise.withResolvers<number>();
  let isEnding = false;
  const end = (exitCode: number): void => {
    isEnding = true;
    gateway.shutDown().then(
      () => ended.resolve(exitCode),
      (error: unknown) => ended.reject(error),
    );
  };
  using _signals = onSignals({
    terminate: (_, count, exitCode) => {
      if (count === 1) end(EXIT_OK);
      else void gateway.close().finally(() => ended.resolve(exitCode));
    },
    reload: () => gateway.reload("SIGHUP"),
    reopenLogs: () => gateway.reopenLogs(),
  });
  // A mistake of ours in the control plane: what workers have in flight is still finished.
  const onUncaught = (error: unknown): void => {
    log.fatal("uncaught in the main thread, shutting down", { error });
    if (!isEnding) end(EXIT_FAILURE);
  };
  process.on("uncaughtException", onUncaught);
  try {
    await gateway.start();
  } catch (error) {
    if (isEnding) return await ended.promise;
    log.fatal((error as Error).message);
    return EXIT_FAILURE;
  }
  const exitCode = await ended.promise;
  process.off("uncaughtException", onUncaught);
  return exitCode;
}

/** How many threads serve: one where the system cannot spread connections over several. */
async function countWorkers(wanted: number | "auto", log: ProcessLog): Promise<number> {
  const count = wanted === "auto" ? availableParallelism() : wanted;
  if (count === 1 || (await probeReusePort())) return count;
  log.warn("one worker serves: this system cannot share a port among several", { wanted: count });
  return 1;
}
