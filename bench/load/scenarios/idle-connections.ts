import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "../context.ts";
import { startWrk, writeWrkScript } from "../load-generators.ts";
import { readGroupMemory } from "../memory.ts";
import { assertRunning } from "../process.ts";
import { readProcFile } from "../process-group.ts";
import { startProxy } from "../proxy.ts";
import type { ProxyKind } from "../proxy.ts";
import type { Row, Scenario, ScenarioResult } from "../scenario.ts";
import { assertClean } from "../slices.ts";

const connectionCount = 10_000;
const connectionCountQuick = 1000;
/** Connections in the making at once; nginx's listen backlog is 511. */
const openingMax = 100;
/** One source address has some 28,000 ports, of which earlier scenarios may still hold many. */
const connectionsPerAddress = 2000;
/** Files that we and the proxy have open besides the connections. */
const otherFileCount = 500;
/** Buffers are given back and garbage is collected some time after the last request. */
const settleMs = 3000;
const settleMsQuick = 500;

/** Memory that a kept-alive connection costs a proxy while nothing happens on it. */
export const idleConnections: Scenario = {
  name: "idle-10k",
  title: "10,000 kept-alive connections, idle after one request each",
  async run(context): Promise<ScenarioResult> {
    const count = context.quick ? connectionCountQuick : connectionCount;
    assertFileLimit(count + otherFileCount);
    const rows: Row[] = [];
    for (const kind of context.proxies) rows.push(await measureIdle(context, kind, count));
    return {
      columns: [
        { key: "connections", title: "connections" },
        { key: "rssBytes", title: "RSS bytes/connection" },
        { key: "pssBytes", title: "PSS bytes/connection" },
        { key: "beforeMb", title: "RSS before MB" },
        { key: "afterMb", title: "RSS after MB" },
      ],
      rows,
      notes: [
        "Growth of the proxy's own memory over its state after a warm-up; the kernel's socket buffers are not in it.",
        "nginx allocates some 400 bytes for each connection that its configuration allows, at start: these are in RSS before.",
      ],
    };
  },
};

async function measureIdle(context: BenchContext, kind: ProxyKind, count: number): Promise<Row> {
  context.progress(`${kind.name}: warm-up`);
  const proxy = await startProxy(context, kind, { connectionsMax: count + otherFileCount }, "/");
  const sockets: Socket[] = [];
  try {
    const script = writeWrkScript(context.folder, { path: "/" });
    const warmUp = startWrk(context, proxy.origin, script, 64, context.sliceSeconds);
    assertClean(proxy, await warmUp.result);
    await sleep(context.quick ? settleMsQuick : settleMs);
    const before = readGroupMemory(proxy.process.pid);
    context.progress(`${kind.name}: ${count} connections`);
    const lost = await openConnections(proxy.setup.port, count, sockets);
    await sleep(context.quick ? settleMsQuick : settleMs);
    assertRunning(proxy.process);
    const lostCount = lost();
    if (lostCount > 0) throw new Error(`${kind.name} closed ${lostCount} idle connections`);
    const after = readGroupMemory(proxy.process.pid);
    return {
      label: kind.name,
      values: {
        connections: count,
        rssBytes: (after.rssBytes - before.rssBytes) / count,
        pssBytes: (after.pssBytes - before.pssBytes) / count,
        beforeMb: before.rssBytes / 1e6,
        afterMb: after.rssBytes / 1e6,
      },
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await context.processes.stop(proxy.process);
  }
}

/** Fills `sockets` with connections that got one answer. Returns how many were closed since. */
async function openConnections(
  port: number,
  count: number,
  sockets: Socket[],
): Promise<() => number> {
  let closedCount = 0;
  const openOnes = async (): Promise<void> => {
    while (sockets.length < count) {
      const source = 2 + Math.floor(sockets.length / connectionsPerAddress);
      const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${source}` });
      sockets.push(socket);
      socket.on("close", () => closedCount++);
      await answerOnce(socket);
    }
  };
  await Promise.all(Array.from({ length: openingMax }, openOnes));
  return () => closedCount;
}

function answerOnce(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed before the answer")));
    socket.once("data", (chunk: Buffer) => {
      const head = chunk.toString("latin1", 0, 12);
      if (head === "HTTP/1.1 200") resolve();
      else reject(new Error(`an idle connection was answered ${head}`));
    });
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  });
}

/** Node has raised the soft limit to the hard one; the proxies inherit it from us. */
function assertFileLimit(needed: number): void {
  const limits = readProcFile("/proc/self/limits") ?? "";
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  if (limit < needed) {
    throw new Error(
      `only ${limit} open files are allowed, ${needed} are needed: ulimit -n ${needed}`,
    );
  }
}
