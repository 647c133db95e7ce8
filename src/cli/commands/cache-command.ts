import { type CommandSpec, valueOf } from "../command.ts";
import { configOption } from "./config-option.ts";
import { namesOf } from "./key-options.ts";

const purgeCommand: CommandSpec = {
  name: "purge",
  summary: "have a gateway that runs forget stored responses",
  options: [
    {
      flags: "--url <url>",
      summary:
        "all variants of this address, as clients ask for it; with /* at its end, all below it",
    },
    {
      flags: "--tag <names>",
      summary: "what services gave one of these tags, separated by commas",
    },
    { flags: "--all", summary: "everything" },
    { flags: "--admin <url>", summary: "its admin address, instead of the document's" },
    configOption,
  ],
  details: `
It is in force in all workers when the command ends; in Redis, for all machines, a moment later. What
is in the memory of other machines stays: ask each.

Examples:
  gateward cache purge --url https://shop.example/products/7
  gateward cache purge --url 'https://shop.example/products/*'
  gateward cache purge --tag product-7,prices --admin http://127.0.0.1:9090

Exit codes: 0 forgotten, or there was nothing, 1 no gateway answers or it refuses, 2 a mistake in the
command line or the configuration`,
  async run(invocation) {
    const [{ purgeCache, purgeOrders }, { withRefusals }] = await Promise.all([
      import("../purge-cache.ts"),
      import("../with-refusals.ts"),
    ]);
    return withRefusals(() => {
      const tags = namesOf(invocation, "tag");
      const all = invocation.options["all"] === true;
      const orders = purgeOrders(valueOf(invocation, "url"), tags, all);
      const [admin, config] = [valueOf(invocation, "admin"), valueOf(invocation, "config")];
      return purgeCache({ admin, config, folder: process.cwd() }, orders);
    });
  },
};

export const cacheCommand: CommandSpec = {
  name: "cache",
  summary: "have stored responses forgotten",
  options: [],
  commands: [purgeCommand],
  details: "",
};
