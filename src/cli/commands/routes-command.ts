import { type CommandSpec, valueOf } from "../command.ts";
import { configOption } from "./config-option.ts";

export const routesCommand: CommandSpec = {
  name: "routes",
  summary: "print the routes in the order they are tried",
  options: [configOption],
  details: `
The most specific route comes first, wherever it stands in the file. A route with conditions on
headers, query, cookies, clients or content type comes before the same one without.

Exit codes: 0 printed, 2 a mistake in the configuration`,
  async run(invocation) {
    const { routes } = await import("../routes.ts");
    return routes({ config: valueOf(invocation, "config"), folder: process.cwd() });
  },
};
