/** Breakers and bulkheads as requests meet them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testGateway } from "../testing/test-gateway.ts";
import type { FakeService } from "../testing/fake-service.ts";

const routes = [{ match: "/*", service: "users" }];
const one = "http://10.0.0.1:80";
const other = "http://10.0.0.2:80";

/** As many requests, one after the other; the statuses that clients got. */
async function statuses(
  gateway: Awaited<ReturnType<typeof testGateway>>,
  count: number,
): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) seen.push((await gateway.request()).status);
  return seen;
}

test("breaker: a failing service is left alone, tried again later, and served when it is well", async () => {
  let status = 500;
  await using gateway = await testGateway(
    { services: { users: { targets: [one], breaker: true } }, routes },
    { services: { users: () => ({ status }) } },
  );
  assert.deepEqual(new Set(await statuses(gateway, 20)), new Set([500]));
  const refused = await gateway.request();
  assert.equal(refused.status, 503);
  assert.match(refused.body, /problems\/breaker-open/);
  const seconds = Number(refused.headers["retry-after"]);
  assert.ok(seconds >= 9 && seconds <= 11, `${seconds} s`);
  assert.equal(gateway.calls.length, 20);
  assert.equal(gateway.metric("gateward_breaker_state", { service: "users" }), 2);
  assert.equal(gateway.metric("gateward_breaker_refusals_total"), 1);

  gateway.clock.advance(11_000);
  assert.deepEqual(await statuses(gateway, 3), [500, 500, 503]);
  status = 200;
  gateway.clock.advance(22_000);
  assert.deepEqual(new Set(await statuses(gateway, 30)), new Set([200]));
  assert.equal(gateway.metric("gateward_breaker_state"), 0);
  const told = gateway.log.filter(({ message }) => message.startsWith("breaker"));
  assert.deepEqual(
    told.map(({ message, service, reason }) => [message, service, reason]),
    [
      ["breaker opened", "users", "errors"],
      ["breaker is half open: a few trials may pass", "users", undefined],
      ["breaker opened", "users", "trials"],
      ["breaker is half open: a few trials may pass", "users", undefined],
      ["breaker closed", "users", undefined],
    ],
  );
  assert.equal(gateway.metric("gateward_breaker_transitions_total", { to: "open" }), 2);
  assert.equal(gateway.metric("gateward_breaker_transitions_total", { to: "closed" }), 1);
});

test("breaker: answers of the client's doing, and clients that leave, do not open it", async () => {
  let answer: FakeService = () => ({ status: 429 });
  await using gateway = await testGateway(
    { services: { users: { targets: [one], breaker: { requests: 5 } } }, routes },
    { services: { users: (call) => (answer as (given: typeof call) => never)(call) } },
  );
  await statuses(gateway, 20);
  answer = () => new Promise(() => {});
  for (let count = 0; count < 20; count++) {
    const exchange = gateway.start();
    await Promise.resolve();
    exchange.leave();
  }
  answer = () => ({ status: 200 });
  assert.deepEqual(await statuses(gateway, 1), [200]);
});

test("breaker: services that nobody can connect to, or that do not answer in time, open it", async () => {
  for (const service of ["down", () => new Promise<never>(() => {})] as FakeService[]) {
    await using gateway = await testGateway(
      { services: { users: { targets: [one], retry: false, breaker: { requests: 5 } } }, routes },
      { services: { users: service } },
    );
    const under = Array.from({ length: 5 }, () => gateway.start());
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    // Beyond the response timeout, and less than it is open.
    if (service !== "down") gateway.clock.advance(35_000);
    for (const { response } of under) assert.ok((await response).status >= 502);
    assert.match((await gateway.request()).body, /breaker-open/);
  }
});

