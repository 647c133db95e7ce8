import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "./fields.ts";
import { parseFields } from "./http1/parse-fields.ts";
import {
  CONTENT_LENGTH,
  OTHER,
  SHADOW,
  X_FORWARDED_FOR,
  classifyHeader,
  isShadowName,
} from "./known-header.ts";

function classify(name: string): number {
  const bytes = Buffer.from(`..${name}..`);
  return classifyHeader(bytes, 2, 2 + name.length);
}

test("header names: known ones are told in any case", () => {
  assert.equal(classify("Content-Length"), CONTENT_LENGTH);
  assert.equal(classify("x-FORWARDED-for"), X_FORWARDED_FOR);
  assert.equal(classify("x-forwarded-fox"), OTHER);
  assert.equal(classify("a"), OTHER);
});

test("header names: underscores for the hyphens of a known one make a shadow of it", () => {
  for (const name of [
    "Content_Length",
    "X_Forwarded_For",
    "x-forwarded_for",
    "TRANSFER_ENCODING",
  ]) {
    assert.equal(classify(name), SHADOW, name);
    assert.equal(isShadowName(name.toLowerCase()), true, name);
  }
  for (const name of ["x_channel", "content_lengtx", "x_forwarded_foo", "_host_", "ho_t", "a_b"]) {
    assert.equal(classify(name), OTHER, name);
    assert.equal(isShadowName(name), false, name);
  }
});

test("header names: a shadow is dropped where it stands, other names with underscores pass", () => {
  const text = "X_Forwarded_For: 127.0.0.1\r\nA_B: 1\r\nContent_Length: 5\r\nC: 2\r\n\r\n";
  const bytes = Buffer.from(text);
  const fields = new Fields();
  assert.equal(parseFields(bytes, 0, bytes.length, 0, fields, 10), bytes.length);
  fields.text = text;
  assert.equal(fields.get("x_forwarded_for"), undefined);
  assert.equal(fields.get("content-length"), undefined);
  assert.equal(fields.lines(0), "A_B: 1\r\nC: 2\r\n");
});
