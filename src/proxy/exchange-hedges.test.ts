import assert from "node:assert/strict";
import { test } from "node:test";
import { HANG_UP, testGateway } from "../testing/index.ts";
import type { ServiceAnswer, ServiceCall } from "../testing/fake-service.ts";
import { TOKENS_MAX } from "../upstream/retry/retry-budget.ts";
import type { TestGateway } from "../testing/test-gateway.ts";

const TARGETS = ["http://one.test:8001", "http://two.test:8002"];

/** What each call waits for, by the order in which they came. */
interface Hedged {
  gateway: TestGateway;
  answer(call: number, answer: ServiceAnswer): Promise<void>;
}

async function hedged(options: Record<string, unknown> = {}): Promise<Hedged> {
  const answers = Array.from({ length: 4 }, () => Promise.withResolvers<ServiceAnswer>());
  let at = 0;
  const gateway = await testGateway(
    {
      services: { s: { targets: TARGETS, hedge: "200ms", ...options } },
      routes: [{ match: "/*", service: "s" }],
    },
    {
      services: {
        s: async (call: ServiceCall) => {
          const mine = answers[at++];
          await call.text().catch(() => "");
          return await (mine?.promise ?? new Promise<ServiceAnswer>(() => {}));
        },
      },
    },
  );
  return {
    gateway,
    answer: async (call, answer) => {
      answers[call]!.resolve(answer);
      await turns();
    },
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

/** Time goes by, step by step. */
async function later(gateway: TestGateway, ms: number): Promise<void> {
  await turns();
  for (let left = ms; left > 0; left -= 100) {
    gateway.clock.advance(100);
    await turns();
  }
}

const results = (gateway: TestGateway) =>
  ["won", "lost", "failed"].map((result) => gateway.metric("gateward_hedges_total", { result }));

const tries = (gateway: TestGateway, result: string) =>
  gateway.metric("gateward_upstream_requests_total", { result });

test("hedge: the second target's answer wins, and the first is let go without blame", async () => {
  const { gateway, answer } = await hedged();
  await using _ = gateway;
  const { response } = gateway.start({ path: "/a" });
  await later(gateway, 100);
  assert.equal(gateway.calls.length, 1);
  await later(gateway, 300);
  assert.equal(gateway.calls.length, 2);
  assert.notEqual(gateway.calls[0]!.targetUrl, gateway.calls[1]!.targetUrl);
  await answer(1, { body: "second", headers: { "x-from": "second" } });
  const { body, headers, outcome } = await response;
  assert.deepEqual([body, headers["x-from"], outcome.attempts], ["second", "second", 2]);
  assert.deepEqual(results(gateway), [1, 0, 0]);
  assert.deepEqual([tries(gateway, "ok"), tries(gateway, "cancelled")], [1, 1]);
  await answer(0, "first");
  assert.equal(gateway.metric("gateward_in_flight_requests"), 0);
});

test("hedge: a target that hangs is found out, though its hedges are answered", async () => {
  await using gateway = await testGateway(
    {
      services: {
        s: { targets: TARGETS, hedge: "200ms", outliers: true, retry: { budget: "100%" } },
      },
      routes: [{ match: "/*", service: "s" }],
    },
    {
      services: {
        s: async ({ targetUrl }: ServiceCall) =>
          targetUrl === TARGETS[0] ? await new Promise<ServiceAnswer>(() => {}) : "fine",
      },
    },
  );
  const ejections = (): number =>
    gateway.metric("gateward_target_ejections_total", { reason: "consecutive_local" });
  for (let round = 0; round < 30 && ejections() === 0; round++) {
    const { response } = gateway.start();
    await later(gateway, 300);
    assert.equal((await response).body, "fine");
  }
  assert.equal(ejections(), 1);
  assert.equal(tries(gateway, "cancelled"), 5);
  for (let round = 0; round < 4; round++) assert.equal((await gateway.request()).status, 200);
});

test("hedge: the first target's answer wins when it comes first after all", async () => {
  const { gateway, answer } = await hedged();
  await using _ = gateway;
  const { response } = gateway.start();
  await later(gateway, 400);
  await answer(0, "first");
  assert.equal((await response).body, "first");
  assert.deepEqual(results(gateway), [0, 1, 0]);
  assert.deepEqual([tries(gateway, "ok"), tries(gateway, "cancelled")], [1, 1]);
});

test("hedge: an answer in time needs none", async () => {
  const { gateway, answer } = await hedged();
  await using _ = gateway;
  const { response } = gateway.start();
  await turns();
  await answer(0, "first");
  await response;
  await later(gateway, 600);
  assert.equal(gateway.calls.length, 1);
});

test("hedge: an error of the second target does not win", async () => {
  for (const bad of [{ status: 500 }, HANG_UP] as const) {
    const { gateway, answer } = await hedged();
    await using _ = gateway;
    const { response } = gateway.start();
    await later(gateway, 400);
    await answer(1, bad);
    await answer(0, "first");
    assert.equal((await response).body, "first");
    assert.deepEqual(results(gateway), [0, 0, 1]);
  }
});

test("hedge: when the first target fails, the second try goes on in its place", async () => {
  for (const bad of [{ status: 503 }, HANG_UP] as const) {
    const { gateway, answer } = await hedged({ retry: true });
    await using _ = gateway;
    const { response } = gateway.start();
    await later(gateway, 400);
    await answer(0, bad);
    await later(gateway, 600);
    assert.equal(gateway.calls.length, 2);
    await answer(1, "second");
    assert.equal((await response).body, "second");
  }
});

test("hedge: what has taken the first try's place is retried as that", async () => {
  const { gateway, answer } = await hedged({ retry: true });
  await using _ = gateway;
  const { response } = gateway.start();
  await later(gateway, 400);
  await answer(0, HANG_UP);
  await answer(1, HANG_UP);
  await later(gateway, 600);
  await answer(2, "third");
  assert.equal((await response).body, "third");
});

test("hedge: bodies that are kept go to both, and streamed answers come whole from the second", async () => {
  const { gateway, answer } = await hedged();
  await using _ = gateway;
  const { response } = gateway.start({ method: "PUT", body: "order" });
  await later(gateway, 400);
  const body = async function* () {
    yield "sec";
    yield "ond";
  };
  await answer(1, { body: body() });
  assert.equal((await response).body, "second");
  assert.deepEqual(
    gateway.calls.map((call) => call.body),
    ["order", "order"],
  );
});

test("hedge: nothing that is not to be repeated, is too large, or has one target only", async () => {
  for (const [request, options] of [
    [{ method: "POST", body: "order" }, {}],
    [{ method: "PUT", body: "x".repeat(70_000) }, {}],
    [{}, { targets: TARGETS.slice(1) }],
  ] as const) {
    const { gateway, answer } = await hedged(options);
    await using _ = gateway;
    const { response } = gateway.start(request);
    await later(gateway, 600);
    assert.equal(gateway.calls.length, 1);
    await answer(0, "first");
    await response;
  }
});

test("hedge: hedges are paid out of the budget of retries", async () => {
  const { gateway } = await hedged({ retry: { budget: "0%" } });
  await using _ = gateway;
  const exchanges = Array.from({ length: 30 }, () => gateway.start());
  await later(gateway, 600);
  // The stock, and not one more.
  assert.equal(gateway.calls.length, 30 + TOKENS_MAX);
  const forgone = { reason: "budget" };
  assert.equal(gateway.metric("gateward_retries_forgone_total", forgone), 30 - TOKENS_MAX);
  for (const { leave } of exchanges) leave();
});

test("hedge: a client that leaves ends both tries", async () => {
  const { gateway } = await hedged();
  await using _ = gateway;
  const { leave, response } = gateway.start();
  await later(gateway, 400);
  leave();
  assert.equal((await response).isBroken, true);
  assert.equal(tries(gateway, "cancelled"), 2);
  assert.equal(gateway.metric("gateward_in_flight_requests"), 0);
});

test("hedge: a deadline that passes for the first try is not the end while the second goes on", async () => {
  const { gateway, answer } = await hedged({ timeout: { response: "500ms" } });
  await using _ = gateway;
  const { response } = gateway.start();
  await later(gateway, 800);
  await answer(1, "second");
  assert.equal((await response).body, "second");
  assert.equal(tries(gateway, "timeout"), 1);
});

test("hedge: a route may do without", async () => {
  const gateway = await testGateway({
    services: { s: { targets: TARGETS, hedge: "p95" } },
    routes: [{ match: "/*", service: "s", hedge: false }],
  });
  await using _ = gateway;
  assert.equal((await gateway.request()).status, 200);
});

test("hedge: p95 waits as long as answers have taken, in the time of the clock", async () => {
  let held = Promise.withResolvers<string>();
  const gateway = await testGateway(
    {
      services: { s: { targets: TARGETS, hedge: "p95" } },
      routes: [{ match: "/*", service: "s" }],
    },
    { services: { s: async () => await held.promise } },
  );
  await using _ = gateway;
  for (let request = 0; request < 150; request++) {
    held = Promise.withResolvers();
    const { response } = gateway.start();
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    gateway.clock.advance(40);
    held.resolve("fine");
    await response;
  }
  // The estimate is just below what all have taken, so one in twenty of those after the first hundred is hedged.
  const calls = gateway.calls.length;
  assert.ok(calls >= 150 && calls <= 160, String(calls));
  held = Promise.withResolvers();
  const { response } = gateway.start();
  await turns();
  gateway.clock.advance(30);
  await turns();
  assert.equal(gateway.calls.length, calls + 1);
  gateway.clock.advance(30);
  await turns();
  assert.equal(gateway.calls.length, calls + 2);
  held.resolve("late");
  assert.equal((await response).body, "late");
});
