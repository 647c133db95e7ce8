import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { definePolicy } from "../policy/policy.ts";
import { section } from "../policy/values/section.ts";
import { text } from "../policy/values/text.ts";
import { HANG_UP, type FakeService, type ServiceAnswer } from "./fake-service.ts";
import type { TestDocument } from "./test-document.ts";
import { testGateway, type TestGateway, type TestGatewaySettings } from "./test-gateway.ts";

/** Gives services a credential, and says on the way back that it was met. */
const credential = definePolicy({
  name: "credential",
  summary: "Gives services a credential.",
  schema: section({ value: text("a secret").describe("What services are sent.") }),
  compile: ({ value }) => ({
    onRequest({ request }) {
      request.fields.set("authorization", value);
      request.fields.add(`x-${value}`, "1");
    },
    onResponse({ response, responseIsFromService, failure }) {
      response.fields.add(
        "x-met",
        `${value} ${responseIsFromService ? "service" : "other"} ${failure}`,
      );
    },
  }),
});

type Steps = object;

/** Answers once it has all of the request. */
const readingBackup: FakeService = async (call) => {
  await call.text();
  return "backup";
};

interface Setting extends TestGatewaySettings {
  orders?: FakeService;
  backup?: FakeService;
  fallback: Steps;
  /** More of the service that fails. */
  service?: object;
  route?: object;
  document?: object;
}

async function gatewayWith(setting: Setting): Promise<TestGateway> {
  const { orders = "down", backup = readingBackup, fallback, service, route, document } = setting;
  const config = {
    services: {
      orders: { targets: ["http://orders.test"], retry: false, ...service },
      backup: { targets: ["http://backup.test"], path: "/v2" },
    },
    routes: [{ name: "shop", match: "/shop/*", service: "orders", fallback, ...route }],
    ...document,
  } as TestDocument;
  return await testGateway(config, {
    services: { orders, backup },
    policies: [credential],
    ...setting,
  });
}

const toBackup = { service: "backup" };
const sorry = { respond: { status: 200, headers: { "x-sorry": "1" }, body: "sorry" } };
const status = (code: number) => (): ServiceAnswer => ({ status: code, body: "no" });
const request = { path: "/shop/1?q=2" };

const failures: [what: string, failure: string, service: FakeService][] = [
  ["cannot be reached", "connect-failed", "down"],
  ["hangs up", "upstream-reset", () => HANG_UP],
  ["answers 502", "502", status(502)],
  ["answers 503", "503", status(503)],
  ["answers 504", "504", status(504)],
];
for (const [what, failure, orders] of failures) {
  test(`fallback: where a service ${what}, another is asked`, async () => {
    await using gateway = await gatewayWith({ orders, fallback: toBackup });
    const { status: code, headers, body, outcome } = await gateway.request(request);
    assert.deepEqual([code, body, outcome.service], [200, "backup", "backup"]);
    assert.equal(headers["gateward-fallback"], "service");
    assert.equal(gateway.callsTo("backup")[0]!.target, "/v2/shop/1?q=2");
    const taken = { service: "orders", step: "service" };
    assert.equal(gateway.metric("gateward_fallbacks_total", taken), 1);
    const counted = { route: "shop", service: "backup", status_class: "2xx" };
    assert.equal(gateway.metric("gateward_requests_total", counted), 1);
    assert.equal(gateway.metric("gateward_faults_total", { type: "connect-failed" }), 0);
  });

  test(`fallback: where a service ${what}, an answer of the gateway's own is given`, async () => {
    const template = "{request.path} {failure} {request.headers.x-none|none}";
    const respond = { respond: { status: 500 }, text: template };
    await using gateway = await gatewayWith({ orders, fallback: respond });
    const { status: code, headers, body } = await gateway.request(request);
    assert.deepEqual([code, body], [500, `/shop/1 ${failure} none`]);
    assert.equal(headers["gateward-fallback"], "respond");
    assert.equal(headers["content-type"], "text/plain; charset=utf-8");
  });
}

