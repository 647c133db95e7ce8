import type { Config } from "../config/config.ts";
import { shownFile, type LoadedConfig } from "../config/load-config.ts";
import type { Mistake } from "../config/mistake.ts";
import { EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";
import { findForCommand, loadForCommand, mistakeLines } from "./load-for-command.ts";

export interface CheckOptions {
  config: string | undefined;
  strict: boolean;
  print: boolean;
  format: "text" | "json";
  /** The working folder. */
  folder: string;
}

/** `gateward check`: everything it finds goes to standard output. */
export async function check(options: CheckOptions): Promise<number> {
  const { folder, format, strict, print } = options;
  const file = await findForCommand(folder, options.config);
  if (file === undefined) return EXIT_MISTAKE;
  const { loaded, mistakes } = await loadForCommand(file, folder);
  const isRefused = loaded === undefined || (strict && mistakes.length > 0);
  const name = shownFile(file, folder);
  if (format === "json") printJson(name, isRefused, mistakes, print ? loaded : undefined);
  else printText(name, loaded, mistakes, print, mistakeLines(mistakes, file, folder));
  return isRefused ? EXIT_MISTAKE : EXIT_OK;
}

function printJson(
  file: string,
  isRefused: boolean,
  mistakes: readonly Mistake[],
  loaded: LoadedConfig | undefined,
): void {
  const config = loaded === undefined ? {} : { config: loaded.config };
  console.log(JSON.stringify({ file, ok: !isRefused, mistakes, ...config }, hideSecret, 2));
}

function printText(
  file: string,
  loaded: LoadedConfig | undefined,
  mistakes: readonly Mistake[],
  print: boolean,
  lines: readonly string[],
): void {
  // With --print, standard output is the configuration alone, to be piped on.
  const say = print ? console.error : console.log;
  if (mistakes.length > 0) say(lines.join("\n"));
  if (loaded === undefined) return;
  if (mistakes.length === 0) say(`${file}: ${sizeOf(loaded.config)}, no mistakes`);
  if (print) console.log(JSON.stringify(loaded.config, hideSecret, 2));
}

/** `password`, `sentinelPassword`, `clientSecret`: one, or a list of them. */
const SECRET = /(secret|password|passphrase)$/i;

/** What is printed ends up in build logs and tickets. */
function hideSecret(key: string, value: unknown): unknown {
  const isGiven = Array.isArray(value) || (typeof value === "string" && value !== "");
  return isGiven && SECRET.test(key) ? "(hidden)" : value;
}

function sizeOf({ routes, services }: Config): string {
  const serviceCount = Object.keys(services).length;
  const routeWord = routes.length === 1 ? "route" : "routes";
  return `${routes.length} ${routeWord}, ${serviceCount} ${serviceCount === 1 ? "service" : "services"}`;
}
