import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "../context.ts";
import { startWrk, writeWrkScript } from "../load-generators.ts";
import { probeUntilAnswered } from "../probe.ts";
import { assertRunning } from "../process.ts";
import { startProxy } from "../proxy.ts";
import type { ProxyKind, RunningProxy } from "../proxy.ts";
import { listRoutePaths, routePath } from "../routes.ts";
import type { Row, Scenario, ScenarioResult } from "../scenario.ts";
import { median } from "../statistics.ts";

const routeCountFew = 10;

interface Counts {
  readonly routesMany: number;
  readonly starts: number;
  readonly quietReloads: number;
  readonly loadedReloads: number;
}

const counts: Counts = { routesMany: 10_000, starts: 3, quietReloads: 5, loadedReloads: 10 };
const countsQuick: Counts = { routesMany: 1000, starts: 1, quietReloads: 1, loadedReloads: 2 };

/**
 * Rest before each reload. haproxy's master executes itself anew after its worker has begun to answer,
 * and loses a signal that comes meanwhile.
 */
const restMs = 500;
/** Load before the first and after the last of the reloads. */
const leadMs = 500;
/** wrk is ended when the reloads are done; this is only a bound. */
const loadSecondsMax = 300;

/** How long a start and a change of configuration take, and what a change costs those who are served. */
export const startAndReload: Scenario = {
  name: "start-and-reload",
  title: "start to first answer; reload until a new route answers, at rest and under load",
  async run(context): Promise<ScenarioResult> {
    const many = context.quick ? countsQuick : counts;
    const rows: Row[] = [];
    for (const kind of context.proxies) rows.push(await measureKind(context, kind, many));
    const routes = `${many.routesMany.toLocaleString("en-US")} routes`;
    const lost = rows.find(({ label }) => label === "gateward")?.values.lost ?? 0;
    return {
      columns: [
        { key: "startFewMs", title: `start, ${routeCountFew} routes ms` },
        { key: "startManyMs", title: `start, ${routes} ms` },
        { key: "reloadMs", title: `reload, ${routes} ms` },
        { key: "watchMs", title: "by file watch ms" },
        { key: "loadedReloadMs", title: "under load ms" },
        { key: "requests", title: "requests meanwhile" },
        { key: "lost", title: "lost" },
        { key: "p99Ms", title: "p99 meanwhile ms" },
      ],
      rows,
      notes: [
        "A reload is timed from the change of the file, followed at once by the signal, to the first answer of the new route.",
        `Lost: answers that were not 2xx and connections that broke off, of all requests during ${many.loadedReloads} reloads.`,
      ],
      failure: lost > 0 ? `gateward lost ${lost} requests during reloads` : undefined,
    };
  },
};

async function measureKind(context: BenchContext, kind: ProxyKind, many: Counts): Promise<Row> {
  const startFewMs = await measureStarts(context, kind, routeCountFew, many.starts);
  const startManyMs = await measureStarts(context, kind, many.routesMany, many.starts);
  const start = { routeCount: many.routesMany };
  const proxy = await startProxy(context, kind, start, routePath(0));
  try {
    context.progress(`${kind.name}: reloads`);
    const reloads = new Reloads(context, proxy);
    const reloadMs = await reloads.measure(many.quietReloads, true);
    const watchMs = kind.watchesFile ? await reloads.measure(many.quietReloads, false) : undefined;
    const underLoad = await reloadUnderLoad(context, proxy, reloads, many);
    return {
      label: kind.name,
      values: { startFewMs, startManyMs, reloadMs, watchMs, ...underLoad },
    };
  } finally {
    await context.processes.stop(proxy.process);
  }
}

async function measureStarts(
  context: BenchContext,
  kind: ProxyKind,
  routeCount: number,
  startCount: number,
): Promise<number> {
  const durations: number[] = [];
  for (let count = 0; count < startCount; count++) {
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
    await sleep(restMs);
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
  many: Counts,
): Promise<Row["values"]> {
  context.progress(`${proxy.kind.name}: reloads under load`);
  const paths = listRoutePaths(many.routesMany);
  const script = writeWrkScript(context.folder, { path: routePath(0), paths });
  const url = proxy.origin + routePath(0);
  const wrk = startWrk(context, url, script, 64, loadSecondsMax);
  wrk.result.catch(() => {}); // reported by the await below, unless a reload fails first
  try {
    await sleep(leadMs);
    const loadedReloadMs = await reloads.measure(many.loadedReloads, true);
    await sleep(leadMs);
    context.processes.signal(wrk.process, "SIGINT");
    const load = await wrk.result;
    return {
      loadedReloadMs,
      requests: load.requestCount,
      lost: load.badStatusCount + load.socketErrorCount,
      p99Ms: load.p99Ms,
    };
  } finally {
    context.processes.signal(wrk.process, "SIGKILL");
  }
}