test("fallback: where there is no answer in time, the next step is taken at once", async () => {
  const never = () => new Promise<string>(() => {});
  const service = { timeout: "2s" };
  await using gateway = await gatewayWith({ orders: never, service, fallback: [toBackup, sorry] });
  const { response } = gateway.start(request);
  gateway.clock.advance(2100);
  assert.equal((await response).body, "backup");
});

test("fallback: nobody is asked any more once the time for everything is over", async () => {
  const never = () => new Promise<string>(() => {});
  const service = { timeout: { total: "2s" } };
  await using gateway = await gatewayWith({ orders: never, service, fallback: [toBackup, sorry] });
  const { response } = gateway.start(request);
  gateway.clock.advance(2100);
  const { body, headers } = await response;
  assert.deepEqual([body, headers["gateward-fallback"]], ["sorry", "respond"]);
  assert.equal(gateway.callsTo("backup").length, 0);
});

test("fallback: another service has what is left of the time for everything", async () => {
  const never = () => new Promise<string>(() => {});
  const service = { timeout: { response: "1s", total: "3s" } };
  const fallback = [{ ...toBackup, timeout: { total: "10s" } }, sorry];
  await using gateway = await gatewayWith({ orders: never, backup: never, service, fallback });
  const { response } = gateway.start(request);
  gateway.clock.advance(2000);
  assert.equal(gateway.callsTo("backup").length, 1);
  gateway.clock.advance(1100);
  assert.equal((await response).body, "sorry");
});

test("fallback: what fails on the way goes on with the next step, and the last failure is told", async () => {
  await using gateway = await gatewayWith({ backup: "down", fallback: [toBackup, sorry] });
  assert.equal((await gateway.request(request)).body, "sorry");
  await using other = await gatewayWith({ backup: () => HANG_UP, fallback: toBackup });
  const { status: code, headers, problem } = await other.request(request);
  assert.deepEqual([code, problem?.type], [502, "https://gateward.dev/problems/upstream-reset"]);
  assert.equal(headers["gateward-fallback"], undefined);
  assert.equal(other.callsTo("backup").length, 1);
});

test("fallback: that of the other service is not followed, so that none goes round", async () => {
  const document = {
    services: {
      orders: { targets: ["http://orders.test"], fallback: toBackup },
      backup: { targets: ["http://backup.test"], fallback: { service: "orders" } },
    },
    routes: [{ match: "/shop/*", service: "orders" }],
  };
  const calls: string[] = [];
  const failing = (name: string) => (): ServiceAnswer => {
    calls.push(name);
    return { status: 503, body: name };
  };
  const setting = { fallback: {}, document, orders: failing("orders"), backup: failing("backup") };
  await using gateway = await gatewayWith(setting);
  assert.equal((await gateway.request(request)).body, "backup");
  assert.deepEqual(calls, ["orders", "backup"]);
});

test("fallback: that of a route takes the place of its service's", async () => {
  const service = { fallback: toBackup };
  await using gateway = await gatewayWith({ service, fallback: sorry });
  assert.equal((await gateway.request(request)).body, "sorry");
});

test("fallback: only what is listed counts", async () => {
  const fallback = { ...sorry, on: ["5xx", 429] };
  for (const code of [500, 503, 429, 404, 200]) {
    await using gateway = await gatewayWith({ orders: status(code), fallback });
    const fellBack = code >= 500 || code === 429;
    assert.equal((await gateway.request(request)).body, fellBack ? "sorry" : "no");
  }
  await using gateway = await gatewayWith({ fallback });
  assert.equal((await gateway.request(request)).status, 502);
});

test("fallback: a refusal by a policy is none of a service", async () => {
  const route = { policies: [{ "rate-limit": { limit: 1, window: "1m" } }] };
  await using gateway = await gatewayWith({ orders: () => "ok", fallback: sorry, route });
  await gateway.request(request);
  assert.equal((await gateway.request(request)).status, 429);
});

