import { type CommandSpec, valueOf } from "../command.ts";
import { configOption } from "./config-option.ts";

export const startCommand: CommandSpec = {
  name: "start",
  summary: "serve traffic until told to stop",
  options: [
    configOption,
    { flags: "-w, --workers <count>", summary: "threads that serve, instead of what it says" },
  ],
  details: `
Signals:
  SIGHUP            read the configuration again (a change of the file does so by itself)
  SIGTERM, SIGINT   accept nothing new, finish what is in flight, exit

Exit codes: 0 stopped as told, 1 failed (a port is taken), 2 a mistake in the configuration`,
  async run(invocation) {
    const { start } = await import("../start.ts");
    return start({
      config: valueOf(invocation, "config"),
      workers: valueOf(invocation, "workers"),
      folder: process.cwd(),
    });
  },
};
