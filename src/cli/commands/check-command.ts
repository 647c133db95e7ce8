import { type CommandSpec, valueOf } from "../command.ts";
import { configOption } from "./config-option.ts";

export const checkCommand: CommandSpec = {
  name: "check",
  summary: "find every mistake in the configuration",
  options: [
    configOption,
    { flags: "-s, --strict", summary: "warnings are mistakes too" },
    {
      flags: "-f, --format <format>",
      summary: "how to print what is found",
      choices: ["text", "json"],
      default: "text",
    },
    { flags: "-p, --print", summary: "print the configuration with every default filled in" },
  ],
  details: `
Each mistake is a line:
  file:line:column path: what is wrong; what would be right

Environment variables are put in, so set them as for start; --print shows what they hold, but for
secrets.

Exit codes: 0 no mistakes, 2 mistakes (with --strict: or warnings)`,
  async run(invocation) {
    const { check } = await import("../check.ts");
    return check({
      config: valueOf(invocation, "config"),
      strict: invocation.options["strict"] === true,
      print: invocation.options["print"] === true,
      format: valueOf(invocation, "format") === "json" ? "json" : "text",
      folder: process.cwd(),
    });
  },
};
