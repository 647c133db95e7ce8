import assert from "node:assert/strict";
import { test } from "node:test";
import { testGateway } from "../testing/index.ts";
import type { ServiceAnswer } from "../testing/fake-service.ts";
import { until } from "../../test/support/until.ts";
import type { TestGateway } from "../testing/test-gateway.ts";

const GRPC = { "content-type": "application/grpc" };
const trailersOnly = (status: number): ServiceAnswer => ({
  headers: { ...GRPC, "grpc-status": String(status) },
});
const withTrailers = (status: number): ServiceAnswer => ({
  headers: GRPC,
  body: "message",
  trailers: { "grpc-status": String(status) },
});

async function gatewayOf(
  answer: () => ServiceAnswer,
  options: Record<string, unknown> = {},
): Promise<TestGateway> {
  const s = { targets: ["http://one.test:8001"], http2: true, retry: false, ...options };
  return await testGateway(
    {
      services: { s, other: "http://other.test:8002" },
      routes: [{ match: "/*", service: "s" }],
    },
    { services: { s: answer, other: () => "another" } },
  );
}

const call = { method: "POST", path: "/greeter.Greeter/SayHello", body: "message" };

for (const [how, answer] of [
  ["in the head", trailersOnly],
  ["in trailers", withTrailers],
] as const) {
  test(`gRPC: a status ${how} is what the target, its outlier detection and its breaker are told`, async () => {
    let status = 14;
    await using gateway = await gatewayOf(() => answer(status), {
      outliers: { consecutiveGateway: 3 },
      breaker: { requests: 5, errors: "50%" },
    });
    for (status of [5, 12, 3, 14, 14, 14]) assert.equal((await gateway.request(call)).status, 200);
    const ended = (result: string): number =>
      gateway.metric("gateward_upstream_requests_total", { service: "s", result });
    assert.deepEqual([ended("ok"), ended("server_error")], [3, 3]);
    assert.equal(gateway.metric("gateward_target_ejections_total", { service: "s" }), 1);
    const counted = (name: string): number =>
      gateway.metric("gateward_grpc_responses_total", { service: "s", status: name });
    assert.deepEqual([counted("unavailable"), counted("unimplemented")], [3, 1]);
    const { status: refused, problem } = await gateway.request(call);
    assert.deepEqual([refused, problem?.name], [503, "breaker-open"]);
  });
}

test("gRPC: what is said without messages is fallen back from, what comes in trailers is passed on", async () => {
  let answer = trailersOnly(14);
  await using gateway = await gatewayOf(() => answer, {
    fallback: { steps: [{ service: "other", unsafe: true }] },
  });
  const got = await gateway.request(call);
  assert.deepEqual([got.body, got.headers["gateward-fallback"]], ["another", "service"]);
  answer = withTrailers(14);
  assert.equal((await gateway.request(call)).body, "message");
  answer = trailersOnly(5);
  assert.equal((await gateway.request(call)).body, "");
  const counted = (name: string): number =>
    gateway.metric("gateward_grpc_responses_total", { service: "s", status: name });
  assert.deepEqual([counted("unavailable"), counted("not-found")], [1, 1]);
});

test("gRPC: a failure that HTTP tells is not called by what stands beside it", async () => {
  const answer = { status: 503, headers: { ...GRPC, "grpc-status": "0" } };
  await using gateway = await gatewayOf(() => answer, {
    fallback: [{ respond: {}, text: "{failure}" }],
  });
  assert.equal((await gateway.request(call)).body, "503");
});

test("gRPC: what a try was told that another was to follow is nothing that a client who left has got", async () => {
  const later = { "grpc-status": "14", "grpc-retry-pushback-ms": "1000" };
  await using gateway = await gatewayOf(() => ({ headers: { ...GRPC, ...later } }), {
    retry: { on: ["unavailable"], unsafe: true },
  });
  const { method, path } = call;
  const exchange = gateway.start({ method, path });
  await until(() => gateway.metric("gateward_retries_total", { service: "s" }) === 1);
  exchange.leave();
  const labels = { service: "s", status: "unavailable" };
  assert.equal(gateway.metric("gateward_grpc_responses_total", labels), 0);
});

test("gRPC: without HTTP/2 there is none, and a header of that name is one like others", async () => {
  await using gateway = await gatewayOf(() => trailersOnly(14), { http2: false });
  assert.equal((await gateway.request(call)).status, 200);
  const labels = { service: "s", result: "ok" };
  assert.equal(gateway.metric("gateward_upstream_requests_total", labels), 1);
});
