import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { z } from "zod";
import { HANG_UP } from "../../testing/fake-service.ts";
import { TestClock } from "../../testing/test-clock.ts";
import { testGateway, type TestGateway } from "../../testing/test-gateway.ts";
import type { TestRequest } from "../../testing/test-request.ts";
import fault from "./fault.ts";

type Options = z.input<typeof fault.schema>;

function gatewayOf(options: Options, seed = 1): Promise<TestGateway> {
  return testGateway(
    {
      services: { a: "http://a.test" },
      trustedProxies: ["10.0.0.1"],
      routes: [{ name: "r", match: "/*", service: "a", policies: [{ fault: options }] }],
    },
    { seed },
  );
}

const results = (gateway: TestGateway, result: string) =>
  gateway.metric("gateward_policy_results_total", { policy: "fault", result });

function stopTimers(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
}

/** Lets promises run that timers have settled. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test("fault: a share is answered with the status, marked, and goes to no service", async () => {
  await using gateway = await gatewayOf({ share: "25%", abort: 502 });
  let refused = 0;
  for (let index = 0; index < 1000; index++) {
    const { status, headers, problem, outcome } = await gateway.request();
    assert.equal(headers["x-gateward-fault"], status === 502 ? "abort 502" : undefined);
    if (status !== 502) continue;
    refused++;
    assert.equal(problem?.name, "injected-abort");
    assert.equal(outcome.fault, "injected-abort");
  }
  assert.ok(refused > 200 && refused < 300, `${refused} of 1000`);
  assert.equal(gateway.calls.length, 1000 - refused);
  assert.equal(results(gateway, "aborted"), refused);
});

test("fault: reset breaks the request off, and the log knows why", async () => {
  await using gateway = await gatewayOf({ abort: "reset" });
  const { isBroken, status, outcome } = await gateway.request();
  assert.deepEqual([isBroken, status, outcome.fault], [true, 0, "injected-reset"]);
  assert.equal(gateway.calls.length, 0);
  assert.equal(results(gateway, "reset"), 1);
  assert.equal(gateway.metric("gateward_faults_total", { type: "injected-reset" }), 1);
  assert.equal(gateway.metric("gateward_in_flight_requests"), 0);
});

test("fault: a delay puts requests off, and the answer says by how much", async (t) => {
  stopTimers(t);
  await using gateway = await gatewayOf({ delay: { from: "1s", to: "3s" } });
  const exchange = gateway.start();
  t.mock.timers.tick(999);
  await settle();
  assert.equal(gateway.calls.length, 0);
  t.mock.timers.tick(2001);
  const { status, headers } = await exchange.response;
  assert.equal(status, 200);
  const [, delayMs] = /^delay (\d+)$/.exec(headers["x-gateward-fault"]!)!;
  assert.ok(Number(delayMs) >= 1000 && Number(delayMs) <= 3000);
});

test("fault: delay and abort come one after the other", async (t) => {
  stopTimers(t);
  await using gateway = await gatewayOf({ delay: "2s", abort: 503 });
  const exchange = gateway.start();
  t.mock.timers.tick(2000);
  const { status, headers } = await exchange.response;
  assert.deepEqual([status, headers["x-gateward-fault"]], [503, "delay 2000, abort 503"]);
});

test("fault: no more wait than may, and who leaves makes room", async (t) => {
  stopTimers(t);
  await using gateway = await gatewayOf({ delay: "1m", maxDelayed: 2 });
  const first = gateway.start();
  gateway.start();
  assert.equal((await gateway.request()).headers["x-gateward-fault"], undefined);
  assert.equal(results(gateway, "full"), 1);
  first.leave();
  await first.response.catch(() => {});
  await settle();
  gateway.start();
  assert.equal(results(gateway, "delayed"), 3);
});

test("fault: with a header only what trusted proxies send with it is met", async () => {
  await using gateway = await gatewayOf({ abort: 500, header: "X-Fault" });
  const statusOf = async (request: TestRequest) => (await gateway.request(request)).status;
  const headers = { "x-fault": "1" };
  assert.equal(await statusOf({ headers }), 200);
  assert.equal(await statusOf({ clientAddress: "10.0.0.1" }), 200);
  assert.equal(await statusOf({ clientAddress: "10.0.0.1", headers }), 500);
});

test("fault: the drill ends by itself", async () => {
  await using gateway = await gatewayOf({ abort: 500, until: "2026-01-01T01:00:00Z" });
  assert.equal((await gateway.request()).status, 500);
  gateway.clock.advance("1h");
  assert.equal((await gateway.request()).status, 200);
});

const STAND_IN = { respond: { status: 200 }, text: "instead of {failure}" };

/** A drill of a service's failure, with what stands in for it. */
function drillOf(options: Options, service: object = { fallback: STAND_IN }, more: object = {}) {
  return testGateway(
    {
      services: { a: { targets: ["http://a.test"], ...service }, b: "http://b.test" },
      routes: [{ match: "/*", service: "a", policies: [{ fault: options }], ...more }],
    },
    { services: { b: () => "from b" } },
  );
}

