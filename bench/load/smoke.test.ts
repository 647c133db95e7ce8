/** Runs the benchmark with tiny counts, so that it does not rot between two uses. Figures mean nothing here. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { requires } from "../../test/support/requires.ts";
import { chooseCores } from "./cores.ts";
import { gateward } from "./gateward.ts";
import { nginx } from "./nginx.ts";
import type { ProxyKind } from "./proxy.ts";
import type { ScenarioResult } from "./scenario.ts";
import { listScenarios } from "./scenarios/list.ts";
import { openSession } from "./session.ts";
import type { Session } from "./session.ts";

const gatewardPath = join(import.meta.dirname, "../../bin/gateward");
const skip = missing() || requires("nginx", "wrk", "openssl", "taskset");
const skipH2 = skip || requires("h2load");

/** haproxy takes part only in real runs. */
const proxies: readonly ProxyKind[] = [nginx, ...(isGatewardRunnable() ? [gateward] : [])];
let session: Session | undefined;

before(async () => {
  if (skip !== false) return;
  const settings = { proxies, gatewardPath, sliceSeconds: 0.3, rounds: 1, quick: true };
  session = await openSession({ ...settings, ...chooseCores(), progress: () => {} });
});
after(() => session?.[Symbol.asyncDispose]());

const closedLoops = ["plain-64", "routes-10k-64", "tls13-h1-64", "post-10k", "response-100k"];
for (const name of closedLoops) {
  test(`bench: ${name} yields figures for every proxy`, { skip }, async () => {
    assertThroughput(await run(name));
  });
}

test("bench: h2-tls yields figures for every proxy", { skip: skipH2 }, async () => {
  assertThroughput(await run("h2-tls"));
});

test("bench: idle-10k counts bytes per connection", { skip }, async () => {
  const { rows } = await run("idle-10k");
  assert.equal(rows.length, proxies.length);
  for (const { values } of rows) assert.equal(values.connections, 1000);
});

test("bench: slow-client-1g reads the whole response", { skip }, async () => {
  const { rows } = await run("slow-client-1g");
  for (const { values } of rows) assert.equal(values.readMb, 100);
});

test("bench: start-and-reload sees the new route answer", { skip }, async () => {
  const { rows } = await run("start-and-reload");
  for (const { values } of rows) assert.ok((values.reloadMs ?? 0) > 0 && values.requests);
});

async function run(name: string): Promise<ScenarioResult> {
  assert.ok(session);
  const scenario = listScenarios(session.context).find((each) => each.name === name);
  assert.ok(scenario);
  return scenario.run(session.context);
}

function assertThroughput({ rows }: ScenarioResult): void {
  assert.ok(rows.length >= proxies.length);
  for (const { label, values } of rows) {
    for (const key of ["cpuUs", "ratio", "requestsPerSecond", "p99Ms", "rssMb"]) {
      assert.ok((values[key] ?? 0) > 0, `${label}: ${key} is ${values[key]}`);
    }
  }
}

function missing(): false | string {
  if (process.platform !== "linux") return "needs Linux";
  return availableParallelism() < 2 && "needs two cores";
}

function isGatewardRunnable(): boolean {
  return existsSync(join(import.meta.dirname, "../../src/runtime/start.ts"));
}