test("fallback: a service that has enough to do, or whose breaker is open, is stood in for", async () => {
  const never = () => new Promise<string>(() => {});
  const busy = { connections: { inFlight: 1 } };
  const fallback = { respond: { status: 200 }, text: "{failure}" };
  await using gateway = await gatewayWith({ orders: never, service: busy, fallback });
  const first = gateway.start(request);
  assert.equal((await gateway.request(request)).body, "service-busy");
  first.leave();
  const service = { breaker: { requests: 2, errors: "50%" } };
  await using other = await gatewayWith({ orders: status(503), service, fallback });
  const said: string[] = [];
  for (let round = 0; round < 3; round++) said.push((await other.request(request)).body);
  assert.deepEqual(said, ["503", "503", "breaker-open"]);
  assert.equal(other.callsTo("orders").length, 2);
});

test("fallback: the client need not be told", async () => {
  await using gateway = await gatewayWith({ fallback: { ...toBackup, header: false } });
  const { body, headers } = await gateway.request(request);
  assert.deepEqual([body, headers["gateward-fallback"]], ["backup", undefined]);
});

test("fallback: what a service says of it in its own answer is replaced", async () => {
  const backup = (): ServiceAnswer => ({ headers: { "gateward-fallback": "none" } });
  await using gateway = await gatewayWith({ backup, fallback: toBackup });
  assert.equal((await gateway.request(request)).headers["gateward-fallback"], "service");
});

/** A body whose length is not told beforehand. */
async function* pieces(...texts: string[]): AsyncGenerator<string> {
  for (const one of texts) {
    yield one;
    await setImmediate();
  }
}

// Requests with bodies, and such as may not be sent twice

test("fallback: what has not been sent goes to another service with its body, whatever its method", async () => {
  await using gateway = await gatewayWith({ fallback: toBackup });
  await gateway.request({ ...request, method: "POST", body: pieces("ab", "cd") });
  assert.equal(gateway.callsTo("backup")[0]!.body, "abcd");
});

test("fallback: a body that another service may need is kept, and sent whole", async () => {
  for (const orders of [status(503), () => HANG_UP] as FakeService[]) {
    await using gateway = await gatewayWith({ orders, fallback: toBackup });
    await gateway.request({ ...request, method: "PUT", body: pieces("ab", "cd") });
    assert.equal(gateway.callsTo("backup")[0]!.body, "abcd");
  }
});

test("fallback: one that is too long to be kept is not sent in part", async () => {
  const orders: FakeService = async (call) => {
    await call.text();
    return { status: 503 };
  };
  await using gateway = await gatewayWith({ orders, fallback: [toBackup, sorry] });
  const piece = "x".repeat(40_000);
  const { body } = await gateway.request({
    ...request,
    method: "PUT",
    body: pieces(piece, piece, piece),
  });
  assert.deepEqual([body, gateway.callsTo("backup").length], ["sorry", 0]);
});

test("fallback: what the first service may have done is asked of no other, unless it may be", async () => {
  const post = { ...request, method: "POST", body: "abc" };
  await using gateway = await gatewayWith({ orders: status(503), fallback: [toBackup, sorry] });
  assert.equal((await gateway.request(post)).body, "sorry");
  assert.equal(gateway.callsTo("backup").length, 0);
  const unsafe = { ...toBackup, unsafe: true };
  await using other = await gatewayWith({ orders: status(503), fallback: [unsafe, sorry] });
  assert.equal((await other.request(post)).body, "backup");
  assert.equal(other.callsTo("backup")[0]!.body, "abc");
});

test("fallback: an answer that no step can replace goes to the client as it is", async () => {
  await using gateway = await gatewayWith({ orders: status(503), fallback: toBackup });
  const { status: code, body } = await gateway.request({ ...request, method: "POST" });
  assert.deepEqual([code, body], [503, "no"]);
});

// Policies