test("fault: an abort that stands for the service's is taken over by its fallback, and told", async () => {
  await using gateway = await drillOf({ abort: 503, as: "service" });
  const { status, body, headers, outcome } = await gateway.request();
  assert.deepEqual([status, body], [200, "instead of injected-abort"]);
  assert.equal(headers["gateward-fallback"], "respond");
  assert.equal(headers["x-gateward-fault"], "abort 503");
  assert.deepEqual([outcome.fault, outcome.service], ["", "a"]);
  assert.equal(gateway.calls.length, 0);
  assert.equal(results(gateway, "aborted"), 1);
  assert.equal(gateway.metric("gateward_fallbacks_total", { service: "a", step: "respond" }), 1);
});

test("fault: what stands for the service's failure counts as what it would be", async () => {
  const cases: [abort: number | "reset", on: string[], status: number, told: string][] = [
    [503, ["failure"], 503, "injected-abort"],
    [500, ["failure", "503"], 500, "injected-abort"],
    [429, ["429"], 200, ""],
    ["reset", ["5xx"], 502, "injected-failure"],
    ["reset", ["failure"], 200, ""],
  ];
  for (const [abort, on, status, told] of cases) {
    const fallback = { on, steps: [STAND_IN] };
    await using gateway = await drillOf({ abort, as: "service" }, { fallback });
    const { status: got, outcome } = await gateway.request();
    assert.deepEqual([got, outcome.fault], [status, told], `${abort} with ${on.join()}`);
    const counted = gateway.metric("gateward_faults_total", { type: told });
    assert.equal(counted, told === "" ? 0 : 1);
  }
});

test("fault: in a drill another service gets what it would get if the first had failed", async () => {
  const fallback = [{ service: "b" }, { respond: { status: 503 } }];
  await using gateway = await drillOf({ abort: "reset", as: "service" }, { fallback });
  const { body, headers, outcome } = await gateway.request({ method: "PUT", body: "new" });
  assert.deepEqual([body, headers["gateward-fallback"]], ["from b", "service"]);
  assert.equal(headers["x-gateward-fault"], "abort reset");
  assert.equal(outcome.service, "b");
  assert.deepEqual(
    gateway.calls.map(({ service, method, body: sent }) => [service, method, sent]),
    [["b", "PUT", "new"]],
  );
  // The first service would have got it, and may have done what it says.
  const unsafe = await gateway.request({ method: "POST", body: "new" });
  assert.deepEqual([unsafe.status, unsafe.headers["gateward-fallback"]], [503, "respond"]);
  assert.equal(gateway.calls.length, 1);
});

/** Comes in pieces of 16 KB, as from a client that is not faster. */
async function* piecesOf(bytes: number): AsyncIterable<Uint8Array> {
  for (let left = bytes; left > 0; left -= 16_384) {
    await Promise.resolve();
    yield Buffer.alloc(Math.min(left, 16_384), "x");
  }
}

