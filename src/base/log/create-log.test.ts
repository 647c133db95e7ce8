import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createLog, type ProcessLog } from "./create-log.ts";
import { plainError } from "./plain-error.ts";
import { RepeatLimiter } from "./repeat-limiter.ts";

function open(context: TestContext): { log: ProcessLog; lines(): string[] } {
  const folder = mkdtempSync(join(tmpdir(), "gateward-log-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const to = join(folder, "gateward.log");
  const destination = { to, isTerminal: false, colors: false };
  const log = createLog({ level: "info", format: "auto" }, destination);
  return { log, lines: () => readFileSync(to, "utf8").split("\n").slice(0, -1) };
}

test("log: an entry is one line of JSON with level, time, message and fields, written at once", (context) => {
  const { log, lines } = open(context);
  log.info("listening", { port: 8080 });
  const [entry] = lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(entry?.["level"], "info");
  assert.equal(entry["msg"], "listening");
  assert.equal(entry["port"], 8080);
  assert.match(String(entry["time"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test("log: level and format can be changed while it is in use", (context) => {
  const { log, lines } = open(context);
  log.debug("unseen");
  log.configure({ level: "debug", format: "pretty" });
  log.debug("seen", { port: 80 });
  log.configure({ level: "silent", format: "json" });
  log.fatal("unseen");
  assert.equal(lines().length, 1);
  assert.match(lines()[0]!, /^\d\d:\d\d:\d\d\.\d{3} debug seen port=80$/);
});

test("log: a child's fields are on each of its entries", (context) => {
  const { log, lines } = open(context);
  log.child({ worker: 1 }).child({ listener: "a" }).warn("odd", { n: 2 });
  const { worker, listener, n } = JSON.parse(lines()[0]!) as Record<string, unknown>;
  assert.deepEqual([worker, listener, n], [1, "a", 2]);
});

test("log: an error keeps its stack and its cause", (context) => {
  const { log, lines } = open(context);
  const error = new Error("outer", { cause: new TypeError("inner") });
  log.error("failed", { error });
  const entry = JSON.parse(lines()[0]!) as { error: { stack: string; cause: { message: string } } };
  assert.match(entry.error.stack, /create-log\.test\.ts/);
  assert.equal(entry.error.cause.message, "inner");
  log.configure({ level: "info", format: "pretty" });
  log.error("failed", { error });
  assert.match(lines().slice(1).join("\n"), /Error: outer[\s\S]+caused by\n {4}TypeError: inner/);
});

test("log: in pretty form no value can break the line or reach the terminal", (context) => {
  const { log, lines } = open(context);
  log.configure({ level: "info", format: "pretty" });
  log.info("from\u001b[31m", { host: "a\nb\u202e\u009b", path: "/x y" });
  assert.equal(lines().length, 1);
  assert.match(lines()[0]!, /^[\x20-\x7e]+$/);
  assert.match(lines()[0]!, /path="\/x y"/);
});

test("plain error: what is thrown but no error stays what it is, and circles of causes end", () => {
  assert.equal(plainError("text"), "text");
  const error = new Error("round");
  error.cause = error;
  assert.doesNotThrow(() => JSON.stringify(plainError(error)));
});

test("repeat limiter: a message passes once in a period and then tells how many it stands for", () => {
  let nowMs = 0;
  const limiter = new RepeatLimiter(1000, 2, () => nowMs);
  assert.equal(limiter.admit("a"), 0);
  assert.equal(limiter.admit("a"), -1);
  assert.equal(limiter.admit("b"), 0);
  nowMs = 1000;
  assert.equal(limiter.admit("a"), 1);
  // Two are told apart; "b" is forgotten for "c", so it passes again.
  assert.equal(limiter.admit("c"), 0);
  assert.equal(limiter.admit("b"), 0);
});
