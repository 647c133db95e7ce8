import { type CommandSpec, valueOf } from "../command.ts";
import { configOption } from "./config-option.ts";

export const routesCommand: CommandSpec = {
  name: "routes",
  summary: "print the routes in the order they are tried",
  options: [
    configOption,
    { flags: "-p, --policies", summary: "print what requests of each route meet, in order" },
    {
      flags: "-f, --format <format>",
      summary: "how to print it",
      choices: ["text", "json"],
      default: "text",
    },
    { flags: "--json", summary: "the same as --format json" },
  ],
  details: `
The most specific route comes first, wherever it stands in the file. A route with conditions on
headers, query, cookies, clients or content type comes before the same one without.

With --policies each policy has a line: where it is written, and which requests meet it. What plans and
consumers add comes after the policies of the route, and stands at the end.

Exit codes: 0 printed, 2 a mistake in the configuration`,
  async run(invocation) {
    const { routes } = await import("../routes.ts");
    const { options } = invocation;
    return routes({
      config: valueOf(invocation, "config"),
      policies: options["policies"] === true,
      format: options["json"] === true || options["format"] === "json" ? "json" : "text",
      folder: process.cwd(),
    });
  },
};
