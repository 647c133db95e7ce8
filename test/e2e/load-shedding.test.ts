import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { startGateway } from "../support/gateway.ts";

const CAPACITY = 8;
const WORK_MS = 80;
const PER_SECOND = (CAPACITY / WORK_MS) * 1000;
/** Sent at once, at most. What a late timer owes beyond it is left out: nobody asked for a burst of that. */
const BURST_MAX = CAPACITY;

/** Works on so many requests at once, the others wait in line. */
async function startCrowdedService(t: TestContext) {
  const line: ServerResponse[] = [];
  let running = 0;
  let workedMs = 0;
  const next = (): void => {
    if (running === CAPACITY || line.length === 0) return;
    const response = line.shift()!;
    running++;
    const from = performance.now();
    setTimeout(() => {
      running--;
      // Timers are late on a busy machine: what could be done is less then, too.
      workedMs += performance.now() - from;
      response.end("done");
      next();
    }, WORK_MS);
  };
  const server = createServer((_, response) => {
    line.push(response);
    next();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, workedMs: () => workedMs };
}

test("load shedding: at thrice its capacity a service goes on working, and what is critical is served", async (t) => {
  const service = await startCrowdedService(t);
  const gateway = await startGateway(t, {
    workers: 2,
    services: { crowded: { targets: [service.url], concurrency: "adaptive", timeout: "60s" } },
    routes: [
      { match: "/any", service: "crowded" },
      { match: "/critical", service: "crowded", priority: "critical" },
    ],
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  t.after(() => agent.destroy());
  const ask = async (path: string): Promise<number> => {
    const request = get(new URL(path, gateway.url), { agent });
    const [response] = await once(request, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  };
  const statuses = { any: [] as number[], critical: [] as number[] };
  const asked: Promise<unknown>[] = [];
  const startedAt = performance.now();
  const forMs = 8000;
  let sent = 0;
  let workedBeforeMs = 0;
  let measuredFrom = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passedMs = performance.now() - startedAt;
      // The first seconds are for finding the limit.
      if (measuredFrom === 0 && passedMs > forMs / 4) {
        measuredFrom = performance.now();
        workedBeforeMs = service.workedMs();
      }
      const due = Math.floor((passedMs / 1000) * PER_SECOND * 3);
      for (sent = Math.max(sent, due - BURST_MAX); sent < due; sent++) {
        const kind = sent % 10 === 0 ? "critical" : "any";
        const counts = measuredFrom > 0;
        const answered = ask(`/${kind}`);
        asked.push(answered.then((status) => counts && statuses[kind].push(status)));
      }
      if (passedMs < forMs) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  const couldWorkMs = (performance.now() - measuredFrom) * CAPACITY;
  const goodput = (service.workedMs() - workedBeforeMs) / couldWorkMs;
  await Promise.all(asked);
  const shareServed = (list: number[]): number =>
    list.filter((status) => status === 200).length / list.length;
  const all = [...statuses.any, ...statuses.critical];
  assert.ok(all.every((status) => status === 200 || status === 503));
  t.diagnostic(`goodput ${goodput}, critical served ${shareServed(statuses.critical)}`);
  assert.ok(goodput > 0.9, `goodput ${goodput}`);
  assert.ok(shareServed(statuses.critical) > 0.9, `critical ${shareServed(statuses.critical)}`);
  assert.ok(shareServed(statuses.any) < 0.5);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const limit = /^gateward_service_concurrency_limit\{service="crowded"\} (\d+)$/m.exec(
    metrics,
  )?.[1];
  assert.ok(Number(limit) >= 3 && Number(limit) < CAPACITY * 6, `limit ${limit}`);
});
