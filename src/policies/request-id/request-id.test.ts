import assert from "node:assert/strict";
import { test } from "node:test";
import { runPolicy } from "../../../test/support/policy-run.ts";
import requestId from "./request-id.ts";

test("request-id: the service and the client are told the id that logs have", async () => {
  const { exchange, verdict, sent, answered } = await runPolicy(requestId, undefined);
  assert.equal(verdict, undefined);
  assert.match(exchange.requestId, /^[0-9a-f]{32}$/);
  assert.deepEqual(sent, [`x-request-id: ${exchange.requestId}`]);
  assert.deepEqual(answered, [`x-request-id: ${exchange.requestId}`]);
});

test("request-id: every request has one of its own", async () => {
  const one = await runPolicy(requestId, undefined);
  const other = await runPolicy(requestId, undefined);
  assert.notEqual(one.exchange.requestId, other.exchange.requestId);
});

test("request-id: what a client sends is replaced, every line of it", async () => {
  const headers = { "X-Request-Id": ["mine", "and mine"], "X-Other": "kept" };
  const { exchange, sent } = await runPolicy(requestId, undefined, { headers });
  assert.deepEqual(sent, ["x-other: kept", `x-request-id: ${exchange.requestId}`]);
  assert.match(exchange.requestId, /^[0-9a-f]{32}$/);
});

test("request-id: what a trusted proxy sends stays, also under another name", async () => {
  for (const header of ["x-request-id", "X-Correlation-Id"]) {
    const headers = { [header]: "edge-7" };
    const run = await runPolicy(requestId, { header }, { headers, isTrusted: true });
    assert.equal(run.exchange.requestId, "edge-7");
    assert.deepEqual(run.sent, [`${header.toLowerCase()}: edge-7`]);
    assert.deepEqual(run.answered, [`${header.toLowerCase()}: edge-7`]);
  }
});

test("request-id: of a trusted proxy too, only one short printable word is an id", async () => {
  for (const sent of ["", "two words", ["one", "two"], "x".repeat(129), "caf\xe9"]) {
    const headers = { "x-trace": sent };
    const run = await runPolicy(requestId, { header: "x-trace" }, { headers, isTrusted: true });
    assert.match(run.exchange.requestId, /^[0-9a-f]{32}$/, String(sent));
  }
});

test("request-id: another header's id does not come from X-Request-Id of a client", async () => {
  const headers = { "x-request-id": "mine" };
  const { exchange, sent } = await runPolicy(requestId, { header: "x-id" }, { headers });
  assert.deepEqual(sent, ["x-request-id: mine", `x-id: ${exchange.requestId}`]);
});

test("request-id: an id that a service answers with does not reach the client", async () => {
  const responseHeaders = { "X-Request-Id": "of the service" };
  const { exchange, answered } = await runPolicy(requestId, {}, { responseHeaders });
  assert.deepEqual(answered, [`x-request-id: ${exchange.requestId}`]);
});

test("request-id: the client is not told where that is not wanted", async () => {
  const { sent, answered } = await runPolicy(requestId, { response: false });
  assert.equal(sent.length, 1);
  assert.deepEqual(answered, []);
});

test("request-id: a header that frames the message is refused", () => {
  for (const header of ["content-length", "Transfer-Encoding", "host", "x y", ""]) {
    assert.equal(requestId.schema.safeParse({ header }).success, false, header);
  }
});
