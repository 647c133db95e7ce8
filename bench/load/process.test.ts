import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { requires } from "../../test/support/requires.ts";
import { assertRunning, ProcessSet } from "./process.ts";
import { listProcessGroup } from "./process-group.ts";

const groupDeadlineMs = 5000;
const skip = requires("taskset", "sh", "sleep");
/** A server with a worker, which does not end by itself. */
const server = ["sh", "-c", "sleep 600 & wait"];

test("processes: stopping a server ends its workers too", { skip }, async (t) => {
  const { folder, processes } = open(t);
  const started = processes.start("server", server, "0", join(folder, "log"));
  await groupHas(started.pid, 2);
  await processes.stop(started);
  await groupHas(started.pid, 0);
  assert.doesNotThrow(() => assertRunning(started));
});

test("processes: a server that ended by itself is reported with its log", { skip }, async (t) => {
  const { folder, processes } = open(t);
  const command = ["sh", "-c", "echo no such port; exit 3"];
  const started = processes.start("server", command, "0", join(folder, "log"));
  await started.ended;
  assert.throws(() => assertRunning(started), /server ended with 3:\nno such port/);
});

test("processes: output of a failed program is in the error", { skip }, async (t) => {
  const { processes } = open(t);
  const { output } = processes.run("load", ["sh", "-c", "echo refused >&2; exit 1"], "0", 5000);
  await assert.rejects(output, /load ended with 1:\nrefused/);
});

test("processes: a program that does not end is killed", { skip }, async (t) => {
  const { processes } = open(t);
  const { output } = processes.run("load", ["sleep", "600"], "0", 50);
  await assert.rejects(output, /load ended with SIGKILL/);
});

test("processes: none outlives the process that started it", { skip }, async (t) => {
  const { folder } = open(t);
  const program = `
    import { ProcessSet } from ${JSON.stringify(import.meta.resolve("./process.ts"))};
    const log = ${JSON.stringify(join(folder, "log"))};
    const { pid } = new ProcessSet().start("server", ${JSON.stringify(server)}, "0", log);
    process.once("SIGINT", () => process.exit(130));
    console.log(pid);
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program]);
  const [pid] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  await groupHas(Number(pid), 2);
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [130, null]);
  await groupHas(Number(pid), 0);
});

/** Waits for it: a worker is not there at once, and a killed one is gone when init has collected it. */
async function groupHas(group: number, count: number): Promise<void> {
  const deadlineMs = performance.now() + groupDeadlineMs;
  while (listProcessGroup(group).length !== count) {
    assert.ok(performance.now() < deadlineMs, `the group never had ${count} processes`);
    await sleep(10);
  }
}

function open(t: { after(work: () => unknown): void }): { folder: string; processes: ProcessSet } {
  const folder = mkdtempSync(join(tmpdir(), "gateward-bench-"));
  const processes = new ProcessSet();
  t.after(async () => {
    await processes.dispose();
    rmSync(folder, { recursive: true });
  });
  return { folder, processes };
}
