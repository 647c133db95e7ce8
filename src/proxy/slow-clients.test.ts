/** How long clients take is not held against services: neither what bounds a try nor what judges a target sees it. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { testGateway, type TestGateway } from "../testing/index.ts";
import type { FakeService } from "../testing/fake-service.ts";

const echo: FakeService = async (call) => await call.text();

async function gatewayOf(options: Record<string, unknown>, service = echo): Promise<TestGateway> {
  const targets = ["http://one.test:8001"];
  return await testGateway(
    { services: { s: { targets, ...options } }, routes: [{ match: "/*", service: "s" }] },
    { services: { s: service } },
  );
}

/** An upload that takes its time: a second and a half between its pieces. */
async function* slowly({ clock }: TestGateway, ...pieces: string[]): AsyncGenerator<string> {
  for (const [index, piece] of pieces.entries()) {
    for (let step = 0; index > 0 && step < 15; step++) {
      await setImmediate();
      clock.advance(100);
    }
    yield piece;
  }
}

const upload = async (gateway: TestGateway) =>
  await gateway.request({ method: "PUT", body: slowly(gateway, "a", "b", "c") });

const tries = (gateway: TestGateway, result: string): number =>
  gateway.metric("gateward_upstream_requests_total", { service: "s", result });

test("slow clients: an upload may take longer than perTry", async () => {
  await using gateway = await gatewayOf({ retry: { on: ["timeout"], perTry: "1s" } });
  const { status, body } = await upload(gateway);
  assert.deepEqual([status, body], [200, "abc"]);
});

test("slow clients: perTry bounds what the service takes once the upload is through", async () => {
  const silent: FakeService = async (call) => {
    await call.text();
    return await new Promise<string>(() => {});
  };
  const options = { retry: { on: ["timeout"], perTry: "1s" } };
  await using gateway = await gatewayOf(options, silent);
  const { response } = gateway.start({ method: "PUT", body: slowly(gateway, "a", "b") });
  for (let step = 0; step < 30; step++) {
    await setImmediate();
    gateway.clock.advance(100);
  }
  const { outcome } = await response;
  assert.equal(outcome.fault, "response-timeout");
  assert.equal(tries(gateway, "timeout"), 1);
});

test("slow clients: uploads that take their time are no slow answers", async () => {
  const breaker = { slow: { after: "1s" }, requests: 2 };
  await using gateway = await gatewayOf({ breaker });
  for (let round = 0; round < 4; round++) assert.equal((await upload(gateway)).status, 200);
  assert.equal(gateway.metric("gateward_breaker_state", { service: "s" }), 0);
});

test("slow clients: the deadline of all ends an upload without blaming the target", async () => {
  await using gateway = await gatewayOf({ timeout: { total: "1s" }, breaker: { requests: 2 } });
  for (let round = 0; round < 4; round++) {
    assert.equal((await upload(gateway)).outcome.fault, "total-timeout");
  }
  assert.deepEqual([tries(gateway, "timeout"), tries(gateway, "cancelled")], [0, 4]);
});

test("slow clients: trials of a breaker whose clients take their time do not open it again", async () => {
  let isWell = false;
  const service: FakeService = async (call) => (isWell ? await echo(call) : { status: 503 });
  const timeout = { connect: "100ms", request: "100ms", response: "100ms" };
  const breaker = { requests: 2, open: "1s", trials: 1, slow: false };
  await using gateway = await gatewayOf({ timeout, breaker, retry: false }, service);
  for (let round = 0; round < 2; round++) await gateway.request();
  const state = (): number => gateway.metric("gateward_breaker_state", { service: "s" });
  assert.equal(state(), 2);
  isWell = true;
  gateway.clock.advance(1200);
  const trial = upload(gateway);
  const overAt = gateway.clock.now() + 2000;
  while (state() !== 1) await setImmediate();
  assert.equal((await gateway.request()).status, 503, "the trial's place is taken");
  while (gateway.clock.now() < overAt) await setImmediate();
  assert.equal((await gateway.request()).status, 200, "another has taken it");
  assert.deepEqual([state(), (await trial).status], [0, 200]);
});
