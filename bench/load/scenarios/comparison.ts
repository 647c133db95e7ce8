import type { BenchContext } from "../context.ts";
import { gateward } from "../gateward.ts";
import { startWrk, writeWrkScript } from "../load-generators.ts";
import type { WrkRequests } from "../load-generators.ts";
import { nginx } from "../nginx.ts";
import { probe } from "../probe.ts";
import type { ProbeAnswer } from "../probe.ts";
import { startProxy } from "../proxy.ts";
import type { ProxyKind, ProxySetup, RunningProxy } from "../proxy.ts";
import type { Row, ScenarioResult } from "../scenario.ts";
import { measureInterleaved, type ApplyLoad, type Slice } from "../slices.ts";
import { median } from "../statistics.ts";

const connectionCount = 64;

/** One proxy, set up to do one thing, and what it is compared with. */
export interface Contender {
  readonly label: string;
  readonly kind: ProxyKind;
  readonly setup: Partial<ProxySetup>;
  readonly requests: WrkRequests;
  /** Label of the one that its ratio and what it adds are taken with. */
  readonly beside?: string;
  /** A promise: its CPU time is at most so many times that. */
  readonly targetRatio?: number;
  /** Told of two answers, one after the other, whether it does what is to be measured. */
  isRight(first: ProbeAnswer, second: ProbeAnswer): boolean;
}

/**
 * CPU time per request of contenders that each do something else, over 64 kept HTTP/1.1 connections. Of those that
 * `--proxies` leaves out none takes part; what is neither nginx nor Gateward goes with nginx.
 */
export async function compare(
  context: BenchContext,
  contenders: readonly Contender[],
): Promise<ScenarioResult> {
  const partakers = contenders.filter(({ kind }) =>
    context.proxies.includes(kind === gateward ? gateward : nginx),
  );
  const proxies: RunningProxy[] = [];
  const loads = new Map<RunningProxy, ApplyLoad>();
  try {
    for (const contender of partakers) {
      context.progress(`${contender.label}: start`);
      const proxy = await startContender(context, contender);
      proxies.push(proxy);
      loads.set(proxy, prepareLoad(context, contender));
      await assertRight(proxy, contender);
    }
    const rounds = await measureInterleaved(context, proxies, (proxy, seconds) =>
      loads.get(proxy)!(proxy, seconds),
    );
    const slices = proxies.map((_, index) => rounds.map((round) => round[index]!));
    return tabulate(partakers, slices);
  } finally {
    await Promise.all(proxies.map((proxy) => context.processes.stop(proxy.process)));
  }
}

function startContender(
  context: BenchContext,
  { kind, setup, requests }: Contender,
): Promise<RunningProxy> {
  const requestHeaders = requests.headers ?? {};
  // A POST is not what finds out whether it is there.
  const path = requests.body === undefined ? requests.path : "/";
  return startProxy(context, kind, { ...setup, requestHeaders }, path);
}

function prepareLoad(context: BenchContext, { requests }: Contender): ApplyLoad {
  const script = writeWrkScript(context.folder, requests);
  return (proxy, seconds) => {
    const url = proxy.origin + requests.path;
    return startWrk(context, url, script, connectionCount, seconds).result;
  };
}

async function assertRight({ setup }: RunningProxy, contender: Contender): Promise<void> {
  const { path, body } = contender.requests;
  const request = body === undefined ? { path } : { path, body };
  const first = await probe(setup, request);
  const second = await probe(setup, request);
  const isRight = first.status === 200 && second.status === 200 && contender.isRight(first, second);
  if (isRight) return;
  throw new Error(`${contender.label} answers wrongly: ${JSON.stringify([first, second])}`);
}

function tabulate(
  contenders: readonly Contender[],
  slices: readonly (readonly Slice[])[],
): ScenarioResult {
  const rows = contenders.map(({ label, beside }, index): Row => {
    const own = slices[index]!;
    const base = slices[contenders.findIndex((each) => each.label === beside)];
    const values = {
      cpuUs: median(own.map(cpuUs)),
      adds: base && median(own.map((slice, round) => cpuUs(slice) - cpuUs(base[round]!))),
      ratio: base && median(own.map((slice, round) => cpuUs(slice) / cpuUs(base[round]!))),
      requestsPerSecond: median(own.map(({ load }) => load.requestCount / load.seconds)),
      p99Ms: median(own.map(({ load }) => load.p99Ms)),
      corePercent: median(own.map(({ coreShare }) => coreShare * 100)),
    };
    return { label, values };
  });
  const columns = [
    { key: "cpuUs", title: "CPU µs/request" },
    { key: "adds", title: "adds µs" },
    { key: "ratio", title: "ratio" },
    { key: "requestsPerSecond", title: "requests/s" },
    { key: "p99Ms", title: "p99 ms" },
    { key: "corePercent", title: "core %" },
  ];
  return { columns, rows, notes: notesOf(contenders, rows) };
}

function notesOf(contenders: readonly Contender[], rows: readonly Row[]): string[] {
  const notes: string[] = [];
  contenders.forEach(({ label, beside, targetRatio }, index) => {
    const ratio = rows[index]!.values["ratio"];
    if (ratio === undefined) return;
    if (targetRatio === undefined) {
      notes.push(`${label}: beside ${beside}.`);
      return;
    }
    const verdict = ratio <= targetRatio ? "met" : "MISSED";
    const found = `${verdict} (${ratio.toFixed(2)})`;
    notes.push(`${label}: beside ${beside}. Target at most ${targetRatio}: ${found}.`);
  });
  return notes;
}

function cpuUs({ userUs, systemUs }: Slice): number {
  return userUs + systemUs;
}