test("fallback: each service has its own credentials, and neither gets the other's", async () => {
  const own = (value: string) => ({ policies: [{ credential: { value } }] });
  const document = {
    services: {
      orders: { targets: ["http://orders.test"], ...own("first") },
      backup: { targets: ["http://backup.test"], ...own("second") },
    },
    policies: [{ credential: { value: "all" } }],
  };
  await using gateway = await gatewayWith({
    orders: status(503),
    fallback: toBackup,
    route: { policies: [{ headers: { request: { set: { "x-route": "r" } } } }] },
    document,
  });
  const { headers } = await gateway.request(request);
  const [first, second] = gateway.calls;
  assert.equal(first!.headers["authorization"], "first");
  assert.equal(second!.headers["authorization"], "second");
  assert.deepEqual(
    [second!.headers["x-first"], second!.headers["x-all"], second!.headers["x-route"]],
    [undefined, "1", "r"],
  );
  // Only to the policies of the other service it is that of the service that they are there for.
  assert.equal(headers["x-met"], "second service 503, first other 503, all other 503");
});

test("fallback: a first service without an answer of its own leaves nothing of its credential", async () => {
  const service = { policies: [{ credential: { value: "first" } }] };
  await using gateway = await gatewayWith({ orders: "down", fallback: toBackup, service });
  await gateway.request({ ...request, headers: { authorization: "mine" } });
  assert.equal(gateway.calls[0]!.service, "backup");
  assert.equal(gateway.calls[0]!.headers["authorization"], undefined);
});

test("fallback: the policies of the other service may refuse", async () => {
  const document = {
    services: {
      orders: { targets: ["http://orders.test"] },
      backup: { targets: ["http://backup.test"], policies: ["api-key"] },
    },
    consumers: { ada: { keys: ["Kq8ZrT4wXn2VbY6mJd0sFgHc"] } },
  };
  await using gateway = await gatewayWith({ fallback: [toBackup, sorry], document });
  assert.equal((await gateway.request(request)).status, 401);
});

test("fallback: the Host that the first service was sent is not what the other is sent", async () => {
  const service = { host: "orders.internal" };
  await using gateway = await gatewayWith({ orders: status(503), fallback: toBackup, service });
  await gateway.request({ ...request, headers: { host: "shop.example" } });
  const hosts = gateway.calls.map(({ headers }) => headers["host"]);
  assert.deepEqual(hosts, ["orders.internal", "shop.example"]);
});

test("fallback: what a trusted proxy says of the client reaches the other service too", async () => {
  const document = { trustedProxies: ["127.0.0.0/8"] };
  await using gateway = await gatewayWith({ orders: status(503), fallback: toBackup, document });
  await gateway.request({
    ...request,
    clientAddress: "127.0.0.1",
    headers: { "x-forwarded-for": "192.0.2.7" },
  });
  const told = gateway.calls.map(({ headers }) => headers["x-forwarded-for"]);
  assert.equal(told[0], told[1]);
  assert.match(told[1]!, /^192\.0\.2\.7/);
});

// What has been kept

const cached = { cached: true };
const kept = { cache: { ttl: "10s", maxStale: "1h" } };

function turning(answers: ServiceAnswer[]): FakeService {
  return () => answers.shift();
}

test("fallback: what the cache has kept is given, long after its time", async () => {
  const answers: ServiceAnswer[] = ["one", HANG_UP, { status: 503 }, { status: 503 }];
  await using gateway = await gatewayWith({
    orders: turning(answers),
    fallback: [cached, sorry],
    route: {
      policies: [{ credential: { value: "outer" } }, kept, { credential: { value: "inner" } }],
    },
  });
  await gateway.request(request);
  for (let round = 0; round < 2; round++) {
    gateway.clock.advance(1_500_000);
    const { body, headers } = await gateway.request(request);
    assert.deepEqual([body, headers["gateward-fallback"]], ["one", "cached"]);
    const failure = round === 0 ? "upstream-reset" : "503";
    // It was met by the inner one when it came.
    assert.equal(headers["x-met"], `inner service , outer service ${failure}`);
    assert.match(headers["cache-status"]!, /^gateward; fwd=stale/);
  }
  gateway.clock.advance(1_500_000);
  assert.equal((await gateway.request(request)).body, "sorry");
});

