import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "../fields.ts";
import {
  BAD_FIELD_NAME,
  BAD_FIELD_VALUE,
  BAD_HTTP2_FIELDS,
  BAD_LENGTH,
  BAD_METHOD,
  BAD_START_LINE,
  BAD_TARGET,
  HEAD_TOO_LARGE,
  HOST_DOUBLED,
  HOST_MISSING,
  LENGTH_DOUBLED,
  TOO_MANY_FIELDS,
} from "../http1/refusal.ts";
import { NO_LENGTH, RequestHead } from "../http1/request-head.ts";
import { ResponseHead } from "../http1/response-head.ts";
import { appendLines, headerObject } from "./header-list.ts";
import { readRequestHead } from "./read-request-head.ts";
import { readResponseHead } from "./read-response-head.ts";

const limits = { headBytesMax: 2048, uriBytesMax: 1024, fieldCountMax: 10 };
const GET = [":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"];

function read(raw: readonly string[], ended = true): { refusal: number; head: RequestHead } {
  const head = new RequestHead();
  return { refusal: readRequestHead(raw, ended, head, limits), head };
}

// nghttp2 lets none of these through today; services must not depend on that.
const hostile: readonly (readonly [string, readonly string[], number])[] = [
  ["CRLF in a value", [...GET, "x", "1\r\nx-smuggled: 2"], BAD_FIELD_VALUE],
  ["a bare LF in a value", [...GET, "x", "1\n2"], BAD_FIELD_VALUE],
  ["NUL in a value", [...GET, "x", "\0"], BAD_FIELD_VALUE],
  ["a letter beyond Latin-1 whose low byte is LF", [...GET, "x", "\u010a"], BAD_FIELD_VALUE],
  ["CRLF in a cookie", [...GET, "cookie", "a=1", "cookie", "b\r\nx: y"], BAD_FIELD_VALUE],
  ["CRLF in a name", [...GET, "x: 1\r\ny", "2"], BAD_FIELD_NAME],
  ["a colon in a name", [...GET, "x:y", "2"], BAD_FIELD_NAME],
  ["an upper-case name", [...GET, "X-Upper", "2"], BAD_FIELD_NAME],
  ["an empty name", [...GET, "", "2"], BAD_FIELD_NAME],
  ["a space in a name", [...GET, "x y", "2"], BAD_FIELD_NAME],
  ["Transfer-Encoding", [...GET, "transfer-encoding", "chunked"], BAD_HTTP2_FIELDS],
  ["Connection", [...GET, "connection", "x"], BAD_HTTP2_FIELDS],
  ["Upgrade", [...GET, "upgrade", "x"], BAD_HTTP2_FIELDS],
  ["HTTP2-Settings", [...GET, "http2-settings", "x"], BAD_HTTP2_FIELDS],
  ["TE with more than trailers", [...GET, "te", "trailers, gzip"], BAD_HTTP2_FIELDS],
  ["CRLF in :authority", replace(":authority", "a\r\nx: y"), BAD_FIELD_VALUE],
  ["a space in the path", replace(":path", "/a b"), BAD_TARGET],
  ["CRLF in the path", replace(":path", "/ HTTP/1.1\r\nx: y\r\n"), BAD_TARGET],
  ["an empty path", replace(":path", ""), BAD_TARGET],
  ["a relative path", replace(":path", "a"), BAD_TARGET],
  ["a space in the method", replace(":method", "GET /x"), BAD_METHOD],
  ["an empty method", replace(":method", ""), BAD_METHOD],
  ["a method without end", replace(":method", "A".repeat(33)), BAD_METHOD],
  ["Host and :authority that differ", [...GET, "host", "b.example"], HOST_DOUBLED],
  ["two Hosts and no :authority", ["host", "a", "host", "b"], HOST_DOUBLED],
  ["an empty :authority and no Host", replace(":authority", ""), HOST_MISSING],
  ["two lengths", [...GET, "content-length", "1", "content-length", "1"], LENGTH_DOUBLED],
  ["a length with a sign", [...GET, "content-length", "+1"], BAD_LENGTH],
  ["a length and no body", [...GET, "content-length", "1"], BAD_LENGTH],
  ["too many fields", [...GET, ...Array.from({ length: 22 }, () => "x")], TOO_MANY_FIELDS],
  ["a head that is too large", [...GET, "x", "y".repeat(2048)], HEAD_TOO_LARGE],
];

function replace(name: string, value: string): string[] {
  const raw = [...GET];
  raw[raw.indexOf(name) + 1] = value;
  return raw;
}

