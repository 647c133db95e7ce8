import assert from "node:assert/strict";
import { test } from "node:test";
import { createPortLog, type PortLog } from "./port-log.ts";
import type { MessageFromWorker, WorkerLogEntry } from "./worker-message.ts";

function makeLog(now: () => number): { log: PortLog; entries: WorkerLogEntry[] } {
  const entries: WorkerLogEntry[] = [];
  const post = (message: MessageFromWorker): void => {
    // As a real port does: what cannot be cloned must not get here.
    if (message.type === "log") entries.push(structuredClone(message));
  };
  return { log: createPortLog(post, { worker: 3 }, now), entries };
}

test("port log: an entry carries its worker, and errors and odd values in a form that can be sent", () => {
  const { log, entries } = makeLog(() => 0);
  log.error("failed", { error: new TypeError("odd"), size: 3n, call: () => {} });
  const [{ level, message, fields } = assert.fail("no entry")] = entries;
  const { error, size, worker } = fields as { error: Error; size: string; worker: number };
  assert.deepEqual(
    [level, message, error.name, size, worker],
    ["error", "failed", "TypeError", "3", 3],
  );
  assert.match(error.stack!, /port-log\.test/);
});

test("port log: what the level leaves out is not even sent", () => {
  const { log, entries } = makeLog(() => 0);
  log.debug("no");
  log.setLevel("debug");
  log.debug("yes");
  log.setLevel("silent");
  log.fatal("no");
  assert.deepEqual(
    entries.map(({ message }) => message),
    ["yes"],
  );
});

test("port log: a flood is cut to what the main thread can write, and counted", () => {
  let nowMs = 0;
  const { log, entries } = makeLog(() => nowMs);
  for (let index = 0; index < 1000; index += 1) log.warn("again");
  assert.equal(entries.length, 200);
  nowMs = 1000;
  log.warn("later");
  const [told, later] = entries.slice(200);
  assert.deepEqual(
    [told?.message, told?.fields["suppressed"]],
    ["log entries suppressed, too many in a second", 800],
  );
  assert.equal(later?.message, "later");
});
