import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import type { Lease } from "../../base/limits/quota-ledger.ts";
import { QuotaMemory } from "../../base/limits/quota-memory.ts";
import { SharedQuotaTable } from "../../base/limits/shared-quota-table.ts";
import { QUOTA_FILE, QuotaFile } from "./quota-file.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const DAY = 86_400_000;
const period = { startMs: START, endMs: START + DAY };

function pathIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gateward-quota-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "data", QUOTA_FILE);
}

function open(t: TestContext, path: string): QuotaFile {
  const file = new QuotaFile(path);
  t.after(() => file[Symbol.dispose]());
  return file;
}

function lease(
  file: QuotaFile,
  amounts: { need: number; want: number; limit?: number; owed?: number; key?: string },
  nowMs = START,
): Lease {
  const filled: Lease = { granted: -1, used: -1, line: -1 };
  const request = { id: "q", key: "k", limit: 10, owed: 0, ...period, ...amounts };
  file.lease(request, filled, nowMs);
  return filled;
}

test("quota file: leases what is wanted while there is enough, then the rest, then nothing", (t) => {
  const file = open(t, pathIn(t));
  const first = lease(file, { need: 1, want: 4 });
  assert.deepEqual([first.granted, first.used], [4, 4]);
  const second = lease(file, { need: 1, want: 9 });
  assert.deepEqual([second.granted, second.used, second.line], [6, 10, first.line]);
  const third = lease(file, { need: 1, want: 1 });
  assert.deepEqual([third.granted, third.used], [0, 10]);
  file.settle(first.line, -3);
  assert.equal(lease(file, { need: 4, want: 4 }).granted, 0);
  assert.equal(lease(file, { need: 3, want: 4 }).granted, 3);
});

test("quota file: what is owed counts, also beyond the limit, and also in a new line", (t) => {
  const file = open(t, pathIn(t));
  assert.deepEqual(lease(file, { need: 1, want: 5, owed: 8 }).granted, 2);
  assert.deepEqual(lease(file, { need: 1, want: 5, owed: 3 }).used, 13);
  const other = lease(file, { need: 1, want: 5, owed: 12, key: "other" });
  assert.deepEqual([other.granted, other.used], [0, 12]);
});

test("quota file: lasts, is readable by its owner alone, and holds no key", (t) => {
  const path = pathIn(t);
  const file = new QuotaFile(path);
  assert.equal(existsSync(path), false, "nothing was to be kept yet");
  lease(file, { need: 2, want: 2, key: "secret-token" });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  file[Symbol.dispose]();
  assert.doesNotMatch(readFileSync(path, "latin1"), /secret-token/);
  assert.equal(lease(open(t, path), { need: 1, want: 1, key: "secret-token" }).used, 3);
});

test("quota file: periods long past are swept out", (t) => {
  const path = pathIn(t);
  const file = open(t, path);
  lease(file, { need: 1, want: 1 });
  lease(file, { need: 1, want: 1, key: "b" }, START + DAY);
  lease(file, { need: 1, want: 1, key: "c" }, START + 30 * DAY);
  const database = new DatabaseSync(path, { readOnly: true });
  t.after(() => database.close());
  assert.equal(database.prepare("SELECT count(*) AS n FROM quotas").get()!["n"], 0);
});

test("quota file: one that cannot be written is an error, not a crash", (t) => {
  const path = pathIn(t);
  const file = open(t, join(path, "no\0folder"));
  assert.throws(() => lease(file, { need: 1, want: 1 }));
});

const worker = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { modules, handle, holder, path, period, now } = workerData;
  Promise.all(modules.map((module) => import(module))).then(([{ SharedQuotaTable }, { QuotaFile }]) => {
    const file = new QuotaFile(path);
    const table = new SharedQuotaTable(handle, holder, file, (error) => { throw error; });
    const verdict = { allowed: false, used: 0 };
    let passed = 0;
    for (let count = 0; count < 1000; count++) {
      table.take({ id: "q", limit: 1500 }, "k", period, 1, now, verdict);
      if (verdict.allowed) passed++;
    }
    file[Symbol.dispose]();
    parentPort.postMessage(passed);
  });
`;

test("quota file: four threads, and another process beside them, let exactly the limit pass", async (t) => {
  const path = pathIn(t);
  const modules = ["../../base/limits/shared-quota-table.ts", "./quota-file.ts"].map(
    (name) => new URL(name, import.meta.url).href,
  );
  // Each process has memory of its own; the file is what they share.
  const processes = [new QuotaMemory(64, TEST_SECRET), new QuotaMemory(64, TEST_SECRET)];
  const counts = processes.flatMap(({ handle }) =>
    [1, 2].map(async (holder) => {
      const workerData = { modules, handle, holder, path, period, now: START };
      const [passed] = (await once(new Worker(worker, { eval: true, workerData }), "message")) as [
        number,
      ];
      return passed;
    }),
  );
  const passed = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  const file = open(t, path);
  let rest = 0;
  for (const { handle } of processes) {
    new SharedQuotaTable(handle, 1, file, rethrow).settleAll(START);
  }
  const table = new SharedQuotaTable(new QuotaMemory(64, TEST_SECRET).handle, 1, file, rethrow);
  const verdict = { allowed: true, used: 0 };
  while (verdict.allowed) {
    table.take({ id: "q", limit: 1500 }, "k", period, 1, START, verdict);
    if (verdict.allowed) rest++;
  }
  assert.equal(passed + rest, 1500);
});

function rethrow(error: unknown): never {
  throw error;
}