for (const [what, raw, refusal] of hostile) {
  test(`http2 request head: refuses ${what}`, () => {
    const whole = raw[0] === "host" ? [":method", "GET", ":path", "/", ...raw] : raw;
    assert.equal(read(whole).refusal, refusal);
  });
}

test("http2 request head: says how a body of unknown length is to be sent", () => {
  const unknown = read(GET, false).head;
  assert.deepEqual(
    [unknown.chunked, unknown.contentLength, unknown.hasBody],
    [true, NO_LENGTH, true],
  );
  const known = read([...GET, "content-length", "5"], false).head;
  assert.deepEqual([known.chunked, known.contentLength, known.hasBody], [false, 5, true]);
  const none = read([...GET, "content-length", "0"], false).head;
  assert.deepEqual([none.chunked, none.contentLength, none.hasBody], [false, 0, false]);
  assert.equal(read(GET).head.hasBody, false);
});

test("http2 request head: takes a Host in place of :authority, and one that says the same", () => {
  const alone = read([":method", "GET", ":path", "/", "host", "a.example"]);
  assert.equal(alone.refusal, 0);
  assert.equal(alone.head.fields.valueAt(alone.head.hostIndex), "a.example");
  const both = read([...GET, "host", "A.example"]).head;
  assert.equal(both.fields.lines(both.fields.linesStart), "host: a.example\r\n");
});

test("http2 request head: trims white space around a value and joins cookies", () => {
  const { head } = read([...GET, "x", " \t1 ", "cookie", "a=1", "y", "", "cookie", "b=2"]);
  const lines = "host: a.example\r\nx: 1\r\ny: \r\ncookie: a=1; b=2\r\n";
  assert.equal(head.fields.lines(head.fields.linesStart), lines);
  assert.equal(head.fields.get("cookie"), "a=1; b=2");
  assert.equal(head.fields.text, `GET / HTTP/1.1\r\n${lines}\r\n`);
});

test("http2 request head: a CONNECT shows who is to be reached, and is no upgrade", () => {
  const { head, refusal } = read([":method", "CONNECT", ":authority", "b.example:443"], false);
  assert.equal(refusal, 0);
  assert.equal(head.method, "CONNECT");
  assert.equal(head.target, "b.example:443");
  assert.equal(head.upgradeIndex, -1);
});

test("http2 request head: an extended CONNECT for another protocol stays a CONNECT", () => {
  const raw = [...replace(":method", "CONNECT"), ":protocol", "connect-udp"];
  const { head } = read(raw, false);
  assert.equal(head.method, "CONNECT");
  assert.equal(head.upgradeIndex, -1);
});

test("http2 request head: a WebSocket's own key is replaced, its Upgrade goes no further as a line", () => {
  const raw = [
    ...replace(":method", "CONNECT"),
    ":protocol",
    "websocket",
    "sec-websocket-key",
    "x",
  ];
  const { head, refusal } = read(raw, false);
  assert.equal(refusal, 0);
  assert.equal(head.method, "GET");
  assert.equal(head.chunked, false);
  assert.equal(head.fields.valueAt(head.upgradeIndex), "websocket");
  const lines = head.fields.lines(head.fields.linesStart);
  assert.match(lines, /^host: a\.example\r\nsec-websocket-key: [\w+/]{22}==\r\n$/);
});

test("http2 response head: reads as HTTP/1.1 would and can go on in one piece", () => {
  const head = new ResponseHead();
  const raw = [":status", "404", "content-length", "3", "set-cookie", "a", "set-cookie", "b"];
  assert.equal(readResponseHead(raw, head, limits), 0);
  assert.equal(head.contentLength, 3);
  assert.equal(head.statusLineStands, true);
  assert.equal(
    head.fields.lines(0),
    "HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\nset-cookie: a\r\nset-cookie: b\r\n",
  );
});

for (const status of ["", "99", "1000", "abc", "-200"]) {
  test(`http2 response head: refuses the status "${status}"`, () => {
    const head = new ResponseHead();
    assert.equal(readResponseHead([":status", status], head, limits), BAD_START_LINE);
  });
}

test("http2 header list: field lines given as text become names and values", () => {
  const list: string[] = [];
  appendLines(list, "X-One: 1\r\nX-Two:2:3\r\nX-Empty: \r\n");
  assert.deepEqual(list, ["X-One", "1", "X-Two", "2:3", "X-Empty", ""]);
});

test("http2 header list: several fields of one name become an array", () => {
  const fields = new Fields();
  fields.add("link", "1");
  fields.add("link", "2");
  fields.add("link", "3");
  fields.add("x", "1");
  assert.deepEqual({ ...headerObject(fields) }, { link: ["1", "2", "3"], x: "1" });
});
