import assert from "node:assert/strict";
import { test } from "node:test";
import { contentType } from "./content-type.ts";

const isTaken = (written: string): boolean => contentType().safeParse(written).success;

test("content type: a media type is taken as it is written, with parameters", () => {
  for (const written of [
    "text/xml",
    "application/soap+xml",
    "application/vnd.acme.v2+json",
    "Text/CSV; header=present",
    'application/soap+xml; charset=UTF-8; action="urn:example:Get price"',
  ]) {
    assert.equal(contentType().parse(written), written);
  }
});

test("content type: what is none, a pattern, or a second header is refused", () => {
  for (const written of [
    ...[
      "",
      "xml",
      "text/",
      "text/*",
      "*/*",
      "text/xml;",
      "text/xml; charset",
      "text/xml, text/csv",
    ],
    ...["text/xml\r\nx-role: admin", 'text/xml; a="\n"', "text/x ml", "text/xml; a=b c"],
  ]) {
    assert.equal(isTaken(written), false, JSON.stringify(written));
  }
});

test("content type: no charset is promised but the one that is written", () => {
  assert.ok(isTaken('text/csv; charset="utf-8"'));
  assert.equal(isTaken("text/csv; charset=iso-8859-1"), false);
  assert.equal(isTaken('text/csv;header=absent;Charset="latin1"'), false);
});
