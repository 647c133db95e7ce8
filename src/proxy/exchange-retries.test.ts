import assert from "node:assert/strict";
import { test } from "node:test";
import { HANG_UP, testGateway } from "../testing/index.ts";
import type { FakeService, ServiceAnswer, ServiceCall } from "../testing/fake-service.ts";
import type { TestGateway } from "../testing/test-gateway.ts";

const ONE = ["http://one.test:8001"];
const TWO = ["http://one.test:8001", "http://two.test:8002"];

/** Answers in turn, each once it has read the request; the last one goes on. */
function inTurn(...answers: (ServiceAnswer | Promise<ServiceAnswer>)[]): FakeService {
  let at = 0;
  return async (call) => {
    const answer = answers[Math.min(at++, answers.length - 1)];
    await call.text();
    return await answer;
  };
}

async function gatewayOf(
  service: FakeService,
  options: Record<string, unknown> = { retry: true },
  targets = TWO,
): Promise<TestGateway> {
  return await testGateway(
    { services: { s: { targets, ...options } }, routes: [{ match: "/*", service: "s" }] },
    { services: { s: service } },
  );
}

/** Lets what is under way go on as far as it can, and time go by between. */
async function settle(gateway: TestGateway, times = 6): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    await new Promise(setImmediate);
    gateway.clock.advance(100);
  }
  await new Promise(setImmediate);
}

const asked = ({ calls }: TestGateway): string[] =>
  calls.map(({ targetUrl }: ServiceCall) => targetUrl);

test("retry: a gateway error is tried again on another target, and the client sees one answer", async () => {
  await using gateway = await gatewayOf(inTurn({ status: 503, body: "busy" }, "fine"));
  const { response } = gateway.start({ path: "/a" });
  await settle(gateway);
  const { status, body, outcome } = await response;
  assert.deepEqual([status, body, outcome.attempts], [200, "fine", 2]);
  assert.deepEqual(asked(gateway).toSorted(), TWO);
  assert.equal(gateway.metric("gateward_retries_total", { service: "s", reason: "status" }), 1);
});

test("retry: the wait is at random, and none is over before its time", async () => {
  await using gateway = await gatewayOf(inTurn({ status: 503 }, "fine"));
  const { response } = gateway.start();
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal(gateway.calls.length, 1);
  await settle(gateway);
  assert.equal((await response).status, 200);
});

test("retry: what is not asked for stands", async () => {
  for (const [options, answer] of [
    [{}, { status: 503 }],
    [{}, HANG_UP],
    [{ retry: true }, { status: 500 }],
    [{ retry: true }, { status: 409 }],
    [{ retry: { on: ["timeout"] } }, { status: 503 }],
    [{ retry: { on: ["reset"], attempts: 0 } }, HANG_UP],
  ] as const) {
    await using gateway = await gatewayOf(inTurn(answer, "fine"), options);
    const { response } = gateway.start();
    await settle(gateway);
    assert.notEqual((await response).status, 200, JSON.stringify(options));
    assert.equal(gateway.calls.length, 1);
  }
});

for (const [on, answer] of [
  ["5xx", { status: 500 }],
  ["retriable-4xx", { status: 409 }],
  ["gateway-error", { status: 504 }],
  [425, { status: 425 }],
  ["reset", HANG_UP],
  [429, { status: 429, headers: { "retry-after": "1" } }],
] as const) {
  test(`retry: on ${on} a request is tried again`, async () => {
    await using gateway = await gatewayOf(inTurn(answer, "fine"), { retry: { on: [on] } });
    const { response } = gateway.start();
    await settle(gateway, 16);
    assert.equal((await response).body, "fine");
  });
}

