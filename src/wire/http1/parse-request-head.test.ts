import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequestHead } from "./parse-request-head.ts";
import {
  BAD_CODING,
  BAD_CONNECTION,
  BAD_FIELD_NAME,
  BAD_FIELD_VALUE,
  BAD_LENGTH,
  BAD_METHOD,
  BAD_START_LINE,
  BAD_TARGET,
  BARE_CR,
  BARE_LF,
  CODING_IN_HTTP_1_0,
  CODING_NOT_SUPPORTED,
  FOLDED_FIELD,
  HEAD_TOO_LARGE,
  HOST_DOUBLED,
  HOST_MISSING,
  HTTP2_PREFACE,
  INCOMPLETE,
  LENGTH_AND_CODING,
  LENGTH_DOUBLED,
  NO_COLON,
  NO_VERSION,
  SPACE_BEFORE_COLON,
  TARGET_TOO_LONG,
  TOO_MANY_FIELDS,
  VERSION_NOT_SUPPORTED,
} from "./refusal.ts";
import { NO_LENGTH, RequestHead } from "./request-head.ts";

const limits = { headBytesMax: 1024, uriBytesMax: 100, fieldCountMax: 10 };

function parse(text: string, head = new RequestHead()): number {
  const bytes = Buffer.from(text, "latin1");
  return parseRequestHead(bytes, 0, bytes.length, head, limits);
}

test("parseRequestHead: reads method, target, version and fields, whatever their case", () => {
  const head = new RequestHead();
  const text =
    "GET /a?b=c HTTP/1.1\r\nhOsT: example.com\r\nX-Empty:\r\nAccept:  text/html \t\r\n\r\nrest";
  assert.equal(parse(text, head), text.length - 4);
  assert.equal(head.method, "GET");
  assert.equal(head.target, "/a?b=c");
  assert.equal(head.versionMinor, 1);
  assert.equal(head.fields.get("host"), "example.com");
  assert.equal(head.fields.get("x-empty"), "");
  assert.equal(head.fields.get("accept"), "text/html");
  assert.equal(head.fields.get("absent"), undefined);
  assert.equal(head.contentLength, NO_LENGTH);
  assert.equal(head.keepAlive, true);
});

test("parseRequestHead: says INCOMPLETE for every beginning of a head, and never anything else", () => {
  const text =
    "POST /path HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Long: some value here\r\n\r\n";
  for (let length = 0; length < text.length; length++) {
    assert.equal(parse(text.slice(0, length)), INCOMPLETE, JSON.stringify(text.slice(0, length)));
  }
  assert.equal(parse(text), text.length);
});

test("parseRequestHead: forgives one empty line before the request, not two", () => {
  assert.equal(parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 29);
  assert.equal(parse("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), BAD_METHOD);
});

const refused: readonly (readonly [string, number, string])[] = [
  ["a method that is no token", BAD_METHOD, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a missing target", BAD_START_LINE, "GET  HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a control character in the target", BAD_TARGET, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a fragment in the target", BAD_TARGET, "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["HTTP/0.9", NO_VERSION, "GET /\r\nHost: a\r\n\r\n"],
  ["two spaces before the version", BAD_START_LINE, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["HTTP/1.2", VERSION_NOT_SUPPORTED, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"],
  ["HTTP/3.0", VERSION_NOT_SUPPORTED, "GET / HTTP/3.0\r\nHost: a\r\n\r\n"],
  ["the HTTP/2 preface", HTTP2_PREFACE, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a bare LF after the request line", BARE_LF, "GET / HTTP/1.1\nHost: a\r\n\r\n"],
  ["a bare LF after a field", BARE_LF, "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"],
  ["a bare CR in a value", BARE_CR, "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"],
  ["a folded field", FOLDED_FIELD, "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"],
  ["a space before the first name", BAD_FIELD_NAME, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"],
  ["an empty name", BAD_FIELD_NAME, "GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n"],
  ["a space before the colon", SPACE_BEFORE_COLON, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
  ["a line without a colon", NO_COLON, "GET / HTTP/1.1\r\nHost\r\n\r\n"],
  ["a NUL in a value", BAD_FIELD_VALUE, "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"],
  ["no Host in HTTP/1.1", HOST_MISSING, "GET / HTTP/1.1\r\nX: y\r\n\r\n"],
  ["two Hosts", HOST_DOUBLED, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
  ["a signed length", BAD_LENGTH, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"],
  ["a list of lengths", BAD_LENGTH, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"],
  [
    "a length beyond what can be counted",
    BAD_LENGTH,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999\r\n\r\n",
  ],
  [
    "two lengths, even equal ones",
    LENGTH_DOUBLED,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
  ],
  [
    "a length beside chunked",
    LENGTH_AND_CODING,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  [
    "chunked twice",
    BAD_CODING,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
  ],
  [
    "something like chunked",
    BAD_CODING,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
  ],
  [
    "a coding the gateway cannot undo",
    CODING_NOT_SUPPORTED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
  ],
  [
    "chunked in HTTP/1.0",
    CODING_IN_HTTP_1_0,
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  [
    "a Connection field that names the length",
    BAD_CONNECTION,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: content-length\r\n\r\n",
  ],
  ["a target beyond the limit", TARGET_TOO_LONG, `GET /${"a".repeat(200)} HTTP/1.1\r\n`],
  ["a head beyond the limit", HEAD_TOO_LARGE, `GET / HTTP/1.1\r\nX: ${"a".repeat(2000)}`],
  ["more fields than allowed", TOO_MANY_FIELDS, `GET / HTTP/1.1\r\n${"X: y\r\n".repeat(11)}\r\n`],
];

for (const [what, refusal, text] of refused) {
  test(`parseRequestHead: refuses ${what}`, () => assert.equal(parse(text), refusal));
}

test("parseRequestHead: drops hop-by-hop fields and those that Connection names", () => {
  const head = new RequestHead();
  parse(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n" +
      "Proxy-Authorization: x\r\nTE: trailers\r\nX-Kept: 2\r\n\r\n",
    head,
  );
  assert.equal(head.keepAlive, false);
  assert.equal(head.acceptsTrailers, true);
  assert.equal(head.fields.lines(head.fields.linesStart), "Host: a\r\nX-Kept: 2\r\n");
});

test("parseRequestHead: asks for an upgrade only if Connection does", () => {
  const head = new RequestHead();
  parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", head);
  assert.equal(head.upgradeIndex, -1);
  parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", head);
  assert.equal(head.fields.valueAt(head.upgradeIndex), "websocket");
});

test("parseRequestHead: leaves nothing of one request in the next", () => {
  const head = new RequestHead();
  parse(
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n",
    head,
  );
  head.fields.add("x-added", "1");
  parse("GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head);
  assert.equal(head.contentLength, NO_LENGTH);
  assert.equal(head.keepAlive, true);
  assert.equal(head.expectContinue, false);
  assert.equal(head.hostIndex, -1);
  assert.equal(head.fields.lines(head.fields.linesStart), "");
});
