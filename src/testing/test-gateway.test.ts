import assert from "node:assert/strict";
import { test } from "node:test";
import { definePolicy } from "../policy/policy.ts";
import { section } from "../policy/values/section.ts";
import { HANG_UP } from "./fake-service.ts";
import { ConfigRefused } from "./test-document.ts";
import { testGateway } from "./test-gateway.ts";

const DOCUMENT = {
  services: { users: "http://users.test" },
  routes: [{ name: "users", match: "/users/*", service: "users" }],
};

test("test gateway: a request takes the whole way to a function and back", async () => {
  await using gateway = await testGateway(DOCUMENT, {
    services: {
      users: ({ method, target, headers }) => ({
        status: 201,
        headers: { "X-From": "users", "set-cookie": ["a=1", "b=2"] },
        body: { method, target, host: headers["host"], via: headers["via"] !== undefined },
      }),
    },
  });
  const response = await gateway.request({
    path: "/users/7?full=1",
    headers: { host: "a.example" },
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers["x-from"], "users");
  assert.deepEqual(response.setCookies, ["a=1", "b=2"]);
  assert.deepEqual(JSON.parse(response.body), {
    method: "GET",
    target: "/users/7?full=1",
    host: "a.example",
    via: true,
  });
  const { outcome } = response;
  assert.deepEqual([outcome.route, outcome.service, outcome.attempts], ["users", "users", 1]);
  assert.equal(gateway.callsTo("users")[0]!.query.get("full"), "1");
  assert.equal(gateway.metric("gateward_requests_total", { route: "users" }), 1);
});

test("test gateway: answers of the gateway itself are problems by name", async () => {
  await using gateway = await testGateway(DOCUMENT);
  const { status, problem, outcome } = await gateway.request({ path: "/nowhere" });
  assert.deepEqual([status, problem?.name, outcome.fault], [404, "no-route", "no-route"]);
  assert.equal((await gateway.request({ path: "/users/a%zz" })).problem?.name, "bad-path");
  const smuggled = { "content-length": "3", "transfer-encoding": "chunked" };
  const refused = await gateway.request({ path: "/users/1", method: "POST", headers: smuggled });
  assert.equal(refused.problem?.name, "malformed-request");
});

test("test gateway: a request may look like one of HTTP/2", async () => {
  await using gateway = await testGateway(DOCUMENT, { services: { users: ({ body }) => body } });
  const { outcome } = await gateway.request({
    method: "POST",
    path: "/users/1",
    protocol: "HTTP/2",
    headers: { Accept: "a/b" },
    body: "sent",
  });
  const [call] = gateway.calls;
  assert.deepEqual([call!.method, call!.body, call!.headers["accept"]], ["POST", "sent", "a/b"]);
  assert.equal(outcome.fault, "");
});

test("test gateway: bodies pass in pieces, both ways", async () => {
  await using gateway = await testGateway(DOCUMENT, {
    services: {
      async users(call) {
        const text = await call.text();
        return { body: pieces("got ", text), trailers: { "x-sum": "9" } };
      },
    },
  });
  const response = await gateway.request({
    method: "POST",
    path: "/users/1",
    body: pieces("a", "b", "c"),
  });
  assert.equal(response.body, "got abc");
  assert.deepEqual(response.pieces.map(String), ["got ", "abc"]);
  assert.deepEqual(response.trailers, { "x-sum": "9" });
});

async function* pieces(...parts: string[]): AsyncGenerator<string> {
  for (const part of parts) yield part;
}

test("test gateway: deadlines pass with the clock", async () => {
  await using gateway = await testGateway(
    { ...DOCUMENT, services: { users: { targets: ["http://users.test"], timeout: "10s" } } },
    { services: { users: () => new Promise(() => {}) } },
  );
  const slow = gateway.start({ path: "/users/1" });
  const other = gateway.start({ path: "/users/2" });
  gateway.clock.advance("9s");
  other.leave();
  gateway.clock.advance("2s");
  const { problem } = await slow.response;
  assert.equal(problem?.name, "response-timeout");
  const { isBroken, outcome } = await other.response;
  assert.deepEqual([isBroken, outcome.fault], [true, "client-gone"]);
});

test("test gateway: services fail as services do", async () => {
  await using gateway = await testGateway(
    {
      services: { gone: "http://a.test", down: "http://b.test", cut: "http://c.test" },
      routes: ["gone", "down", "cut"].map((service) => ({ match: `/${service}`, service })),
    },
    {
      services: {
        gone: () => HANG_UP,
        down: "down",
        cut: () => ({ body: broken() }),
      },
    },
  );
  const post = { method: "POST", body: "x" };
  assert.equal((await gateway.request({ ...post, path: "/gone" })).status, 502);
  assert.equal((await gateway.request({ path: "/down" })).problem?.name, "connect-failed");
  const cut = await gateway.request({ path: "/cut" });
  assert.deepEqual([cut.status, cut.isBroken, cut.body], [200, true, "half"]);
});

async function* broken(): AsyncGenerator<string> {
  yield "half";
  throw new Error("that was all");
}

test("test gateway: what a service's function throws fails the test", async () => {
  await using gateway = await testGateway(DOCUMENT, {
    services: {
      users() {
        throw new Error("not expected");
      },
    },
  });
  await assert.rejects(gateway.request({ path: "/users/1" }), /not expected/);
});

test("test gateway: a configuration with mistakes says all of them", async () => {
  await assert.rejects(
    testGateway({ routes: [{ match: "/", service: "a" }, { match: "/b" }] }),
    (error) => {
      assert.ok(error instanceof ConfigRefused);
      assert.equal(error.mistakes.length, 2);
      return true;
    },
  );
});

test("test gateway: a document may be text, with variables, and another one takes over", async () => {
  await using gateway = await testGateway(
    "services: { users: '${USERS}' }\nroutes: [{ match: /a, service: users }]",
    { environment: { USERS: "http://users.test:3000" } },
  );
  await gateway.request({ path: "/a" });
  assert.equal(gateway.calls[0]!.targetUrl, "http://users.test:3000");
  await gateway.reload({ routes: [{ match: "/a", respond: { status: 204 } }] });
  assert.equal((await gateway.request({ path: "/a" })).status, 204);
  await assert.rejects(gateway.reload("routes: 5"), ConfigRefused);
  assert.equal((await gateway.request({ path: "/a" })).status, 204);
});

test("test gateway: policies of one's own, files, and time that they read", async () => {
  const stamp = definePolicy({
    name: "stamp",
    summary: "Says when it is.",
    schema: section({}).prefault({}),
    results: ["stamped"],
    files: () => ["text"],
    compile(_, { clock, file, counter }) {
      const stamped = counter("stamped");
      return {
        onResponse({ response }) {
          stamped.add(1);
          response.fields.set("x-stamp", `${file("text")} ${clock.now()}`);
        },
      };
    },
  });
  await using gateway = await testGateway(
    { ...DOCUMENT, policies: ["stamp"] },
    { policies: [stamp], files: { text: "at" } },
  );
  gateway.clock.advance("1m");
  const { headers } = await gateway.request({ path: "/users/1" });
  assert.equal(headers["x-stamp"], `at ${Date.parse("2026-01-01T00:01:00Z")}`);
  const labels = { policy: "stamp", at: "gateway", result: "stamped" };
  assert.equal(gateway.metric("gateward_policy_results_total", labels), 1);
});

test("test gateway: limits are the gateway's own, and windows pass with the clock", async () => {
  await using gateway = await testGateway({
    ...DOCUMENT,
    policies: [{ "rate-limit": { limit: 2, window: "1m", by: "address" } }],
  });
  const statuses = async (count: number): Promise<number[]> => {
    const all = Array.from({ length: count }, () => gateway.request({ path: "/users/1" }));
    return (await Promise.all(all)).map(({ status }) => status);
  };
  assert.deepEqual(await statuses(3), [200, 200, 429]);
  const other = await gateway.request({ path: "/users/1", clientAddress: "198.51.100.9" });
  assert.equal(other.status, 200);
  gateway.clock.advance("2m");
  assert.deepEqual(await statuses(3), [200, 200, 429]);
});

test("test gateway: consumers of the document are known by their keys", async () => {
  const key = "k-0123456789abcdefghijklmnopqrstuvwxyz";
  await using gateway = await testGateway(
    { ...DOCUMENT, policies: ["api-key"], consumers: { mobile: { keys: ["${KEY}"] } } },
    { environment: { KEY: key } },
  );
  const { status, outcome } = await gateway.request({
    path: "/users/1",
    headers: { "x-api-key": key },
  });
  assert.deepEqual([status, outcome.identity?.consumer?.name], [200, "mobile"]);
  assert.equal((await gateway.request({ path: "/users/1" })).status, 401);
});

test("test gateway: a connection is secured and a proxy believed where the test says so", async () => {
  await using gateway = await testGateway(
    { ...DOCUMENT, trustedProxies: ["10.0.0.0/8"] },
    { services: { users: ({ headers }) => headers["x-forwarded-proto"]! } },
  );
  const { body, outcome } = await gateway.request({
    path: "/users/1",
    clientAddress: "10.0.0.7",
    headers: { "x-forwarded-for": "203.0.113.5" },
    tls: { serverName: "a.example" },
  });
  assert.deepEqual([body, outcome.clientAddress], ["https", "203.0.113.5"]);
});

test("test gateway: checks of health find what the test says, by its clock", async () => {
  const down = new Set(["http://10.0.0.2:80"]);
  const asked: string[] = [];
  await using gateway = await testGateway(
    {
      services: {
        users: {
          targets: ["http://10.0.0.1:80", "http://10.0.0.2:80"],
          panic: "0%",
          health: { path: "/healthz", interval: "1s", unhealthy: 2, healthy: 1 },
        },
      },
      routes: [{ match: "/*", service: "users" }],
    },
    {
      services: { users: ({ targetUrl }) => void asked.push(targetUrl) },
      checks: (url) => !down.has(url),
    },
  );
  const targets = async () => {
    asked.length = 0;
    for (let count = 0; count < 4; count++) await gateway.request();
    return [...new Set(asked)].sort();
  };
  assert.deepEqual(await targets(), ["http://10.0.0.1:80", "http://10.0.0.2:80"]);
  gateway.clock.advance("3s");
  assert.deepEqual(await targets(), ["http://10.0.0.1:80"]);
  assert.equal(gateway.metric("gateward_target_healthy", { target: "http://10.0.0.2:80" }), 0);
  down.clear();
  gateway.clock.advance("2s");
  assert.deepEqual(await targets(), ["http://10.0.0.1:80", "http://10.0.0.2:80"]);
});
