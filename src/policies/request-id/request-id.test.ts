import assert from "node:assert/strict";
import { test } from "node:test";
import { testPolicy } from "../../testing/test-policy.ts";
import requestId from "./request-id.ts";

/** Believed about who the client is, and about the id. */
const trusted = { document: { trustedProxies: ["192.0.2.1"] } };

test("request-id: the service and the client are told the id that logs have", async () => {
  await using subject = await testPolicy(requestId);
  const { outcome, sent, headers } = await subject.request();
  assert.match(outcome.requestId, /^[0-9a-f]{32}$/);
  assert.equal(sent?.headers["x-request-id"], outcome.requestId);
  assert.equal(headers["x-request-id"], outcome.requestId);
});

test("request-id: every request has one of its own, the gateway's own answers too", async () => {
  await using subject = await testPolicy(requestId, undefined, { service: "down" });
  const one = await subject.request();
  const other = await subject.request();
  assert.notEqual(one.outcome.requestId, other.outcome.requestId);
  assert.equal(one.headers["x-request-id"], one.problem?.requestId);
});

test("request-id: what a client sends is replaced, every line of it", async () => {
  await using subject = await testPolicy(requestId);
  const headers = { "X-Request-Id": ["mine", "and mine"], "X-Other": "kept" };
  const { outcome, sent } = await subject.request({ headers });
  const lines = sent!.lines.filter(([name]) => name.startsWith("x-request"));
  assert.deepEqual(lines, [["x-request-id", outcome.requestId]]);
  assert.equal(sent?.headers["x-other"], "kept");
  assert.match(outcome.requestId, /^[0-9a-f]{32}$/);
});

test("request-id: what a trusted proxy sends stays, also under another name", async () => {
  for (const header of ["x-request-id", "X-Correlation-Id"]) {
    await using subject = await testPolicy(requestId, { header }, trusted);
    const { outcome, sent, headers } = await subject.request({ headers: { [header]: "edge-7" } });
    assert.equal(outcome.requestId, "edge-7");
    assert.equal(sent?.headers[header.toLowerCase()], "edge-7");
    assert.equal(headers[header.toLowerCase()], "edge-7");
  }
});

test("request-id: of a trusted proxy too, only one short printable word is an id", async () => {
  await using subject = await testPolicy(requestId, { header: "x-trace" }, trusted);
  for (const sent of ["", "two words", ["one", "two"], "x".repeat(129), "caf\xe9"]) {
    const { outcome } = await subject.request({ headers: { "x-trace": sent } });
    assert.match(outcome.requestId, /^[0-9a-f]{32}$/, String(sent));
  }
});

test("request-id: another header's id does not come from X-Request-Id of a client", async () => {
  await using subject = await testPolicy(requestId, { header: "x-id" });
  const { outcome, sent } = await subject.request({ headers: { "x-request-id": "mine" } });
  assert.notEqual(outcome.requestId, "mine");
  assert.equal(sent?.headers["x-id"], outcome.requestId);
});

test("request-id: an id that a service answers with does not reach the client", async () => {
  const service = () => ({ headers: { "X-Request-Id": "of the service" } });
  await using subject = await testPolicy(requestId, {}, { service });
  const { outcome, headers } = await subject.request();
  assert.equal(headers["x-request-id"], outcome.requestId);
});

test("request-id: the client is not told where that is not wanted", async () => {
  await using subject = await testPolicy(requestId, { response: false });
  const { outcome, sent, headers } = await subject.request();
  assert.equal(sent?.headers["x-request-id"], outcome.requestId);
  assert.equal(headers["x-request-id"], undefined);
});

test("request-id: a header that frames the message is refused", () => {
  for (const header of ["content-length", "Transfer-Encoding", "host", "x y", ""]) {
    assert.equal(requestId.schema.safeParse({ header }).success, false, header);
  }
});
