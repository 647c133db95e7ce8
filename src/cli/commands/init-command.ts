import type { CommandSpec } from "../command.ts";

export const initCommand: CommandSpec = {
  name: "init",
  summary: "write a commented configuration to begin with",
  argument: {
    form: "[file]",
    summary: "where to write it: .yaml, .json or .ts (default: gateward.yaml)",
  },
  options: [{ flags: "--force", summary: "overwrite the file if it is there" }],
  details: `
Examples:
  gateward init                 a commented gateward.yaml
  gateward init gateward.ts     the same, checked by the TypeScript compiler

Exit codes: 0 written, 1 the file is there already or cannot be written`,
  async run({ argument, options }) {
    const { init } = await import("../init.ts");
    return init({
      file: argument ?? "gateward.yaml",
      force: options["force"] === true,
      folder: process.cwd(),
    });
  },
};