for (const [status, name] of [
  [1, "cancelled"],
  [4, "deadline-exceeded"],
  [8, "resource-exhausted"],
  [13, "internal"],
  [14, "unavailable"],
] as const) {
  test(`retry: a trailers-only answer of gRPC that says ${name} is tried again`, async () => {
    const headers = { "content-type": "application/grpc", "grpc-status": String(status) };
    await using gateway = await gatewayOf(inTurn({ headers }, "fine"), {
      retry: { on: [name], unsafe: true },
    });
    const { response } = gateway.start({ method: "POST", body: "message" });
    await settle(gateway);
    assert.equal((await response).body, "fine");
    assert.deepEqual(
      gateway.calls.map(({ body }) => body),
      ["message", "message"],
    );
  });
}

test("retry: gRPC's pushback is obeyed, and a negative one means never", async () => {
  for (const [pushback, calls] of [
    ["700", 2],
    ["-1", 1],
    ["soon", 1],
    ["9000", 1],
  ] as const) {
    const headers = { "grpc-status": "14", "grpc-retry-pushback-ms": pushback };
    await using gateway = await gatewayOf(inTurn({ headers }, "fine"), {
      retry: { on: ["unavailable"], unsafe: true },
    });
    const { response } = gateway.start();
    await settle(gateway, 6);
    assert.equal(gateway.calls.length, 1);
    await settle(gateway, 6);
    await response;
    assert.equal(gateway.calls.length, calls, pushback);
  }
});

test("retry: Retry-After is waited for up to its maximum; beyond it its answer is passed on", async () => {
  const date = "Thu, 01 Jan 2026 00:00:00 GMT";
  const later = "Thu, 01 Jan 2026 00:00:01 GMT";
  for (const [headers, waited] of [
    [{ "retry-after": "1" }, true],
    [{ "retry-after": later, date }, true],
    [{ "retry-after": "3" }, false],
    [{ "retry-after": "soon" }, false],
    [{ "retry-after": later }, false],
  ] as const) {
    await using gateway = await gatewayOf(inTurn({ status: 503, headers }, "fine"));
    const { response } = gateway.start();
    await settle(gateway, 9);
    assert.equal(gateway.calls.length, 1);
    await settle(gateway, 5);
    assert.equal((await response).status, waited ? 200 : 503, JSON.stringify(headers));
  }
});

test("retry: 429 without Retry-After stands", async () => {
  await using gateway = await gatewayOf(inTurn({ status: 429 }, "fine"), { retry: { on: [429] } });
  assert.equal((await gateway.request()).status, 429);
});

test("retry: when no attempts are left, the client gets the last answer as it came", async () => {
  const answers = ["a", "b", "c", "d"].map((body) => ({ status: 503, body }));
  await using gateway = await gatewayOf(inTurn(...answers));
  const { response } = gateway.start();
  await settle(gateway, 12);
  const { status, body } = await response;
  assert.deepEqual([status, body, gateway.calls.length], [503, "c", 3]);
});

test("retry: the only target is asked again after an answer or a reset, not where it cannot be reached", async () => {
  for (const answer of [{ status: 502 }, HANG_UP] as const) {
    await using gateway = await gatewayOf(inTurn(answer, "fine"), { retry: true }, ONE);
    const { response } = gateway.start();
    await settle(gateway);
    assert.equal((await response).body, "fine");
  }
  await using gateway = await gatewayOf("down", { retry: true }, ONE);
  const { outcome, status } = await gateway.request();
  assert.deepEqual([status, outcome.attempts], [502, 1]);
});

test("retry: a method that is not idempotent is sent once, unless it has a key or that is said to be safe", async () => {
  const post = { method: "POST", body: "order" };
  const keyed = { ...post, headers: { "idempotency-key": "k1" } };
  for (const [options, request, calls] of [
    [{}, post, 1],
    [{}, keyed, 1],
    [{ idempotencyKey: "Idempotency-Key" }, keyed, 2],
    [{ idempotencyKey: "Idempotency-Key" }, post, 1],
    [{ idempotencyKey: "Idempotency-Key" }, { ...post, headers: { "idempotency-key": "" } }, 1],
    [{ unsafe: true }, post, 2],
    [{}, { method: "PATCH" }, 1],
    [{}, { method: "DELETE" }, 2],
    [{}, { method: "PUT", body: "order" }, 2],
  ] as const) {
    for (const answer of [{ status: 503 }, HANG_UP] as const) {
      await using gateway = await gatewayOf(inTurn(answer, "fine"), { retry: options });
      const { response } = gateway.start(request);
      await settle(gateway);
      await response;
      assert.equal(gateway.calls.length, calls, JSON.stringify([options, request]));
      const forgone = gateway.metric("gateward_retries_forgone_total", { reason: "unsafe" });
      assert.equal(forgone, calls === 1 ? 1 : 0);
    }
  }
});

