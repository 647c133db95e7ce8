import type { Config, RouteConfig } from "../config/config.ts";
import type { SplitConfig } from "../config/config.ts";
import { servicesOf } from "../config/schema/handler.ts";
import { describeRoutes, type RouteRow } from "../routing/describe.ts";
import { compileRoutes } from "../routing/route-table.ts";
import { EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";
import { findForCommand, loadForCommand, mistakeLines } from "./load-for-command.ts";
import { chainLines, PolicyChains } from "./policy-chain.ts";

export interface RoutesOptions {
  config: string | undefined;
  /** With the policies that requests of each route meet. */
  policies: boolean;
  format: "text" | "json";
  /** The working folder. */
  folder: string;
}

/** `gateward routes`: the table, in the order in which routes are tried. */
export async function routes(options: RoutesOptions): Promise<number> {
  const { config, folder, policies, format } = options;
  const file = await findForCommand(folder, config);
  if (file === undefined) return EXIT_MISTAKE;
  const { loaded, mistakes } = await loadForCommand(file, folder);
  if (loaded === undefined) {
    console.error(mistakeLines(mistakes, file, folder).join("\n"));
    return EXIT_MISTAKE;
  }
  if (format === "json") console.log(JSON.stringify(routesAsData(loaded.config), null, 2));
  else console.log((policies ? chainsOfRoutes : routeLines)(loaded.config).join("\n"));
  return EXIT_OK;
}

/** A block for each row of the table: the route, and what its requests meet. */
export function chainsOfRoutes(config: Config): string[] {
  const chains = new PolicyChains(config);
  const lines: string[] = [];
  for (const row of rowsOf(config)) {
    const [methods = "", hosts = "", path = "", destination = ""] = cellsOf(row, config);
    const host = hosts === "*" ? "" : hosts;
    lines.push(`${methods} ${host}${path} -> ${destination}`);
    lines.push(...row.conditions.map((condition) => `  if ${condition}`));
    const policies = chainLines(chains.ofRoute(row.value));
    lines.push(...(policies.length === 0 ? ["  no policies"] : policies), "");
  }
  const { plans, consumers } = chains;
  for (const { name, routes: covered = [], policies } of plans) {
    lines.push(`then, with the plan ${name} (routes ${covered.join(", ")})`);
    lines.push(...chainLines(policies), "");
  }
  for (const { name, plan, policies } of consumers) {
    lines.push(
      `then, of the consumer ${name}${plan === undefined ? "" : ` (plan ${plan} before)`}`,
    );
    lines.push(...chainLines(policies), "");
  }
  return lines.slice(0, -1);
}

/** The same for programs. */
function routesAsData(config: Config) {
  const chains = new PolicyChains(config);
  return {
    routes: rowsOf(config).map((row) => ({
      name: row.value.name,
      methods: row.methods,
      hosts: row.hosts,
      path: row.path,
      conditions: row.conditions,
      goesTo: destinationOf(row.value),
      policies: chains.ofRoute(row.value),
    })),
    plans: chains.plans,
    consumers: chains.consumers,
  };
}

function rowsOf(config: Config): RouteRow<RouteConfig>[] {
  const { matcher } = compileRoutes(
    config.routes.map((route) => ({ value: route, name: route.name, match: route.match })),
  );
  return describeRoutes(matcher);
}

/** A heading and a line for each row; lines of conditions follow the route they belong to. */
export function routeLines(config: Config): string[] {
  const cells = [["METHODS", "HOSTS", "PATH", "GOES TO", "POLICIES"]];
  const notes = [""];
  for (const row of rowsOf(config)) {
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
  const behind = servicesOf(handler).flatMap((name) => config.services[name]?.policies ?? []);
  const policies = [...config.policies, ...behind, ...value.policies];
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
  if (handler.kind === "split") return describeSplit(handler);
  const { service } = handler;
  return rewrite?.path === undefined ? service : `${service} ${rewrite.path}`;
}

/** `old 95 %, new 5 % (same for each consumer)`: shares where no condition changes them. */
function describeSplit({ branches, sticky }: SplitConfig): string {
  const shared = branches.filter(({ when }) => when === undefined);
  const total = shared.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  const ways = branches.map(({ name, service, weight, when, rewrite }) => {
    const called = name === service ? service : `${name} (${service})`;
    const way = rewrite?.path === undefined ? called : `${called} ${rewrite.path}`;
    if (when !== undefined)
      return weight === null ? `${way} on condition` : `${way} by ${weight} on condition`;
    return `${way} ${Math.round(((weight ?? 0) / total) * 1000) / 10} %`;
  });
  return ways.join(", ") + (sticky === null ? "" : `; the same for each ${sticky.by}`);
}
