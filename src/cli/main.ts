import { cacheCommand } from "./commands/cache-command.ts";
import { checkCommand } from "./commands/check-command.ts";
import { consumersCommand } from "./commands/consumers-command.ts";
import { importCommand } from "./commands/import-command.ts";
import { initCommand } from "./commands/init-command.ts";
import { keysCommand } from "./commands/keys-command.ts";
import { routesCommand } from "./commands/routes-command.ts";
import { startCommand } from "./commands/start-command.ts";
import { validationCommand } from "./commands/validation-command.ts";
import { version } from "./version.ts";

/**
 * The command line: `argv` without node and script. Resolves with the exit code: 0 done, 1 failed
 * while running, 2 a mistake in the command line or the configuration.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { runProgram } = await import("./program.ts");
  return runProgram(
    {
      name: "gateward",
      summary: "An API gateway: one front door for many services, one config file.",
      version: version(),
      commands: [
        startCommand,
        checkCommand,
        routesCommand,
        initCommand,
        importCommand,
        keysCommand,
        consumersCommand,
        cacheCommand,
        validationCommand,
      ],
    },
    argv,
  );
}
