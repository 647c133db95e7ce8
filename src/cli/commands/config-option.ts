import type { OptionSpec } from "../command.ts";

/** `--config`, alike for every command that reads the configuration. */
export const configOption: OptionSpec = {
  flags: "-c, --config <file>",
  summary: "configuration (default: gateward.yaml, .yml, .json or .ts in this folder)",
};