test("fault: in a drill no other service gets what would be too long to keep", async () => {
  const fallback = [{ service: "b" }, { respond: { status: 503 } }];
  const policies = [{ fault: { abort: 503, as: "service" as const } }];
  const open = (service: object, isDrill: boolean) =>
    testGateway(
      {
        services: { a: { targets: ["http://a.test"], ...service }, b: "http://b.test" },
        routes: [{ match: "/*", service: "a", policies: isDrill ? policies : [] }],
      },
      {
        services: {
          a: async (call) => ({ status: (await call.text()) === "" ? 400 : 503 }),
          b: async (call) => String((await call.text()).length),
        },
      },
    );
  for (const [bodyBytes, size, status] of [
    ["1kb", 60_000, 200],
    ["1kb", 300_000, 503],
    ["1mb", 300_000, 200],
    ["1mb", 2_000_000, 503],
  ] as const) {
    for (const isDrill of [false, true]) {
      const retry = { on: ["reset"], bodyBytes };
      await using gateway = await open({ fallback, retry }, isDrill);
      for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
        const before = gateway.calls.length;
        const put = { method: "PUT", protocol, body: piecesOf(size) };
        const got = await gateway.request(put);
        assert.equal(got.status, status, `${protocol} ${size} ${isDrill}`);
        assert.equal(got.body, status === 200 ? String(size) : "");
        assert.equal(got.outcome.service, status === 200 ? "b" : "a");
        assert.equal(gateway.calls.length, before + (isDrill ? 0 : 1) + (status === 200 ? 1 : 0));
      }
    }
  }
});

test("fault: who breaks off within a body meets no drill", async () => {
  async function* broken(): AsyncIterable<string> {
    yield "begun";
    await Promise.resolve();
    throw new Error("gone");
  }
  await using gateway = await drillOf(
    { abort: 503, as: "service" },
    { fallback: [{ service: "b" }] },
  );
  const { outcome } = await gateway.request({ method: "PUT", body: broken() });
  assert.equal(outcome.fault, "client-gone");
  assert.deepEqual([gateway.calls.length, results(gateway, "aborted")], [0, 0]);
  assert.equal(gateway.metric("gateward_in_flight_requests"), 0);
  assert.equal((await gateway.request({ method: "PUT", body: "whole" })).body, "from b");
});

test("fault: what another service answers in a drill is marked, too", async () => {
  const drill = { delay: "1ms", abort: 503, as: "service" };
  for (const [fallback, body] of [
    [[{ service: "b" }], "from b"],
    [STAND_IN, "instead of injected-abort"],
    [[{ service: "c" }], undefined],
  ] as [object[] | object, string | undefined][]) {
    await using gateway = await testGateway(
      {
        services: {
          a: { targets: ["http://a.test"], fallback, policies: [{ fault: drill }] },
          b: "http://b.test",
          c: "http://c.test",
        },
        routes: [
          { match: "/*", split: [{ service: "a", when: { methods: "GET" } }, { service: "b" }] },
        ],
      },
      { services: { b: () => "from b", c: () => HANG_UP } },
    );
    const got = await gateway.request();
    if (body === undefined) assert.equal(got.status, 502);
    else assert.equal(got.body, body);
    assert.equal(got.headers["x-gateward-fault"], "delay 1, abort 503");
    assert.equal((await gateway.request({ method: "PUT" })).headers["x-gateward-fault"], undefined);
  }
});