test("fallback: what may not be given stale is not, and the next step is taken", async () => {
  const answers: ServiceAnswer[] = [
    { headers: { "cache-control": "max-age=10, must-revalidate", etag: '"1"' }, body: "one" },
    { status: 503 },
  ];
  const route = { policies: [kept] };
  await using gateway = await gatewayWith({
    orders: turning(answers),
    fallback: [cached, sorry],
    route,
  });
  await gateway.request(request);
  gateway.clock.advance(20_000);
  assert.equal((await gateway.request(request)).body, "sorry");
});

test("fallback: the cache does not keep what another service has answered", async () => {
  const answers: ServiceAnswer[] = [{ status: 503 }, "two"];
  await using gateway = await gatewayWith({
    orders: turning(answers),
    fallback: toBackup,
    route: { policies: [kept] },
  });
  const bodies: string[] = [];
  for (let round = 0; round < 3; round++) bodies.push((await gateway.request(request)).body);
  assert.deepEqual(bodies, ["backup", "two", "two"]);
});

test("fallback: another service that finds nothing changed confirms what is kept, and does not renew it", async () => {
  const answers: ServiceAnswer[] = [{ headers: { etag: '"1"' }, body: "one" }, HANG_UP, HANG_UP];
  const backup: FakeService = ({ headers }) =>
    headers["if-none-match"] === '"1"' ? { status: 304 } : "backup";
  await using gateway = await gatewayWith({
    orders: turning(answers),
    backup,
    fallback: toBackup,
    route: { policies: [kept] },
  });
  await gateway.request(request);
  for (let round = 0; round < 2; round++) {
    gateway.clock.advance(20_000);
    const { status: code, body } = await gateway.request(request);
    assert.deepEqual([code, body], [200, "one"]);
  }
  assert.equal(gateway.callsTo("backup").length, 2);
});

test("fallback: a refresh in the background asks nobody else", async () => {
  const cache = { cache: { ttl: "10s", staleWhileRevalidate: "1h" } };
  const answers: ServiceAnswer[] = ["one", HANG_UP];
  await using gateway = await gatewayWith({
    orders: turning(answers),
    fallback: toBackup,
    route: { policies: [cache] },
  });
  await gateway.request(request);
  gateway.clock.advance(20_000);
  assert.equal((await gateway.request(request)).body, "one");
  await setImmediate();
  assert.deepEqual([gateway.callsTo("orders").length, gateway.callsTo("backup").length], [2, 0]);
});

// Other ways

test("fallback: each branch of a split has its service's, or the route's", async () => {
  const document = {
    services: {
      orders: { targets: ["http://orders.test"], policies: [{ credential: { value: "first" } }] },
      backup: { targets: ["http://backup.test"] },
    },
    routes: [
      {
        name: "shop",
        match: "/shop/*",
        split: [{ service: "orders", when: { headers: { "x-new": "1" } } }, { service: "backup" }],
        fallback: [toBackup, sorry],
      },
    ],
  };
  await using gateway = await gatewayWith({ fallback: {}, document });
  const { body } = await gateway.request({ ...request, headers: { "x-new": "1" } });
  assert.equal(body, "backup");
  assert.equal(gateway.callsTo("backup")[0]!.headers["x-first"], undefined);
  await using down = await gatewayWith({ fallback: {}, document, backup: "down" });
  assert.equal((await down.request(request)).body, "sorry");
});

test("fallback: a request over HTTP/2 falls back as well, and its body streams on", async () => {
  await using gateway = await gatewayWith({ fallback: toBackup });
  const { body } = await gateway.request({
    ...request,
    protocol: "HTTP/2",
    method: "POST",
    body: pieces("ab", "cd"),
  });
  assert.equal(body, "backup");
  assert.equal(gateway.callsTo("backup")[0]!.body, "abcd");
});

test("fallback: retries come first", async () => {
  const service = {
    retry: { on: [503], attempts: 2, backoff: { base: "1ms", max: "1ms" }, budget: "100%" },
  };
  await using gateway = await gatewayWith({ orders: status(503), service, fallback: toBackup });
  const { response } = gateway.start(request);
  for (let step = 0; step < 10; step++) {
    await setImmediate();
    gateway.clock.advance(100);
  }
  assert.equal((await response).body, "backup");
  assert.equal(gateway.callsTo("orders").length, 3);
});
