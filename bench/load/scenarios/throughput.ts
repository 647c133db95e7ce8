import type { BenchContext } from "../context.ts";
import { runH2load, startWrk, writeWrkScript } from "../load-generators.ts";
import type { WrkRequests } from "../load-generators.ts";
import { nginx, nginxWideBuffers } from "../nginx.ts";
import { probe } from "../probe.ts";
import { startProxy } from "../proxy.ts";
import type { ProxySetup, RunningProxy } from "../proxy.ts";
import type { Scenario, ScenarioResult } from "../scenario.ts";
import { measureInterleaved } from "../slices.ts";
import type { ApplyLoad } from "../slices.ts";
import { tabulate } from "./throughput-table.ts";

/** So few handshakes are done in the shortest slice. */
const h2ClientCountQuick = 8;

/** One way of setting all proxies up; a scenario may compare several. */
export interface Variant {
  /** Follows the proxy's name in the table; empty when there is only one. */
  readonly label: string;
  readonly setup: Partial<ProxySetup>;
  readonly requests: WrkRequests;
}

/** A closed loop of requests: what is sent, to proxies that are set up how. */
export interface ThroughputOptions {
  readonly name: string;
  readonly title: string;
  readonly connectionCount: number;
  /** Streams at once on each connection: HTTP/2 by h2load instead of HTTP/1.1 by wrk. */
  readonly streamCount?: number;
  readonly variants: readonly Variant[];
  /** Measure nginx with wide buffers, too. */
  readonly wideBuffers?: boolean;
  /** Bytes of every answer's body, checked once. */
  readonly responseBytes: number;
  /** Gateward's CPU time per request may be so many times nginx's. */
  readonly targetRatio?: number;
  /** The last variant's CPU time per request may be so many times the first one's. */
  readonly targetGrowth?: number;
  readonly notes?: readonly string[];
}

/** Makes a scenario that measures all proxies in turn under the same load. */
export function throughputScenario(options: ThroughputOptions): Scenario {
  return { name: options.name, title: options.title, run: (context) => run(context, options) };
}

async function run(context: BenchContext, options: ThroughputOptions): Promise<ScenarioResult> {
  const kinds = context.proxies.flatMap((kind) =>
    kind === nginx && options.wideBuffers ? [nginx, nginxWideBuffers] : [kind],
  );
  const proxies: RunningProxy[] = [];
  const labels: string[] = [];
  const loads = new Map<RunningProxy, ApplyLoad>();
  try {
    for (const variant of options.variants) {
      const applyLoad = prepareLoad(context, options, variant);
      for (const kind of kinds) {
        context.progress(`${kind.name}: start`);
        const proxy = await startProxy(context, kind, variant.setup, variant.requests.path);
        proxies.push(proxy);
        labels.push(`${kind.name}${variant.label && `, ${variant.label}`}`);
        loads.set(proxy, applyLoad);
        await assertAnswers(proxy, variant, options.responseBytes);
      }
    }
    const rounds = await measureInterleaved(context, proxies, (proxy, seconds) => {
      const applyLoad = loads.get(proxy);
      if (applyLoad === undefined) throw new Error("a proxy without a load");
      return applyLoad(proxy, seconds);
    });
    return tabulate(options, kinds.length, labels, proxies, rounds);
  } finally {
    await Promise.all(proxies.map((proxy) => context.processes.stop(proxy.process)));
  }
}

function prepareLoad(
  context: BenchContext,
  options: ThroughputOptions,
  { requests }: Variant,
): ApplyLoad {
  const { connectionCount, streamCount } = options;
  if (streamCount !== undefined) {
    const clientCount = context.quick ? h2ClientCountQuick : connectionCount;
    return (proxy, seconds) =>
      runH2load(context, proxy.origin + requests.path, clientCount, streamCount, seconds);
  }
  const script = writeWrkScript(context.folder, requests);
  return (proxy, seconds) =>
    startWrk(context, proxy.origin + requests.path, script, connectionCount, seconds).result;
}

/** One request by other means than the load generator's, to see that the right thing is measured. */
async function assertAnswers(
  { kind, setup }: RunningProxy,
  { requests }: Variant,
  responseBytes: number,
): Promise<void> {
  const path = requests.paths?.at(-1) ?? requests.path;
  const { bodyBytes } = requests;
  const answer = await probe(setup, bodyBytes ? { path, body: Buffer.alloc(bodyBytes) } : { path });
  const tlsVersion = setup.tls && "TLSv1.3";
  if (answer.status !== 200 || answer.bytes !== responseBytes || answer.tlsVersion !== tlsVersion) {
    throw new Error(`${kind.name} answers ${path} wrongly: ${JSON.stringify(answer)}`);
  }
}
