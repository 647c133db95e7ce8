import type { Config, RouteConfig } from "../config/config.ts";
import { describeRoutes, type RouteRow } from "../routing/describe.ts";
import { compileRoutes } from "../routing/route-table.ts";
import { EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";
import { findForCommand, loadForCommand, mistakeLines } from "./load-for-command.ts";

export interface RoutesOptions {
  config: string | undefined;
  /** The working folder. */
  folder: string;
}

/** `gateward routes`: the table, in the order in which routes are tried. */
export async function routes({ config, folder }: RoutesOptions): Promise<number> {
  const file = await findForCommand(folder, config);
  if (file === undefined) return EXIT_MISTAKE;
  const { loaded, mistakes } = await loadForCommand(file, folder);
  if (loaded === undefined) {
    console.error(mistakeLines(mistakes, file, folder).join("\n"));
    return EXIT_MISTAKE;
  }
  console.log(routeLines(loaded.config).join("\n"));
  return EXIT_OK;
}

/** A heading and a line for each row; lines of conditions follow the route they belong to. */
export function routeLines(config: Config): string[] {
  const { matcher } = compileRoutes(
    config.routes.map((route) => ({ value: route, name: route.name, match: route.match })),
  );
  const cells = [["METHODS", "HOSTS", "PATH", "GOES TO", "POLICIES"]];
  const notes = [""];
  for (const row of describeRoutes(matcher)) {
    cells.push(cellsOf(row, config));
    notes.push(row.conditions.map((condition) => `  if ${condition}\n`).join(""));
  }
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row, index) => {
    const line = row.map((text, column) => text.padEnd(widths[column]!)).join("  ");
    return `${line.trimEnd()}\n${notes[index]}`.trimEnd();
  });
}

function cellsOf({ methods, hosts, path, value }: RouteRow<RouteConfig>, config: Config): string[] {
  const { handler } = value;
  const service = handler.kind === "service" ? config.services[handler.service] : undefined;
  const policies = [...config.policies, ...(service?.policies ?? []), ...value.policies];
  return [
    methods.join(",") || "*",
    hosts.join(","),
    path,
    destinationOf(value),
    policies.map(({ name }) => name).join(", "),
  ];
}

function destinationOf({ handler, rewrite }: RouteConfig): string {
  if (handler.kind === "redirect") return `redirect ${handler.status} ${handler.to}`;
  if (handler.kind === "respond") return `respond ${handler.status}`;
  const { service } = handler;
  return rewrite?.path === undefined ? service : `${service} ${rewrite.path}`;
}
