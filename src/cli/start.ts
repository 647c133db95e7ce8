import { EXIT_MISTAKE } from "./exit-code.ts";
import { findForCommand } from "./load-for-command.ts";
import { version } from "./version.ts";

export interface StartOptions {
  config: string | undefined;
  /** As written on the command line. */
  workers: string | undefined;
  /** The working folder. */
  folder: string;
}

/** `gateward start`: resolves when the gateway has shut down. */
export async function start({ config, workers, folder }: StartOptions): Promise<number> {
  const count = workers === undefined ? undefined : Number(workers);
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 512)) {
    console.error(`gateward: --workers takes a whole number from 1 to 512, not ${workers}`);
    return EXIT_MISTAKE;
  }
  const configFile = await findForCommand(folder, config);
  if (configFile === undefined) return EXIT_MISTAKE;
  const [{ startGateway }, { AdminServer }] = await Promise.all([
    import("../runtime/start.ts"),
    import("../admin/admin-server.ts"),
  ]);
  return startGateway({
    configFile,
    cwd: folder,
    version: version(),
    openAdmin: (gateway) => new AdminServer(gateway),
    ...(count === undefined ? {} : { workers: count }),
  });
}
