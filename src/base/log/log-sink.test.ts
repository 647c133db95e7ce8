import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LogOutput } from "./log-output.ts";
import { LogSink } from "./log-sink.ts";
import { WriteTurns } from "./write-turns.ts";

const FLUSH_MS = 5000;

async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gateward-log-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function openSink(file: string, backlogBytesMax = 1_000_000): Promise<LogSink> {
  return new LogSink(await LogOutput.open(file), WriteTurns.alone(), backlogBytesMax);
}

/** A named pipe with a reader that does not read until told to. */
async function makeFifo(context: TestContext): Promise<{ file: string; read(): string }> {
  const file = join(await makeFolder(context), "access.fifo");
  execFileSync("mkfifo", [file]);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  context.after(() => closeSync(fd));
  const read = (): string => {
    const bytes = Buffer.alloc(1 << 20);
    try {
      return bytes.toString("latin1", 0, readSync(fd, bytes));
    } catch {
      return "";
    }
  };
  return { file, read };
}

test("log sink: lines reach the file in order, over many batches", async (context) => {
  const file = join(await makeFolder(context), "access.log");
  const sink = await openSink(file);
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index}\n`);
  for (const line of lines) assert.ok(sink.append(line));
  assert.equal(await sink.flush(FLUSH_MS), true);
  assert.equal(await readFile(file, "latin1"), lines.join(""));
  assert.equal(sink.backlogBytes, 0);
});

test("log sink: a single line is written soon, without being asked", async (context) => {
  const file = join(await makeFolder(context), "access.log");
  const sink = await openSink(file);
  sink.append("one\n");
  while ((await readFile(file, "latin1")) === "") await sleep(10);
  assert.equal(await readFile(file, "latin1"), "one\n");
});

test("log sink: what is in the file already stays there", async (context) => {
  const file = join(await makeFolder(context), "access.log");
  await writeFile(file, "before\n");
  const sink = await openSink(file);
  sink.append("after\n");
  await sink.flush(FLUSH_MS);
  assert.equal(await readFile(file, "latin1"), "before\nafter\n");
});

test("log sink: a pipe that nobody reads costs lines, counted, and no waiting", async (context) => {
  const { file } = await makeFifo(context);
  const sink = await openSink(file, 100_000);
  const line = "x".repeat(99) + "\n";
  let refused = 0;
  for (let round = 0; round < 20; round += 1) {
    for (let index = 0; index < 500; index += 1) if (!sink.append(line)) refused += 1;
    await sleep(1);
  }
  // To wait for a reader would be for good.
  // The pipe itself holds 64 KiB, the backlog 100 kB; a million bytes were given.
  assert.ok(refused > 7000, `${refused} refused`);
  assert.equal(sink.droppedLines, refused);
  assert.ok(sink.backlogBytes <= 100_000);
  assert.match(sink.failure, /nobody reads/);
  // The pool's threads are free: a file is read while the pipe is stuck.
  await readFile(import.meta.filename);
  assert.equal(await sink.flush(50), false);
});

test("log sink: once a pipe is read again, whole lines go on and new ones are taken", async (context) => {
  const { file, read } = await makeFifo(context);
  const sink = await openSink(file, 50_000);
  for (let index = 0; index < 5000; index += 1) sink.append(`line ${index} ${"x".repeat(40)}\n`);
  assert.ok(sink.droppedLines > 0);
  const droppedLines = sink.droppedLines;
  const flushed = sink.flush(FLUSH_MS);
  let text = "";
  while (sink.backlogBytes > 0) {
    text += read();
    await sleep(5);
  }
  assert.equal(await flushed, true);
  assert.ok(sink.append("the end\n"));
  await sink.flush(FLUSH_MS);
  text += read();
  const lines = text.split("\n");
  assert.equal(lines.length, 5000 - droppedLines + 2);
  for (const line of lines.slice(0, -2)) assert.match(line, /^line \d+ x{40}$/);
  assert.equal(sink.failure, "");
});

test("log sink: a pipe without a reader is no mistake, its lines wait for one", async (context) => {
  const file = join(await makeFolder(context), "access.fifo");
  execFileSync("mkfifo", [file]);
  const sink = await openSink(file);
  sink.append("early\n");
  assert.equal(await sink.flush(30), false);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  context.after(() => closeSync(fd));
  assert.equal(await sink.flush(FLUSH_MS), true);
  const bytes = Buffer.alloc(100);
  assert.equal(bytes.toString("latin1", 0, readSync(fd, bytes)), "early\n");
});

test("log sink: after reopening, lines go to a new file and the moved one keeps the old", async (context) => {
  const file = join(await makeFolder(context), "access.log");
  const sink = await openSink(file);
  sink.append("old\n");
  await sink.flush(FLUSH_MS);
  await rename(file, `${file}.1`);
  sink.append("still old\n");
  await sink.flush(FLUSH_MS);
  sink.reopen();
  sink.append("new\n");
  await sink.flush(FLUSH_MS);
  assert.equal(await readFile(`${file}.1`, "latin1"), "old\nstill old\n");
  assert.equal(await readFile(file, "latin1"), "new\n");
});

test("log sink: a retired one still writes what late exchanges bring", async (context) => {
  const file = join(await makeFolder(context), "access.log");
  const sink = await openSink(file);
  sink.append("in time\n");
  sink.retire();
  await sink.flush(FLUSH_MS);
  sink.append("late\n");
  await sink.flush(FLUSH_MS);
  assert.equal(await readFile(file, "latin1"), "in time\nlate\n");
});

test("log sink: a disk that refuses is asked again, and lines are kept meanwhile", async (context) => {
  const folder = await makeFolder(context);
  const file = join(folder, "sub", "access.log");
  execFileSync("mkdir", [join(folder, "sub")]);
  const sink = await openSink(file);
  sink.reopen();
  await rename(join(folder, "sub"), join(folder, "away"));
  sink.append("kept\n");
  assert.equal(await sink.flush(30), false);
  assert.match(sink.failure, /ENOENT/);
  await rename(join(folder, "away"), join(folder, "sub"));
  assert.equal(await sink.flush(FLUSH_MS), true);
  assert.equal(await readFile(file, "latin1"), "kept\n");
});

test("log output: a file that cannot be opened is refused with the reason", async (context) => {
  const folder = await makeFolder(context);
  await assert.rejects(LogOutput.open(join(folder, "none", "access.log")), /ENOENT/);
  await assert.rejects(LogOutput.open(folder), /EISDIR/);
});

test("write turns: no more threads than allowed at once, over all workers", () => {
  const cells = new Int32Array(new SharedArrayBuffer(12));
  const turns = [0, 1, 2].map((index) => new WriteTurns(cells, index, 2));
  assert.deepEqual(
    turns.map((each) => each.take()),
    [true, true, false],
  );
  turns[0]!.give();
  assert.equal(turns[2]!.take(), true);
  // Worker 1 died with its turn: its row is cleared, and the turn is back.
  cells[1] = 0;
  assert.equal(turns[0]!.take(), true);
});
