import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { accessFields, parseAccessField } from "./access-fields.ts";
import { type AccessLine, compileAccessLine } from "./access-line.ts";
import type { AccessRecord } from "./access-record.ts";

const plain: AccessRecord = {
  startedAtMs: Date.UTC(2026, 10, 21, 8, 45, 7) + 42,
  durationUs: 12_345,
  upstreamUs: 999,
  clientAddress: "192.0.2.7",
  method: "GET",
  scheme: "https",
  host: "api.example.com",
  path: "/api/v1/users/123",
  query: "a=b",
  protocol: "HTTP/1.1",
  status: 200,
  requestBodyBytes: 0,
  responseBodyBytes: 5120,
  routeName: "users",
  serviceName: "users-service",
  targetUrl: "http://127.0.0.1:3001",
  attempts: 1,
  retriedFor: "",
  retryForgone: "",
  grpcStatus: "",
  hedge: "",
  requestId: "abc-1",
  consumer: "mobile",
  subject: "user 7",
  credential: "ci",
  identityMethod: "api-key",
  faultCode: "",
  failure: "",
  fallback: "",
  requestHeader: (name) => (name === "user-agent" ? "curl/8.9" : ""),
  responseHeader: (name) => (name === "etag" ? '"v1"' : ""),
};

function compile(...names: string[]): AccessLine {
  return compileAccessLine(
    names.map((name) => parseAccessField(name)!),
    3,
  );
}

/** Bytes as the wire holds them: one latin1 character each. */
function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

test("access line: every field of a plain exchange is there, under its name, in its JSON type", () => {
  const line = compileAccessLine(accessFields, 3)(plain);
  assert.deepEqual(JSON.parse(line), {
    time: "2026-11-21T08:45:07.042Z",
    requestId: "abc-1",
    client: "192.0.2.7",
    method: "GET",
    scheme: "https",
    host: "api.example.com",
    path: "/api/v1/users/123",
    query: "a=b",
    protocol: "HTTP/1.1",
    status: 200,
    requestBytes: 0,
    responseBytes: 5120,
    durationMs: 12.345,
    upstreamMs: 0.999,
    route: "users",
    service: "users-service",
    target: "http://127.0.0.1:3001",
    attempts: 1,
    consumer: "mobile",
    subject: "user 7",
    credential: "ci",
    identity: "api-key",
    userAgent: "curl/8.9",
    worker: 3,
  });
});

test("access line: fields come in the order asked for, after the time", () => {
  const line = compile("status", "method", "time")(plain);
  assert.equal(line, '{"time":"2026-11-21T08:45:07.042Z","status":200,"method":"GET"}\n');
});

test("access line: a value that there is not is left out, also after one that there was", () => {
  const line = compile("time", "route", "upstreamMs", "client");
  line(plain);
  const bare = line({ ...plain, routeName: "", upstreamUs: -1, clientAddress: "" });
  assert.equal(bare, '{"time":"2026-11-21T08:45:07.042Z"}\n');
});

test("access line: any header can be a field", () => {
  const line = compile("time", "request.header.User-Agent", "response.header.ETag")(plain);
  const parsed = JSON.parse(line) as Record<string, unknown>;
  assert.equal(parsed["request.header.User-Agent"], "curl/8.9");
  assert.equal(parsed["response.header.ETag"], '"v1"');
});

test("access line: a field name that is no token names no header", () => {
  assert.equal(parseAccessField('request.header.a"b'), undefined);
  assert.equal(parseAccessField("request.header."), undefined);
  assert.equal(parseAccessField("statuss"), undefined);
});

test("access line: bytes that are UTF-8 are shown as text, others as U+FFFD", () => {
  const line = compile("time", "path");
  const shown = (path: string): unknown =>
    (JSON.parse(line({ ...plain, path })) as AccessRecord).path;
  assert.equal(shown(octets("/größe/日本")), "/größe/日本");
  assert.equal(shown("/\xff\xfe"), "/\ufffd\ufffd");
});

test("access line: a name from the config may be in any script", () => {
  const line = compile(
    "time",
    "route",
    "service",
  )({ ...plain, routeName: "größe", serviceName: "日" });
  const parsed = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([parsed["route"], parsed["service"]], ["größe", "日"]);
});

test("access line: whatever a client sends, the line is one line of printable ASCII and valid JSON", () => {
  const line = compileAccessLine(accessFields, 0);
  const anyOctets = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
  });
  const anyText = fc.oneof(anyOctets, fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(anyText, anyText, anyText, (path, userAgent, requestId) => {
      const built = line({
        ...plain,
        path,
        requestId,
        host: userAgent,
        requestHeader: () => userAgent,
      });
      assert.match(built, /^[\x20-\x7e]+\n$/);
      const parsed = JSON.parse(built) as Record<string, string>;
      assert.equal(parsed["status"], 200);
      if (!/[^\x00-\x7f]/.test(path)) assert.equal(parsed["path"] ?? "", path);
    }),
  );
});

test("access line: long values are cut when a limit is given", () => {
  const line = compileAccessLine([parseAccessField("path")!], 0, 10);
  const parsed = JSON.parse(line({ ...plain, path: "/" + "a".repeat(50) })) as { path: string };
  assert.equal(parsed.path, "/aaaaaaaaa...");
});

test("access line: the time follows the second as it changes, back and forth", () => {
  const line = compile("time");
  const timeAt = (startedAtMs: number): unknown =>
    (JSON.parse(line({ ...plain, startedAtMs })) as { time: string }).time;
  assert.equal(timeAt(1_000_000_000_999), "2001-09-09T01:46:40.999Z");
  assert.equal(timeAt(1_000_000_001_000.75), "2001-09-09T01:46:41.000Z");
  assert.equal(timeAt(1_000_000_000_001), "2001-09-09T01:46:40.001Z");
});
