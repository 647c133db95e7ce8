/** policies: what each policy adds to a plain request, and what usual sets of them cost beside nginx. */
import type { BenchContext } from "../context.ts";
import { gateward } from "../gateward.ts";
import { startWrk, writeWrkScript } from "../load-generators.ts";
import { nginx } from "../nginx.ts";
import { startProxy } from "../proxy.ts";
import type { RunningProxy } from "../proxy.ts";
import type { Row, Scenario, ScenarioResult } from "../scenario.ts";
import { measureInterleaved, type Slice } from "../slices.ts";
import { median } from "../statistics.ts";
import { furtherPolicySets } from "./further-policy-sets.ts";
import { policySets, type PolicySet } from "./policy-sets.ts";

const connectionCount = 64;
const path = "/users/123";
/** Of plain nginx's CPU time, for the sets that the README promises something of. */
const targetRatio = 1.5;

export const policies: Scenario = {
  name: "policies-64",
  title: "as plain-64: what each policy adds, and two usual sets of them",
  run,
};

async function run(context: BenchContext): Promise<ScenarioResult> {
  const sets = [...policySets(), ...furtherPolicySets(path, context.upstreamPort)];
  const proxies: RunningProxy[] = [];
  const scripts = new Map<RunningProxy, string>();
  const start = async (kind: typeof nginx, set: PolicySet | undefined): Promise<void> => {
    context.progress(`${kind.name}, ${set?.label ?? "plain"}: start`);
    const headers = set?.headers ?? {};
    const setup = set === undefined ? {} : { ...set.setup, requestHeaders: headers };
    const proxy = await startProxy(context, kind, setup, path);
    proxies.push(proxy);
    scripts.set(proxy, writeWrkScript(context.folder, { path, headers }));
  };
  try {
    if (context.proxies.includes(nginx)) await start(nginx, undefined);
    await start(gateward, undefined);
    for (const set of sets) await start(gateward, set);
    const rounds = await measureInterleaved(context, proxies, (proxy, seconds) => {
      const url = proxy.origin + path;
      return startWrk(context, url, scripts.get(proxy)!, connectionCount, seconds).result;
    });
    const slices = proxies.map((_, index) => rounds.map((round) => round[index]!));
    return tabulate(sets, proxies, slices);
  } finally {
    await Promise.all(proxies.map((proxy) => context.processes.stop(proxy.process)));
  }
}

function tabulate(
  sets: readonly PolicySet[],
  proxies: readonly RunningProxy[],
  slices: readonly (readonly Slice[])[],
): ScenarioResult {
  const plainIndex = proxies.findIndex(({ kind }) => kind === gateward);
  const plain = slices[plainIndex]!;
  const base = plainIndex === 0 ? undefined : slices[0];
  const labels = [...(base === undefined ? [] : ["nginx"]), "gateward"];
  for (const { label } of sets) labels.push(`gateward, ${label}`);
  const rows = slices.map((own, index): Row => {
    const values = {
      cpuUs: median(own.map(cpuUs)),
      adds:
        index > plainIndex
          ? median(own.map((one, at) => cpuUs(one) - cpuUs(plain[at]!)))
          : undefined,
      ratio: base && median(own.map((one, at) => cpuUs(one) / cpuUs(base[at]!))),
      requestsPerSecond: median(own.map(({ load }) => load.requestCount / load.seconds)),
      p99Ms: median(own.map(({ load }) => load.p99Ms)),
    };
    return { label: labels[index]!, values };
  });
  const columns = [
    { key: "cpuUs", title: "CPU µs/request" },
    { key: "adds", title: "adds µs" },
    { key: "ratio", title: "× plain nginx" },
    { key: "requestsPerSecond", title: "requests/s" },
    { key: "p99Ms", title: "p99 ms" },
  ];
  return { columns, rows, notes: base === undefined ? [] : verdicts(sets, rows) };
}

function verdicts(sets: readonly PolicySet[], rows: readonly Row[]): string[] {
  return sets
    .filter(({ hasTarget }) => hasTarget)
    .map(({ label }) => {
      const ratio = rows.find((row) => row.label === `gateward, ${label}`)?.values["ratio"] ?? NaN;
      const verdict = ratio <= targetRatio ? "met" : "MISSED";
      return `Target × plain nginx at most ${targetRatio} with ${label}: ${verdict} (${ratio.toFixed(2)}).`;
    });
}

function cpuUs({ userUs, systemUs }: Slice): number {
  return userUs + systemUs;
}