test("retry: a body up to bodyBytes is sent again whole, a larger one streams and is sent once", async () => {
  for (const [size, calls] of [
    [1024, 2],
    [1025, 1],
    [200_000, 1],
  ] as const) {
    const pieces = async function* () {
      for (let left = size; left > 0; left -= 500) yield Buffer.alloc(Math.min(left, 500), 97);
    };
    let first = true;
    const service: FakeService = async (call) => {
      assert.equal((await call.text()).length, size);
      const answer = first ? { status: 503 } : "fine";
      first = false;
      return answer;
    };
    await using gateway = await gatewayOf(service, { retry: { bodyBytes: "1kb" } });
    const { response } = gateway.start({ method: "PUT", body: pieces() });
    await settle(gateway, 40);
    assert.equal((await response).status, calls === 2 ? 200 : 503);
    assert.equal(gateway.calls.length, calls);
    assert.equal(
      gateway.metric("gateward_retries_forgone_total", { reason: "body" }),
      calls === 1 ? 1 : 0,
    );
  }
});

test("retry: a larger bodyBytes keeps larger bodies", async () => {
  let first = true;
  const service: FakeService = async (call) => {
    const { length } = await call.text();
    const answer = first ? { status: 503 } : String(length);
    first = false;
    return answer;
  };
  await using gateway = await gatewayOf(service, { retry: { bodyBytes: "1mb" } });
  const pieces = async function* () {
    for (let left = 20; left > 0; left--) yield Buffer.alloc(10_000, 97);
  };
  const { response } = gateway.start({ method: "PUT", body: pieces() });
  await settle(gateway, 40);
  assert.equal((await response).body, "200000");
});

test("retry: perTry leaves a target that is silent, and the next one answers", async () => {
  const silent = new Promise<ServiceAnswer>(() => {});
  const retry = { on: ["timeout"], perTry: "500ms" };
  await using gateway = await gatewayOf(inTurn(silent, "fine"), { retry });
  const { response } = gateway.start();
  await settle(gateway, 4);
  assert.equal(gateway.calls.length, 1);
  await settle(gateway, 8);
  assert.equal((await response).body, "fine");
  const labels = { target: gateway.calls[0]!.targetUrl, result: "timeout" };
  assert.equal(gateway.metric("gateward_upstream_requests_total", labels), 1);
});

