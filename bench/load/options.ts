import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { gateward } from "./gateward.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import type { ProxyKind } from "./proxy.ts";

export const usage = `Usage: npm run bench -- [options] [scenario ...]

  --list               name the scenarios
  --quick              short slices, few rounds, small counts: to see whether it works
  --seconds N          length of a measured slice (default 3; CPU time has steps of 10 ms)
  --rounds N           slices per proxy and scenario (default 5)
  --proxies A,B        which of nginx, haproxy, gateward (default all)
  --gateward FILE      another executable of Gateward, such as an older one's
  --json FILE          write all figures to a file
  --markdown           print the tables in Markdown
`;

const allKinds: readonly ProxyKind[] = [nginx, haproxy, gateward];

export interface BenchOptions {
  readonly list: boolean;
  readonly help: boolean;
  readonly scenarioNames: readonly string[];
  readonly quick: boolean;
  readonly sliceSeconds: number;
  readonly rounds: number;
  readonly proxies: readonly ProxyKind[];
  readonly gatewardPath: string;
  readonly jsonFile: string | undefined;
  readonly markdown: boolean;
}

/** Parses the command line. Throws an Error whose message a person can act on. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      seconds: { type: "string" },
      rounds: { type: "string" },
      proxies: { type: "string" },
      gateward: { type: "string" },
      json: { type: "string" },
    },
  });
  const ownPath = resolve(import.meta.dirname, "../../bin/gateward");
  return {
    list: values.list,
    help: values.help,
    scenarioNames: positionals,
    quick: values.quick,
    sliceSeconds: parseCount("seconds", values.seconds) ?? (values.quick ? 1 : 3),
    rounds: parseCount("rounds", values.rounds) ?? (values.quick ? 2 : 5),
    proxies: parseProxies(values.proxies),
    gatewardPath: values.gateward === undefined ? ownPath : resolve(values.gateward),
    jsonFile: values.json,
    markdown: values.markdown,
  };
}

/** Throws when this machine cannot run the benchmark at all. */
export function assertMachine(options: BenchOptions): void {
  if (process.platform !== "linux") throw new Error("the benchmark needs Linux: /proc and taskset");
  if (options.proxies.includes(gateward) && !existsSync(options.gatewardPath)) {
    throw new Error(`no Gateward at ${options.gatewardPath}; leave it out with --proxies`);
  }
}

function parseCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number`);
  return value;
}

function parseProxies(text: string | undefined): readonly ProxyKind[] {
  if (text === undefined) return allKinds;
  return text.split(",").map((name) => {
    const kind = allKinds.find((each) => each.name === name);
    if (kind === undefined)
      throw new Error(`--proxies: no ${name}; there are nginx, haproxy, gateward`);
    return kind;
  });
}
