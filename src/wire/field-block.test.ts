import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldBlock } from "./field-block.ts";
import { Fields } from "./fields.ts";
import { CONTENT_LENGTH } from "./known-header.ts";

const HEADERS = ["etag", '"1"', "content-length", "4", "x-mark", "a"];
const LINES = 'etag: "1"\r\ncontent-length: 4\r\nx-mark: a\r\n';
const message = new FieldBlock(HEADERS, { statusLine: "HTTP/1.1 200 OK\r\n", body: "body" });

function loaded(block: FieldBlock): Fields {
  const fields = new Fields();
  fields.load(block);
  return fields;
}

test("ready lines: a whole message is one text, in which its lines are found", () => {
  const fields = loaded(message);
  assert.equal(fields.text, `HTTP/1.1 200 OK\r\n${LINES}\r\nbody`);
  assert.equal(fields.isMessage, true);
  assert.equal(fields.lines(fields.linesStart), LINES);
  assert.equal(fields.lines(0), `HTTP/1.1 200 OK\r\n${LINES}`);
  assert.equal(fields.get("x-mark"), "a");
  assert.equal(fields.valueAt(fields.indexOfId(CONTENT_LENGTH)), "4");
});

test("ready lines: what has been changed is no message any more, and the next has it as it was", () => {
  const fields = loaded(message);
  fields.remove("etag");
  assert.equal(fields.isMessage, false);
  assert.equal(fields.lines(fields.linesStart), "content-length: 4\r\nx-mark: a\r\n");
  fields.clear();
  assert.equal(fields.isMessage, false);
  fields.load(message);
  fields.add("x-more", "b");
  assert.equal(fields.isMessage, false);
  assert.equal(fields.lines(fields.linesStart), `${LINES}x-more: b\r\n`);
  fields.clear();
  fields.load(message);
  assert.equal(fields.isMessage, true);
  assert.equal(fields.lines(fields.linesStart), LINES);
});

test("ready lines: a head that is parsed after them leaves them alone", () => {
  const fields = loaded(message);
  fields.clear();
  for (let index = 0; index < 40; index++) fields.push(0, index, index + 1, index + 2, index + 3);
  assert.equal(loaded(message).get("x-mark"), "a");
  const other = loaded(message);
  other.copy(fields);
  assert.deepEqual([other.count, other.isMessage], [40, false]);
  assert.equal(loaded(message).get("x-mark"), "a");
  fields.clear();
  fields.load(message);
  assert.equal(fields.lines(fields.linesStart), LINES);
});

test("ready lines: without a body, or a status line, they are no message", () => {
  const head = loaded(new FieldBlock(HEADERS, { statusLine: "HTTP/1.1 200 OK\r\n", body: "" }));
  assert.equal(head.isMessage, false);
  assert.equal(head.lines(0), `HTTP/1.1 200 OK\r\n${LINES}`);
  const lines = loaded(new FieldBlock(HEADERS));
  assert.deepEqual([lines.isMessage, lines.lines(lines.linesStart)], [false, LINES]);
});
