import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AccessLogSinks } from "./access-log-sinks.ts";
import type { AccessRecord } from "./access-record.ts";
import { WriteTurns } from "./write-turns.ts";

const FLUSH_MS = 5000;

async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gateward-log-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const makeSinks = (): AccessLogSinks =>
  new AccessLogSinks({ workerIndex: 0, turns: WriteTurns.alone() });
const request = (path: string): AccessRecord =>
  ({ startedAtMs: 0, path, status: 200 }) as AccessRecord;

test("access log: a config that names the same file goes on writing to it, with its own fields", async (context) => {
  const file = join(await makeFolder(context), "access.log");
  const sinks = makeSinks();
  const first = await sinks.open({ file, fields: ["path"] });
  const second = await sinks.open({ file, fields: ["status"] });
  sinks.keepOnly(file);
  first.write(request("/a"));
  second.write(request("/b"));
  await sinks.flush(FLUSH_MS);
  const [one, two] = (await readFile(file, "latin1")).split("\n");
  assert.match(one!, /"path":"\/a"\}$/);
  assert.match(two!, /"status":200\}$/);
});

test("access log: exchanges of the old config still reach the old file", async (context) => {
  const folder = await makeFolder(context);
  const [oldFile, newFile] = [join(folder, "old.log"), join(folder, "new.log")];
  const sinks = makeSinks();
  const first = await sinks.open({ file: oldFile, fields: ["path"] });
  const second = await sinks.open({ file: newFile, fields: ["path"] });
  sinks.keepOnly(newFile);
  first.write(request("/late"));
  second.write(request("/new"));
  await sinks.flush(FLUSH_MS);
  assert.match(await readFile(oldFile, "latin1"), /"\/late"/);
  assert.match(await readFile(newFile, "latin1"), /"\/new"/);
});

test("access log: a line too long for one write to a pipe loses the ends of its values", async (context) => {
  const file = join(await makeFolder(context), "access.fifo");
  execFileSync("mkfifo", [file]);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  context.after(() => closeSync(fd));
  const sinks = makeSinks();
  const log = await sinks.open({ file, fields: ["path", "status"] });
  assert.ok(log.write(request("/" + "a".repeat(8000))));
  await sinks.flush(FLUSH_MS);
  const bytes = Buffer.alloc(10_000);
  const { path, status } = JSON.parse(
    bytes.toString("latin1", 0, readSync(fd, bytes)),
  ) as AccessRecord;
  assert.equal(path, "/" + "a".repeat(99) + "...");
  assert.equal(status, 200);
});

test("access log: a file that cannot be opened is refused by its name", async (context) => {
  const file = join(await makeFolder(context), "none", "access.log");
  const opening = makeSinks().open({ file, fields: ["path"] });
  await assert.rejects(opening, /^Error: log\.access: cannot open .*access\.log: ENOENT/);
});
