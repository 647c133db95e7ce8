import assert from "node:assert/strict";
import { test } from "node:test";
import { CacheRecord } from "../../policy/cache-record.ts";
import { readyLines, type Reply } from "../../policy/reply.ts";
import { currentHeaders } from "./stored-answer.ts";
import { WholeAnswer } from "./whole-answer.ts";

const HEADERS = ["date", "Sat, 21 Nov 2026 10:00:00 GMT", "etag", '"a"'];
const BORN_MS = 1_800_000_000_000;

test("an answer used again: its lines are those of the moment, at every millisecond", () => {
  for (const freshUntilMs of [BORN_MS + 3_600_000, BORN_MS + 2_317, BORN_MS + 2_000, 0]) {
    const record = recordOf({ freshUntilMs });
    const answer = new WholeAnswer(record, readyLines(HEADERS), true);
    for (let nowMs = BORN_MS - 3; nowMs < BORN_MS + 4_000; nowMs++) {
      const { age, "cache-status": status } = currentHeaders(record, nowMs, "hit");
      const lines = linesOf(answer.at(nowMs));
      assert.equal(lines.get("age"), age, `${nowMs - BORN_MS} ms`);
      assert.equal(lines.get("cache-status"), status, `${nowMs - BORN_MS} ms`);
      assert.equal(lines.get("etag"), '"a"');
    }
  }
});

test("an answer used again: what is asked for often has its head ready, length and all", () => {
  const answer = new WholeAnswer(recordOf({}), readyLines(HEADERS), true);
  const first = answer.at(BORN_MS + 1);
  assert.equal(first.block!.hasLength, false);
  let last = first;
  for (let count = 0; count < 10; count++) last = answer.at(BORN_MS + 1);
  assert.deepEqual(Object.keys(last.headers), []);
  assert.equal(linesOf(last).get("content-length"), "4");
  assert.equal(answer.at(BORN_MS + 999), last);
});

test("an answer used again: what is asked for often is one text, unless it is long", () => {
  for (const length of [1, 14 * 1024, 14 * 1024 + 1]) {
    const body = Buffer.alloc(length, 0xe4);
    const answer = new WholeAnswer(recordOf({ body }), readyLines(HEADERS), true);
    for (let count = 0; count < 10; count++) answer.at(BORN_MS);
    const { isMessage, text, linesEnd } = answer.at(BORN_MS).block!;
    assert.match(text, /^HTTP\/1\.1 200 OK\r\ndate: /);
    assert.equal(isMessage, length <= 14 * 1024);
    assert.equal(text.slice(linesEnd), isMessage ? `\r\n${body.toString("latin1")}` : "");
  }
});

test("an answer used again: one without content has no length", () => {
  const answer = new WholeAnswer(recordOf({ status: 204 }), readyLines(HEADERS), false);
  for (let count = 0; count < 10; count++) {
    const lines = linesOf(answer.at(BORN_MS));
    assert.equal(lines.has("content-length"), false);
    assert.equal(lines.has("cache-status"), false);
    assert.equal(lines.get("age"), "0");
  }
});

test("an answer used again: a clock that is set back makes it anew", () => {
  const answer = new WholeAnswer(recordOf({}), readyLines(HEADERS), true);
  for (let count = 0; count < 10; count++) answer.at(BORN_MS + 5_000);
  assert.equal(linesOf(answer.at(BORN_MS + 2_000)).get("age"), "2");
});

function recordOf(facts: { status?: number; freshUntilMs?: number; body?: Buffer }): CacheRecord {
  return new CacheRecord({
    status: 200,
    headers: HEADERS,
    body: Buffer.from("body"),
    bornAtMs: BORN_MS,
    freshUntilMs: BORN_MS + 60_000,
    vary: [],
    variant: "",
    tags: [],
    ...facts,
  });
}

function linesOf({ block, headers }: Reply): Map<string, string> {
  const lines = new Map(Object.entries(headers));
  const { text, linesStart, linesEnd } = block!;
  for (const line of text.slice(linesStart, linesEnd).split("\r\n").slice(0, -1)) {
    const colon = line.indexOf(": ");
    assert.equal(lines.has(line.slice(0, colon)), false, `${line} is there twice`);
    lines.set(line.slice(0, colon), line.slice(colon + 2));
  }
  return lines;
}