test("fault: a drill of a service's failure opens no breaker and ejects no target", async () => {
  const service = { outliers: { consecutive5xx: 2 }, breaker: { requests: 2 }, retry: true };
  await using gateway = await drillOf({ share: "50%", abort: "reset", as: "service" }, service);
  let failed = 0;
  for (let count = 0; count < 100; count++) {
    if ((await gateway.request()).status === 502) failed++;
  }
  assert.ok(failed > 30 && failed < 70, `${failed} of 100`);
  assert.equal(gateway.calls.length, 100 - failed);
  assert.equal(gateway.metric("gateward_upstream_requests_total"), 100 - failed);
  assert.equal(gateway.metric("gateward_retries_total"), 0);
  assert.equal(gateway.metric("gateward_target_ejected"), 0);
});

test("fault: policies behind a drill of the service's failure have their say before it", async () => {
  const policies = [{ fault: { abort: 503, as: "service" } }, "basic-auth"];
  await using gateway = await testGateway({
    services: { a: { targets: ["http://a.test"], fallback: STAND_IN } },
    consumers: { ann: { basic: { username: "ann", password: "correct horse" } } },
    routes: [{ match: "/*", service: "a", policies }],
  });
  const refused = await gateway.request();
  assert.equal(refused.status, 401);
  assert.equal(refused.headers["x-gateward-fault"], undefined);
  assert.equal(results(gateway, "aborted"), 0);
  const authorization = `Basic ${btoa("ann:correct horse")}`;
  assert.equal((await gateway.request({ headers: { authorization } })).status, 200);
});

test("fault: what is kept stands in for a service that fails in a drill", async () => {
  const clock = new TestClock();
  const policies = [
    { cache: { ttl: "10s", staleIfError: "1h" } },
    { fault: { abort: 503, as: "service" }, when: { headers: { "x-drill": "1" } } },
  ];
  await using gateway = await testGateway(
    {
      services: { a: "http://a.test" },
      routes: [{ match: "/*", service: "a", policies }],
    },
    { clock, services: { a: () => "kept" } },
  );
  await gateway.request();
  const headers = { "x-drill": "1" };
  // Nothing is injected where the service is not needed.
  const hit = await gateway.request({ headers });
  assert.deepEqual([hit.body, hit.headers["x-gateward-fault"]], ["kept", undefined]);
  clock.advance("1m");
  const { status, body } = await gateway.request({ headers });
  assert.deepEqual([status, body, gateway.calls.length], [200, "kept", 1]);
});

test("fault: a drill of the service's failure comes after its delay", async (t) => {
  stopTimers(t);
  await using gateway = await drillOf({ delay: "2s", abort: 504, as: "service" });
  const exchange = gateway.start();
  t.mock.timers.tick(2000);
  const { status, headers } = await exchange.response;
  assert.deepEqual([status, headers["x-gateward-fault"]], [200, "delay 2000, abort 504"]);
});

test("fault: conditions of its use choose the requests", async () => {
  await using gateway = await testGateway({
    services: { a: "http://a.test" },
    policies: [{ fault: { abort: 500 }, when: { headers: { "x-drill": "1" } } }],
    routes: [{ match: "/*", service: "a" }],
  });
  assert.equal((await gateway.request()).status, 200);
  assert.equal((await gateway.request({ headers: { "x-drill": "1" } })).status, 500);
});

test("fault: what would do nothing, or is over, is told", () => {
  const told = (options: Options) =>
    fault.check!(fault.schema.parse(options), {} as never).map(({ message }) => message);
  assert.deepEqual(told({}), ["nothing would happen to requests"]);
  assert.deepEqual(told({ delay: { from: "2s", to: "1s" } }), ["from is longer than to"]);
  assert.deepEqual(told({ abort: 500, share: "0%" }), ["it happens to no request"]);
  assert.deepEqual(told({ abort: 500, until: "2020-01-01" }), ["the drill is over"]);
  assert.deepEqual(told({ abort: "reset" }), []);
  const nothingTheirs = ["only an abort can be the service's"];
  assert.deepEqual(told({ delay: "1s", as: "service" }), nothingTheirs);
  for (const wrong of [{ abort: 200 }, { abort: "break" }, { delay: "11m" }]) {
    assert.equal(fault.schema.safeParse(wrong).success, false);
  }
});