test("breaker: an upload that the client breaks off half-way is nobody's failure", async () => {
  await using gateway = await testGateway(
    { services: { users: { targets: [one], breaker: { requests: 2 } } }, routes },
    { services: { users: async (call) => ({ status: (await call.text()) === "" ? 200 : 200 }) } },
  );
  async function* cut() {
    yield "half";
    throw new Error("gone");
  }
  for (let count = 0; count < 5; count++) {
    const { response } = gateway.start({ method: "POST", body: cut() });
    await response.catch(() => {});
  }
  assert.deepEqual(await statuses(gateway, 1), [200]);
});

test("breaker of targets: the others serve while one is open, and it gets its trials", async () => {
  let isIll = true;
  await using gateway = await testGateway(
    {
      services: {
        users: { targets: [one, other], breaker: { per: "target", requests: 5, trials: 2 } },
      },
      routes,
    },
    {
      services: { users: ({ targetUrl }) => ({ status: targetUrl === one && isIll ? 500 : 200 }) },
    },
  );
  const first = await statuses(gateway, 40);
  assert.equal(first.filter((status) => status === 500).length, 5);
  assert.equal(gateway.metric("gateward_breaker_state", { target: one }), 2);
  assert.equal(gateway.metric("gateward_breaker_state", { target: other }), 0);
  isIll = false;
  gateway.clock.advance(11_000);
  const before = gateway.calls.length;
  assert.deepEqual(new Set(await statuses(gateway, 40)), new Set([200]));
  const toOne = gateway.calls.slice(before).filter(({ targetUrl }) => targetUrl === one);
  assert.ok(toOne.length >= 15, `${toOne.length} of 40`);
  assert.equal(gateway.metric("gateward_breaker_state", { target: one }), 0);
});

test("breaker of targets: when all are open the client is told when to come back", async () => {
  await using gateway = await testGateway(
    {
      services: { users: { targets: [one, other], breaker: { per: "target", requests: 5 } } },
      routes,
    },
    { services: { users: () => ({ status: 503 }) } },
  );
  await statuses(gateway, 10);
  const refused = await gateway.request();
  assert.match(refused.body, /breaker-open/);
  assert.ok(Number(refused.headers["retry-after"]) >= 9);
  assert.equal(gateway.calls.length, 10);
});

test("in flight: beyond the limit of the service clients are told to come back", async () => {
  const answers: (() => void)[] = [];
  await using gateway = await testGateway(
    { services: { users: { targets: [one], connections: { inFlight: 2 } } }, routes },
    { services: { users: () => new Promise((resolve) => answers.push(() => resolve("done"))) } },
  );
  const under = [gateway.start(), gateway.start()];
  const refused = await gateway.request();
  assert.equal(refused.status, 503);
  assert.equal(refused.headers["retry-after"], "1");
  assert.match(refused.body, /service-busy/);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  for (const answer of answers.splice(0)) answer();
  for (const { response } of under) assert.equal((await response).status, 200);
  const next = gateway.start();
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  answers.shift()!();
  assert.equal((await next.response).status, 200);
  assert.equal(gateway.metric("gateward_in_flight_refusals_total", { service: "users" }), 1);
});

test("in flight: a target that is full is passed over", async () => {
  await using gateway = await testGateway(
    {
      services: { users: { targets: [one, other], connections: { inFlightPerTarget: 2 } } },
      routes,
    },
    { services: { users: () => new Promise(() => {}) } },
  );
  const under = Array.from({ length: 4 }, () => gateway.start());
  const urls = gateway.calls.map(({ targetUrl }) => targetUrl).sort();
  assert.deepEqual(urls, [one, one, other, other]);
  assert.match((await gateway.request()).body, /service-busy/);
  for (const exchange of under) exchange.leave();
  gateway.start().leave();
  assert.equal(gateway.calls.length, 5);
});

test("breaker: keeps its state over a reload that changes something else", async () => {
  const document = (attempts: number) => ({
    services: { users: { targets: [one], breaker: true, retry: { attempts } } },
    routes,
  });
  await using gateway = await testGateway(document(1), {
    services: { users: () => ({ status: 500 }) },
  });
  await statuses(gateway, 20);
  await gateway.reload(document(0));
  assert.deepEqual(await statuses(gateway, 2), [503, 503]);
});
