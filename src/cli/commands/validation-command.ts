import { type CommandSpec, valueOf } from "../command.ts";
import { configOption } from "./config-option.ts";

export const validationCommand: CommandSpec = {
  name: "validation",
  summary: "tell what did not fit in a gateway that runs",
  options: [
    { flags: "--json", summary: "for programs" },
    { flags: "--clear", summary: "forget what was found, and count anew" },
    { flags: "--admin <url>", summary: "its admin address, instead of the document's" },
    configOption,
  ],
  details: `
Which fields of requests and responses broke which rule of what the policy validate holds them against:
how often, when last, and what was seen there, of all workers since the start. Where validate has
mode: report these are the requests that would have been refused.

Examples:
  gateward validation
  gateward validation --json --admin http://127.0.0.1:9090

Exit codes: 0 told, 1 no gateway answers or it refuses, 2 a mistake in the command line or the
configuration`,
  async run(invocation) {
    const [{ validation }, { withRefusals }] = await Promise.all([
      import("../validation.ts"),
      import("../with-refusals.ts"),
    ]);
    const { options } = invocation;
    const [admin, config] = [valueOf(invocation, "admin"), valueOf(invocation, "config")];
    const action = options["clear"] === true ? "clear" : options["json"] === true ? "json" : "text";
    return withRefusals(() => validation({ admin, config, folder: process.cwd() }, action));
  },
};
