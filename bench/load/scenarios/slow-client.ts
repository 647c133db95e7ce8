import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "../context.ts";
import { startWrk, writeWrkScript } from "../load-generators.ts";
import { readGroupRssBytes, readGroupWrittenBytes } from "../memory.ts";
import { startProxy } from "../proxy.ts";
import type { ProxyKind } from "../proxy.ts";
import type { Row, Scenario, ScenarioResult } from "../scenario.ts";
import { assertClean } from "../slices.ts";
import { response100m, response1g } from "../upstream.ts";

/** Slow beside what the proxies can do (over 1 GB/s), fast enough that one may wait for the end. */
const readBytesPerSecond = 100_000_000;
const sampleMs = 100;
/** How often the reader looks whether it is ahead of its rate. */
const paceMs = 10;

/** Memory of a proxy while a client reads a big response more slowly than the service sends it. */
export const slowClient: Scenario = {
  name: "slow-client-1g",
  title: "one client reads 1 GB at 100 MB/s while the service could send ten times as fast",
  async run(context): Promise<ScenarioResult> {
    const response = context.quick ? response100m : response1g;
    const rows: Row[] = [];
    for (const kind of context.proxies) {
      rows.push(await measureSlowClient(context, kind, response));
    }
    return {
      columns: [
        { key: "growthMb", title: "largest RSS growth MB" },
        { key: "rssMb", title: "largest RSS MB" },
        { key: "writtenMb", title: "written to disk MB" },
        { key: "readMb", title: "read MB" },
        { key: "seconds", title: "seconds" },
      ],
      rows,
      notes: [
        "nginx keeps its memory small by writing what the client has not read to a temporary file (proxy_buffering, its default).",
      ],
    };
  },
};

async function measureSlowClient(
  context: BenchContext,
  kind: ProxyKind,
  response: { readonly path: string; readonly bytes: number },
): Promise<Row> {
  context.progress(`${kind.name}: slow client`);
  const proxy = await startProxy(context, kind, {}, "/");
  const { pid } = proxy.process;
  let sampler: NodeJS.Timeout | undefined;
  try {
    const script = writeWrkScript(context.folder, { path: "/" });
    assertClean(proxy, await startWrk(context, proxy.origin, script, 64, 1).result);
    const before = readGroupRssBytes(pid);
    const writtenBefore = readGroupWrittenBytes(pid);
    let largest = before;
    sampler = setInterval(() => (largest = Math.max(largest, readGroupRssBytes(pid))), sampleMs);
    const startedMs = performance.now();
    const readBytes = await readSlowly(proxy.setup.port, response.path);
    const seconds = (performance.now() - startedMs) / 1000;
    if (readBytes !== response.bytes) throw new Error(`${kind.name}: ${readBytes} bytes came`);
    return {
      label: kind.name,
      values: {
        growthMb: (largest - before) / 1e6,
        rssMb: largest / 1e6,
        writtenMb: (readGroupWrittenBytes(pid) - writtenBefore) / 1e6,
        readMb: readBytes / 1e6,
        seconds,
      },
    };
  } finally {
    clearInterval(sampler);
    await context.processes.stop(proxy.process);
  }
}

/** Reads a response at the set rate and returns its bytes; rejects when it breaks off. */
async function readSlowly(port: number, path: string): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, agent: false }, resolve).on("error", reject).end();
  });
  const startedMs = performance.now();
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    const dueMs = startedMs + (bytes / readBytesPerSecond) * 1000;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > paceMs) await sleep(aheadMs);
  }
  return bytes;
}