test("retry: neither a try nor all of them end before their time, nor much later", async () => {
  const silent = new Promise<ServiceAnswer>(() => {});
  const retry = { on: ["timeout"], perTry: "50ms" };
  const timeout = { total: "80ms" };
  await using gateway = await gatewayOf(inTurn(silent), { retry, timeout });
  const { response } = gateway.start();
  const pass = async (ms: number): Promise<void> => {
    gateway.clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  const timedOut = (): number =>
    gateway.metric("gateward_upstream_requests_total", { result: "timeout" });
  await pass(49);
  assert.equal(timedOut(), 0);
  await pass(6);
  assert.equal(timedOut(), 1);
  let isOver = false;
  void response.then(() => (isOver = true));
  await pass(24);
  assert.equal(isOver, false);
  await pass(6);
  const { status, problem } = await response;
  assert.deepEqual([status, problem?.name], [504, "total-timeout"]);
});

test("retry: tries end with the total, and a wait that would outlast it is not begun", async () => {
  const silent = new Promise<ServiceAnswer>(() => {});
  const timeout = { total: "900ms" };
  const retry = { on: ["timeout", 503], perTry: "500ms", attempts: 5 };
  await using gateway = await gatewayOf(inTurn(silent), { retry, timeout });
  const { response } = gateway.start();
  await settle(gateway, 12);
  const { status, problem } = await response;
  assert.deepEqual([status, problem?.name], [504, "total-timeout"]);
  const busy = { status: 503, headers: { "retry-after": "1" } };
  await using other = await gatewayOf(inTurn(busy), { retry, timeout });
  assert.equal((await other.request()).status, 503);
  assert.equal(other.metric("gateward_retries_forgone_total", { reason: "time" }), 1);
});

test("retry: no more than the budget's share and its stock, however many requests fail", async () => {
  await using gateway = await gatewayOf(() => ({ status: 503 }), { retry: { budget: "20%" } });
  const responses = Array.from({ length: 200 }, () => gateway.start().response);
  await settle(gateway, 12);
  await Promise.all(responses);
  const retries = gateway.metric("gateward_retries_total");
  assert.ok(retries >= 10 && retries <= 10 + 200 * 0.2, String(retries));
  assert.equal(gateway.calls.length, 200 + retries);
  assert.ok(gateway.metric("gateward_retries_forgone_total", { reason: "budget" }) > 100);
});

test("retry: answers that put the next try off, and failures without another target, are told as forgone", async () => {
  const forgone = (gateway: TestGateway): number[] =>
    ["asked", "target"].map((reason) =>
      gateway.metric("gateward_retries_forgone_total", { reason }),
    );
  const later = { status: 503, headers: { "retry-after": "60" } };
  await using patient = await gatewayOf(inTurn(later));
  assert.equal((await patient.request()).status, 503);
  assert.deepEqual([patient.calls.length, forgone(patient)], [1, [1, 0]]);

  await using off = await gatewayOf(inTurn(later), { retry: false });
  assert.equal((await off.request()).status, 503);
  assert.deepEqual(forgone(off), [0, 0]);

  await using alone = await testGateway(
    { services: { s: { targets: ONE } }, routes: [{ match: "/*", service: "s" }] },
    { isReachable: () => false },
  );
  assert.equal((await alone.request()).outcome.fault, "connect-failed");
  assert.deepEqual(forgone(alone), [0, 1]);
});

test("retry: a client that leaves while it is waited ends it", async () => {
  await using gateway = await gatewayOf(inTurn({ status: 503 }, "fine"));
  const { response, leave } = gateway.start();
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  leave();
  await settle(gateway);
  assert.equal((await response).isBroken, true);
  assert.equal(gateway.calls.length, 1);
  assert.equal(gateway.metric("gateward_in_flight_requests"), 0);
});

test("retry: a response that has begun is never replaced", async () => {
  const body = async function* () {
    yield "begun";
    throw new Error("broken");
  };
  await using gateway = await gatewayOf(inTurn({ body: body() }, "fine"), {
    retry: { on: ["reset", "5xx"] },
  });
  const { response } = gateway.start();
  await settle(gateway);
  const { isBroken, body: got } = await response;
  assert.deepEqual([isBroken, got, gateway.calls.length], [true, "begun", 1]);
});

test("retry: a route's own replaces the service's", async () => {
  await using gateway = await testGateway(
    {
      services: { s: { targets: TWO, retry: true } },
      routes: [
        { match: "/*", service: "s" },
        { match: "/once", service: "s", retry: false },
        { match: "/any", service: "s", retry: { on: [500] } },
      ],
    },
    { services: { s: ({ path }) => ({ status: path === "/any" ? 500 : 503 }) } },
  );
  for (const [path, attempts] of [
    ["/", 3],
    ["/once", 1],
    ["/any", 3],
  ] as const) {
    const { response } = gateway.start({ path });
    await settle(gateway, 12);
    assert.equal((await response).outcome.attempts, attempts, path);
  }
});
