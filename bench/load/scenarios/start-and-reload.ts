import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "../context.ts";
import { startWrk, writeWrkScript } from "../load-generators.ts";
import type { LoadResult } from "../load-generators.ts";
import { probeUntilAnswered } from "../probe.ts";
import { assertRunning } from "../process.ts";
import { startProxy } from "../proxy.ts";
import type { ProxyKind, RunningProxy } from "../proxy.ts";
import { listRoutePaths, routePath } from "../routes.ts";
import type { Row, Scenario, ScenarioResult } from "../scenario.ts";
import { median } from "../statistics.ts";

const ROUTES_FEW = 10;
const ROUTES_MANY = 10_000;
const STARTS = 3;
const QUIET_RELOADS = 5;
const LOADED_RELOADS = 10;
/** Load before the first and after the last of the reloads. */
const LEAD_MS = 500;
/** wrk is ended when the reloads are done; this is only a bound. */
const LOAD_SECONDS_MAX = 300;

/** How long a start and a change of configuration take, and what a change costs those who are served. */
export const startAndReload: Scenario = {
  name: "start-and-reload",
  title:
    "start to first answer; reload of 10,000 routes until a new route answers; 10 reloads under load",
  async run(context): Promise<ScenarioResult> {
    const rows: Row[] = [];
    const notes: string[] = [
      "A reload is timed from the change of the file, followed at once by the signal, to the first answer of the new route.",
      "Lost: answers that were not 2xx, and connections that broke off, out of all requests while reloading 10 times.",
    ];
    for (const kind of context.proxies) {
      const { values, load } = await measureKind(context, kind);
      rows.push({ label: kind.name, values });
      if (kind.name === "gateward" && values.lost !== 0) {
        throw new Error(`gateward lost requests during reloads: ${JSON.stringify(load)}`);
      }
    }
    return {
      columns: [
        { key: "startFewMs", title: "start, 10 routes ms" },
        { key: "startManyMs", title: "start, 10,000 routes ms" },
        { key: "reloadMs", title: "reload ms" },
        { key: "watchMs", title: "reload without signal ms" },
        { key: "loadedReloadMs", title: "reload under load ms" },
        { key: "requests", title: "requests meanwhile" },
        { key: "lost", title: "lost" },
        { key: "p99Ms", title: "p99 meanwhile ms" },
      ],
      rows,
      notes,
    };
  },
};

async function measureKind(
  context: BenchContext,
  kind: ProxyKind,
): Promise<{ values: Record<string, number | undefined>; load: LoadResult }> {
  const startFewMs = await measureStarts(context, kind, ROUTES_FEW);
  const startManyMs = await measureStarts(context, kind, ROUTES_MANY);
  const start = { routeCount: ROUTES_MANY };
  const proxy = await startProxy(context, kind, start, routePath(0));
  try {
    context.progress(`${kind.name}: reloads`);
    const reloads = new Reloads(context, proxy);
    const reloadMs = await reloads.measure(QUIET_RELOADS, true);
    const watchMs = kind.watchesFile ? await reloads.measure(QUIET_RELOADS, false) : undefined;
    const { loadedReloadMs, load } = await reloadUnderLoad(context, proxy, reloads);
    const values = {
      startFewMs,
      startManyMs,
      reloadMs,
      watchMs,
      loadedReloadMs,
      requests: load.requestCount,
      lost: load.badStatusCount + load.socketErrorCount,
      p99Ms: load.p99Ms,
    };
    return { values, load };
  } finally {
    await context.processes.stop(proxy.process);
  }
}

async function measureStarts(
  context: BenchContext,
  kind: ProxyKind,
  routeCount: number,
): Promise<number> {
  const durations: number[] = [];
  for (let count = 0; count < STARTS; count++) {
    context.progress(`${kind.name}: start with ${routeCount} routes`);
    const proxy = await startProxy(context, kind, { routeCount }, routePath(routeCount - 1));
    durations.push(proxy.startMs);
    await context.processes.stop(proxy.process);
  }
  return median(durations);
}

/** Changes of one proxy's configuration, each of which adds a route. */
class Reloads {
  readonly #context: BenchContext;
  readonly #proxy: RunningProxy;
  #routeCount: number;

  constructor(context: BenchContext, proxy: RunningProxy) {
    this.#context = context;
    this.#proxy = proxy;
    this.#routeCount = proxy.setup.routeCount;
  }

  /** Median milliseconds of so many reloads, one after the other. */
  async measure(count: number, withSignal: boolean): Promise<number> {
    const durations: number[] = [];
    for (let done = 0; done < count; done++) durations.push(await this.#once(withSignal));
    return median(durations);
  }

  async #once(withSignal: boolean): Promise<number> {
    const { kind, setup, folder, process } = this.#proxy;
    const routeCount = ++this.#routeCount;
    kind.writeConfig(folder, { ...setup, routeCount });
    const startedMs = performance.now();
    if (withSignal) this.#context.processes.signal(process, kind.reloadSignal);
    await probeUntilAnswered(setup, routePath(routeCount - 1), () => assertRunning(process));
    return performance.now() - startedMs;
  }
}

async function reloadUnderLoad(
  context: BenchContext,
  proxy: RunningProxy,
  reloads: Reloads,
): Promise<{ loadedReloadMs: number; load: LoadResult }> {
  context.progress(`${proxy.kind.name}: reloads under load`);
  const paths = listRoutePaths(ROUTES_MANY);
  const script = writeWrkScript(context.folder, { path: routePath(0), paths });
  const url = proxy.origin + routePath(0);
  const wrk = startWrk(context, url, script, 64, LOAD_SECONDS_MAX);
  wrk.result.catch(() => {}); // reported by the await below, unless a reload fails first
  try {
    await sleep(LEAD_MS);
    const loadedReloadMs = await reloads.measure(LOADED_RELOADS, true);
    await sleep(LEAD_MS);
    context.processes.signal(wrk.process, "SIGINT");
    return { loadedReloadMs, load: await wrk.result };
  } finally {
    context.processes.signal(wrk.process, "SIGKILL");
  }
}
