import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../../test/support/free-port.ts";
import { type Measurement, measureThread } from "../../test/support/measure-thread.ts";
import { MEASURE } from "../../test/support/measured-data-plane.ts";
import { logTo } from "../base/log/log.ts";
import type { Config } from "../config/config.ts";
import { validate } from "../config/validate.ts";
import type { DataPlanePayload } from "./data-plane.ts";
import { makePayload } from "./make-payload.ts";
import { SharedState } from "./shared-state.ts";
import { Supervisor } from "./supervisor.ts";

/**
 * Until V8 has compiled what there is to compile, and its caches have grown: 650 KB of code and what belongs to
 * it, up to reload 800. Between reloads 3,000 and 10,000 a worker grows by 75 KB in all.
 */
const WARM_UP = 800;
const RELOADS = 1000;
const ROUTES = 20;
/** A leak of one small object for each of 20 routes in each reload would be 2 MB, of one of 400 bytes in each this. */
const HEAP_GROWTH_MAX_BYTES = 400_000;

test("reload: a thousand of them leave heap, handles and leases of all threads as they were", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "gateward-"));
  const port = await freePort();
  const measured: Measurement[] = [];
  let onMeasured = (): void => {};
  const log = logTo((level, message, fields) => {
    assert.ok(level !== "error", `${message} ${JSON.stringify(fields)}`);
  });
  const shared = new SharedState(2, log);
  const supervisor = new Supervisor({
    worker: {
      workerCount: 2,
      shared: shared.memory,
      metricIndex: shared.registry.lease([]).index,
      board: shared.board.buffer,
      writeTurns: shared.writeTurns,
      dataPlaneModule: new URL("../../test/support/measured-data-plane.ts", import.meta.url).href,
    },
    board: shared.board,
    log,
    onLog: ({ message, fields }) => {
      if (message === "measured")
        measured[Number(fields["worker"])] = fields as unknown as Measurement;
      onMeasured();
    },
    onCommit: (revision) => shared.leases.begin(revision, release, [0, 1]),
    onRetired: (worker, revision) => shared.leases.retired(worker, revision),
    onGone: (worker) => shared.clearWorker(worker),
    onRestart: () => {},
  });
  context.after(async () => {
    await supervisor.stop();
    await rm(folder, { recursive: true, force: true });
  });
  let release = (): void => {};

  // Once: the schema's own caches grow with how often it is used between two collections.
  const configs = [configOf(port, folder, 0), configOf(port, folder, 1)];
  const payload = (revision: number): DataPlanePayload => {
    const config = configs[revision % 2]!;
    const lease = shared.lease(config);
    release = () => lease.release();
    return makePayload(revision, { config, prepared: {} }, {}, lease);
  };
  const measureAll = async (): Promise<Measurement[]> => {
    measured.length = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    onMeasured = () => {
      if (Object.keys(measured).length === 2) resolve();
    };
    supervisor.updateEndpoints({ [MEASURE]: [] });
    await promise;
    return [measureThread(), ...measured];
  };

  await supervisor.start(payload(1));
  for (let revision = 2; revision <= WARM_UP; revision += 1)
    await supervisor.apply(payload(revision));
  const before = await measureAll();
  const [descriptors, children] = [countDescriptors(), countChildren(shared)];
  for (let reload = 1; reload <= RELOADS; reload += 1)
    await supervisor.apply(payload(WARM_UP + reload));
  const after = await measureAll();

  for (const [index, { heapBytes, resources }] of after.entries()) {
    const growth = heapBytes - before[index]!.heapBytes;
    assert.ok(growth < HEAP_GROWTH_MAX_BYTES, `thread ${index}: ${growth} bytes more`);
    assert.ok(resources <= before[index]!.resources + 2, `thread ${index}: ${resources} resources`);
  }
  assert.ok(countDescriptors() <= descriptors + 2);
  assert.equal(shared.leases.size, 0);
  assert.equal(countChildren(shared), children);
});

/** Two documents in turn, so that each reload changes every part: listener, log, services, routes. */
function configOf(port: number, folder: string, turn: number): Config {
  const routes = Array.from({ length: ROUTES }, (_, index) => ({
    match: `GET /${turn}/${index}/:id`,
    service: `users-${turn}`,
  }));
  const { config, findings } = validate(
    {
      listen: [`127.0.0.1:${port}`, `unix:${join(folder, `${turn}.sock`)}`],
      log: { access: join(folder, `access-${turn}.log`) },
      services: { [`users-${turn}`]: { targets: ["http://127.0.0.1:9"], timeout: "3s" } },
      routes,
    },
    {},
  );
  assert.ok(config !== undefined, JSON.stringify(findings));
  return config;
}

function countChildren({ registry }: SharedState): number {
  let count = 0;
  for (const { samples } of registry.collect()) count += samples.length;
  return count;
}

function countDescriptors(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}
