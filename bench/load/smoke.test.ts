/** Runs the benchmark with tiny counts, so that it does not rot between two uses. Figures mean nothing here. */
import assert from "node:assert/strict";
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

let session: Session | undefined;

before(async () => {
  if (skip !== false) return;
  const settings = { proxies: [], gatewardPath, sliceSeconds: 0.3, rounds: 1, quick: true };
  session = await openSession({ ...settings, ...chooseCores(), progress: () => {} });
});
after(() => session?.[Symbol.asyncDispose]());

/** Gateward takes part where its configuration differs; haproxy, and all of them at once, in real runs. */
const both = [nginx, gateward];
const throughput: readonly (readonly [string, readonly ProxyKind[]])[] = [
  ["plain-64", both],
  ["post-10k", [nginx]],
  ["response-100k", [nginx]],
];
for (const [name, proxies] of throughput) {
  test(`bench: ${name} yields figures for every proxy`, { skip }, async () => {
    assertThroughput(await run(name, proxies), proxies);
  });
}

test("bench: h2-tls yields figures for every proxy", { skip: skipH2 }, async () => {
  assertThroughput(await run("h2-tls", both), both);
});

test("bench: idle-10k counts bytes per connection", { skip }, async () => {
  const { rows } = await run("idle-10k", [nginx]);
  assert.deepEqual([rows[0]?.label, rows[0]?.values.connections], ["nginx", 1000]);
});

test("bench: slow-client-1g reads the whole response", { skip }, async () => {
  const { rows } = await run("slow-client-1g", [nginx]);
  assert.deepEqual([rows[0]?.label, rows[0]?.values.readMb], ["nginx", 100]);
});

test("bench: start-and-reload sees the new route answer", { skip }, async () => {
  const { rows } = await run("start-and-reload", [gateward]);
  for (const { values } of rows) assert.ok((values.reloadMs ?? 0) > 0 && values.requests);
});

test(
  "bench: cache-64 yields figures for all caches",
  {
    skip: skip || requires("varnishd"),
  },
  async () => {
    const { rows } = await run("cache-64", both);
    assert.equal(rows.length, 6);
    for (const { label, values } of rows) {
      assert.ok((values["cpuUs"] ?? 0) > 0, `${label}: ${values["cpuUs"]}`);
    }
  },
);

async function run(name: string, proxies: readonly ProxyKind[]): Promise<ScenarioResult> {
  assert.ok(session);
  const context = { ...session.context, proxies };
  const scenario = listScenarios(context).find((each) => each.name === name);
  assert.ok(scenario);
  return scenario.run(context);
}

function assertThroughput({ rows }: ScenarioResult, proxies: readonly ProxyKind[]): void {
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
