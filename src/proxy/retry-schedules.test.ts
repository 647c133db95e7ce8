import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { HANG_UP, testGateway } from "../testing/index.ts";
import { REFUSE, type ServiceAnswer } from "../testing/fake-service.ts";
import { DEBT_MAX, TOKENS_MAX } from "../upstream/retry/retry-budget.ts";
import type { RetryCondition } from "../upstream/retry/retry-config.ts";

const TARGETS = ["http://one.test:8001", "http://two.test:8002", "http://three.test:8003"];
const SILENT = Symbol("silent");

const answers = fc.constantFrom<ServiceAnswer | typeof SILENT>(
  "fine",
  { status: 503 },
  { status: 500 },
  { status: 429, headers: { "retry-after": "1" } },
  HANG_UP,
  REFUSE,
  SILENT,
);
const request = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST"),
  body: fc.constantFrom("", "order"),
  leavesAfter: fc.option(fc.nat(12), { nil: -1 }),
});

test("tries: under any schedule nothing unsafe is sent twice, and no more is sent than the budget has", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 40 }),
      fc.array(answers, { minLength: 1, maxLength: 30 }),
      fc.boolean(),
      async (requests, schedule, hedges) => {
        let at = 0;
        /** How often a service has begun with it, by path. */
        const begun = new Map<string, number>();
        const on: RetryCondition[] = ["reset", "timeout", "5xx", 429, "refused", "connect-failure"];
        const retry = { on, attempts: 3, perTry: "500ms", budget: "20%" };
        const hedge = hedges ? "100ms" : false;
        await using gateway = await testGateway(
          {
            services: { s: { targets: TARGETS, retry, hedge, timeout: { total: "5s" } } },
            routes: [{ match: "/*", service: "s" }],
          },
          {
            services: {
              s: async (call) => {
                const answer = schedule[at++ % schedule.length]!;
                if (answer !== REFUSE) begun.set(call.path, (begun.get(call.path) ?? 0) + 1);
                await call.text().catch(() => "");
                return answer === SILENT ? await new Promise<string>(() => {}) : answer;
              },
            },
          },
        );
        const exchanges = requests.map(({ method, body, leavesAfter }, index) => {
          const path = `/${index}`;
          const given = body === "" || method === "GET" ? { method, path } : { method, path, body };
          return { ...gateway.start(given), leavesAfter, method, path };
        });
        for (let step = 0; step < 60; step++) {
          for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
          for (const { leavesAfter, leave } of exchanges) if (leavesAfter === step) leave();
          gateway.clock.advance(100);
        }
        for (const { response, method, path } of exchanges) {
          const { status, isBroken } = await response;
          assert.ok(isBroken || status >= 200, `${path} has no answer`);
          const times = begun.get(path) ?? 0;
          const timesMax = method === "POST" ? 1 : 5;
          assert.ok(times <= timesMax, `${method} ${path} was begun with ${times} times`);
        }
        const refused = gateway.metric("gateward_retries_total", { reason: "refused" });
        const more = gateway.calls.length - requests.length;
        const earned = TOKENS_MAX + requests.length * 0.2;
        assert.ok(more - refused <= earned, `${more} more than ${requests.length}`);
        assert.ok(more <= earned + DEBT_MAX, `${more} more than ${requests.length}`);
        assert.equal(gateway.metric("gateward_in_flight_requests"), 0);
      },
    ),
    { numRuns: 25 },
  );
});

test("tries: a service that refuses everything gets no more than the budget and its credit", async () => {
  await using gateway = await testGateway(
    {
      services: { s: { targets: TARGETS, retry: { budget: "20%" } } },
      routes: [{ match: "/*", service: "s" }],
    },
    { services: { s: () => REFUSE } },
  );
  const count = 400;
  const responses = Array.from({ length: count }, () => gateway.start({ method: "POST" }).response);
  for (let step = 0; step < 20; step++) {
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    gateway.clock.advance(100);
  }
  for (const { status } of await Promise.all(responses)) assert.equal(status, 502);
  const more = gateway.calls.length - count;
  assert.ok(more >= DEBT_MAX && more <= TOKENS_MAX + DEBT_MAX + count * 0.2, String(more));
  assert.equal(gateway.metric("gateward_retries_total", { reason: "refused" }), more);
  assert.ok(gateway.metric("gateward_retries_forgone_total", { reason: "budget" }) > 0);
});

test("tries: what no target could be reached for is retried on credit, and not without end", async () => {
  const service = { targets: TARGETS, retry: { budget: "0%" }, balance: "random" };
  await using gateway = await testGateway(
    { services: { s: service }, routes: [{ match: "/*", service: "s" }] },
    { services: { s: "down" } },
  );
  for (let turn = 0; turn < 30; turn++) await gateway.request();
  assert.equal(gateway.metric("gateward_retries_total", { reason: "connect" }), 60);
  for (let turn = 0; turn < 100; turn++) await gateway.request();
  assert.equal(gateway.metric("gateward_retries_total", { reason: "connect" }), 110);
});
