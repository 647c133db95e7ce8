import { readOpenedConnections } from "./connections.ts";
import type { BenchContext } from "./context.ts";
import { readCoreBusyMs, readGroupCpu } from "./cpu.ts";
import type { LoadResult } from "./load-generators.ts";
import { readGroupMemory } from "./memory.ts";
import { assertRunning } from "./process.ts";
import type { RunningProxy } from "./proxy.ts";

/** One measured stretch of load on one proxy. */
export interface Slice {
  readonly load: LoadResult;
  /** CPU time of the proxy, all processes and threads, per request that was answered. */
  readonly userUs: number;
  readonly systemUs: number;
  /** Share of the proxy's core that the proxy took, and that all others took: 0 to 1. */
  readonly coreShare: number;
  readonly othersShare: number;
  /** TCP connections opened meanwhile: by the load generator, the proxy, and strangers. */
  readonly openedCount: number;
  readonly rssBytes: number;
  readonly pssBytes: number;
}

/** Puts load on a proxy for so many seconds. */
export type ApplyLoad = (proxy: RunningProxy, seconds: number) => Promise<LoadResult>;

/** One slice of each proxy, in the order of the proxies. */
export type Round = readonly Slice[];

/** Above this share, somebody else on the proxies' core has disturbed a slice. */
const othersShareMax = 0.05;

/** How much the most disturbed slice of a round was: 0 to 1. */
export function disturbance(round: Round): number {
  return Math.max(...round.map((slice) => slice.othersShare));
}

export function isDisturbed(round: Round): boolean {
  return disturbance(round) > othersShareMax;
}

/**
 * Warms every proxy up, then measures them in turn (A B C, B C A, C A B ...), so that what disturbs
 * the machine for a while disturbs all of them. A disturbed round is made up for by another, up to
 * as many as were asked for; the calmest are returned.
 */
export async function measureInterleaved(
  context: BenchContext,
  proxies: readonly RunningProxy[],
  applyLoad: ApplyLoad,
): Promise<Round[]> {
  for (const proxy of proxies) {
    context.progress(`${proxy.kind.name}: warm-up`);
    assertClean(proxy, await applyLoad(proxy, context.sliceSeconds));
  }
  const rounds: Round[] = [];
  let calmCount = 0;
  while (calmCount < context.rounds && rounds.length < 2 * context.rounds) {
    const round = await measureRound(context, proxies, applyLoad, rounds.length);
    rounds.push(round);
    if (!isDisturbed(round)) calmCount++;
  }
  return rounds.toSorted((a, b) => disturbance(a) - disturbance(b)).slice(0, context.rounds);
}

async function measureRound(
  context: BenchContext,
  proxies: readonly RunningProxy[],
  applyLoad: ApplyLoad,
  number: number,
): Promise<Round> {
  const round: Slice[] = [];
  for (let step = 0; step < proxies.length; step++) {
    const index = (number + step) % proxies.length;
    const proxy = proxies[index];
    if (proxy === undefined) continue;
    context.progress(`${proxy.kind.name}: round ${number + 1}`);
    round[index] = await measureSlice(context, proxy, applyLoad);
  }
  return round;
}

async function measureSlice(
  context: BenchContext,
  proxy: RunningProxy,
  applyLoad: ApplyLoad,
): Promise<Slice> {
  const { pid } = proxy.process;
  const openedBefore = readOpenedConnections();
  const coreBefore = readCoreBusyMs(context.proxyCore);
  const before = readGroupCpu(pid);
  const startedMs = performance.now();
  const load = await applyLoad(proxy, context.sliceSeconds);
  const elapsedMs = performance.now() - startedMs;
  const after = readGroupCpu(pid);
  const coreMs = readCoreBusyMs(context.proxyCore) - coreBefore;
  assertClean(proxy, load);
  const userMs = after.userMs - before.userMs;
  const systemMs = after.systemMs - before.systemMs;
  return {
    load,
    userUs: (userMs * 1000) / load.requestCount,
    systemUs: (systemMs * 1000) / load.requestCount,
    coreShare: (userMs + systemMs) / elapsedMs,
    othersShare: Math.max(0, coreMs - userMs - systemMs) / elapsedMs,
    openedCount: readOpenedConnections() - openedBefore,
    ...readGroupMemory(pid),
  };
}

/** A fast answer that is wrong is no result. */
export function assertClean(proxy: RunningProxy, load: LoadResult): void {
  assertRunning(proxy.process);
  const { requestCount, badStatusCount, socketErrorCount } = load;
  if (requestCount > 0 && badStatusCount === 0 && socketErrorCount === 0) return;
  throw new Error(
    `${proxy.kind.name}: ${badStatusCount} answers that are not 2xx, ${socketErrorCount} socket errors` +
      ` among ${requestCount} requests`,
  );
}
