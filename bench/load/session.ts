import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate } from "./certificate.ts";
import type { BenchContext } from "./context.ts";
import { ProcessSet } from "./process.ts";
import { startUpstream } from "./upstream.ts";

type SessionSettings = Pick<
  BenchContext,
  | "proxies"
  | "gatewardPath"
  | "proxyCore"
  | "loadCores"
  | "sliceSeconds"
  | "rounds"
  | "quick"
  | "progress"
>;

export interface Session extends AsyncDisposable {
  readonly context: BenchContext;
}

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** By themselves these signals end a process without its exit handlers. */
function exitWithHandlers(): void {
  process.exit(130);
}

/**
 * Makes the temporary folder, the certificate and the upstream. Disposing ends every process and
 * removes the folder; leaving the process in any orderly way does too.
 */
export async function openSession(settings: SessionSettings): Promise<Session> {
  const folder = mkdtempSync(join(tmpdir(), "gateward-bench-"));
  const processes = new ProcessSet();
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.on("exit", removeFolder); // after that of ProcessSet: nobody writes there any more
  for (const signal of endingSignals) process.on(signal, exitWithHandlers);
  const dispose = async (): Promise<void> => {
    await processes.dispose();
    process.off("exit", removeFolder);
    for (const signal of endingSignals) process.off(signal, exitWithHandlers);
    removeFolder();
  };
  try {
    const upstreamPort = await startUpstream(processes, folder, settings.loadCores);
    const context: BenchContext = {
      ...settings,
      folder,
      processes,
      upstreamPort,
      certificate: createCertificate(folder),
    };
    return { context, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
