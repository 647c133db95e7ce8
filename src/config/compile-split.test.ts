import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault, faultTypes } from "../base/faults.ts";
import { definePolicy } from "../policy/policy.ts";
import { reply } from "../policy/reply.ts";
import { section } from "../policy/values/section.ts";
import { text } from "../policy/values/text.ts";
import { testGateway, type TestGateway } from "../testing/test-gateway.ts";
import type { ConfigInput } from "./config.ts";

/** Says on request and response that it was met, and where; stops where it is told to. */
const mark = definePolicy({
  name: "mark",
  summary: "Says in headers that it was met, and where.",
  schema: section({
    stop: text("where to stop").optional().describe("Answers by itself."),
  }).prefault({}),
  results: ["ended"],
  compile({ stop }, environment) {
    const { place } = environment;
    const ended = environment.counter("ended");
    const where = place.name || place.kind;
    return {
      onRequest(exchange) {
        exchange.request.fields.add("x-way", where);
        if (stop === "fault") return new Fault(faultTypes["no-route"], "");
        if (stop === "reply") return reply(202);
        if (stop === "stand-in") return { ...reply(203), standsIn: true };
        if (stop === "later") return Promise.resolve(undefined);
        return undefined;
      },
      onResponse: ({ response }) => response.fields.add("x-met", where),
      onEnd: () => ended.add(1),
    };
  },
});

const services = {
  old: { targets: ["http://old.test"], policies: ["mark"] },
  new: { targets: ["http://new.test"], policies: ["mark"], path: "/v2" },
};
const isNew = { headers: { "x-new": { present: true } } };

type SplitInput = NonNullable<NonNullable<ConfigInput["routes"]>[number]["split"]>;

function documentOf(split: SplitInput, more: object = {}) {
  return { policies: ["mark"], services, routes: [routeOf(split)], ...more };
}

function routeOf(split: SplitInput) {
  return { name: "shop", match: "/*", split, policies: ["mark"] };
}

const onHeader = [{ service: "old" }, { service: "new", when: isNew }];

async function wayOf(gateway: TestGateway, headers: Record<string, string> = {}) {
  const { outcome } = await gateway.request({ headers });
  return outcome.service;
}

test("split: a condition sends a request there, and the path of that service is put before", async () => {
  await using gateway = await testGateway(documentOf(onHeader), { policies: [mark] });
  assert.equal(await wayOf(gateway), "old");
  assert.equal(await wayOf(gateway, { "x-new": "1" }), "new");
  const targets = gateway.calls.map(({ service, target }) => `${service} ${target}`);
  assert.deepEqual(targets, ["old /", "new /v2/"]);
});

test("split: the chosen service's policies come last on the way there, and first on the way back", async () => {
  await using gateway = await testGateway(documentOf(onHeader), { policies: [mark] });
  const { headers } = await gateway.request({ headers: { "x-new": "1" } });
  assert.equal(gateway.calls[0]!.headers["x-way"], "gateway, shop, new");
  assert.equal(headers["x-met"], "new, shop, gateway");
  const ended = (at: string) => gateway.metric("gateward_policy_results_total", { at });
  assert.deepEqual([ended("service new"), ended("service old"), ended("route shop")], [1, 0, 1]);
});

for (const [stop, status] of Object.entries({ fault: 404, reply: 202, "stand-in": 203 })) {
  test(`split: a ${stop} of the chosen service's policy is the answer, and all have met it`, async () => {
    const stopping = { ...services.old, policies: ["mark", { mark: { stop } }, "mark"] };
    const document = documentOf(onHeader, { services: { ...services, old: stopping } });
    await using gateway = await testGateway(document, { policies: [mark] });
    const { status: answered, headers } = await gateway.request();
    assert.equal(answered, status);
    // What stands in has been met by the policy itself, and by those behind it.
    const own = stop === "stand-in" ? "old" : "old, old, old";
    assert.equal(headers["x-met"], `${own}, shop, gateway`);
    assert.deepEqual(gateway.calls, []);
  });
}

test("split: a policy of the chosen service may take its time", async () => {
  const waiting = { ...services.old, policies: [{ mark: { stop: "later" } }, "mark"] };
  const document = documentOf(onHeader, { services: { ...services, old: waiting } });
  await using gateway = await testGateway(document, { policies: [mark] });
  const { headers } = await gateway.request({ method: "POST", body: "abc" });
  assert.equal(gateway.calls[0]!.headers["x-way"], "gateway, shop, old, old");
  assert.equal(gateway.calls[0]!.body, "abc");
  assert.equal(headers["x-met"], "old, old, shop, gateway");
});

test("split: what a caller has of its own comes before the service's, and a stand-in passes it", async () => {
  for (const stop of ["nowhere", "stand-in"]) {
    const document = documentOf(onHeader, {
      services: { ...services, old: { ...services.old, policies: [{ mark: { stop } }] } },
      policies: ["basic-auth", "mark"],
      consumers: {
        ada: { basic: { username: "ada", password: "hunter2-hunter2" }, policies: ["mark"] },
      },
    });
    await using gateway = await testGateway(document, { policies: [mark] });
    const authorization = `Basic ${Buffer.from("ada:hunter2-hunter2").toString("base64")}`;
    const { headers } = await gateway.request({ headers: { authorization } });
    const own = stop === "stand-in" ? "" : "old, ";
    assert.equal(headers["x-met"], `${own}ada, shop, gateway`);
  }
});

test("split: requests are counted by the service that they went to, or by none", async () => {
  await using gateway = await testGateway(documentOf(onHeader), { policies: [mark] });
  await wayOf(gateway);
  await wayOf(gateway);
  await wayOf(gateway, { "x-new": "1" });
  const requests = (service: string) =>
    gateway.metric("gateward_requests_total", { route: "shop", service, status_class: "2xx" });
  assert.deepEqual([requests("old"), requests("new"), requests("")], [2, 1, 0]);
  const ways = (branch: string) => gateway.metric("gateward_split_requests_total", { branch });
  assert.deepEqual([ways("old"), ways("new")], [2, 1]);
  const refused = documentOf(onHeader, { policies: [{ mark: { stop: "fault" } }] });
  await gateway.reload(refused);
  await gateway.request();
  assert.equal(gateway.metric("gateward_requests_total", { service: "", status_class: "4xx" }), 1);
});

test("split: branches have rewrites and deadlines of their own, and names to tell them apart", async () => {
  const split = [
    { name: "plain", service: "old", when: { path: "/plain/*" } },
    { name: "moved", service: "old", rewrite: "/moved/*", timeout: "2s" },
  ];
  const route = { ...routeOf(split), rewrite: "/other/*", timeout: { response: "9s" } };
  const silent = () => new Promise<never>(() => {});
  await using gateway = await testGateway(
    { ...documentOf(split), routes: [route] },
    { policies: [mark], services: { old: silent } },
  );
  const slow = gateway.start({ path: "/plain/a" });
  const quick = gateway.start({ path: "/b" });
  gateway.clock.advance("3s");
  assert.equal((await quick.response).status, 504);
  assert.deepEqual(
    gateway.calls.map(({ target }) => target),
    ["/other/plain/a", "/moved/b"],
  );
  gateway.clock.advance("7s");
  assert.equal((await slow.response).status, 504);
});

test("split: a client that keeps its cookie keeps its branch, also when weights change", async () => {
  const weighed = (old: number, fresh: number) =>
    documentOf({
      branches: [
        { service: "old", weight: old },
        { service: "new", weight: fresh },
      ],
      sticky: "cookie",
    });
  await using gateway = await testGateway(weighed(50, 50), { policies: [mark] });
  const clients: { cookie: string; service: string }[] = [];
  for (let index = 0; index < 40; index++) {
    const { setCookies, outcome } = await gateway.request();
    assert.match(setCookies[0]!, /^gw-split=[0-9a-f]{24}; Path=\/; HttpOnly; SameSite=Lax$/);
    clients.push({ cookie: setCookies[0]!.split(";")[0]!, service: outcome.service });
  }
  for (const { cookie, service } of clients) {
    const { outcome, setCookies } = await gateway.request({ headers: { cookie } });
    assert.deepEqual([outcome.service, setCookies], [service, []]);
  }
  await gateway.reload(weighed(30, 70));
  const now = await Promise.all(clients.map(({ cookie }) => wayOf(gateway, { cookie })));
  for (const [index, { service }] of clients.entries()) {
    if (service === "new") assert.equal(now[index], "new");
  }
  assert.ok(clients.some(({ service }, index) => service === "old" && now[index] === "new"));
  await gateway.reload(weighed(100, 0));
  for (const { cookie } of clients) assert.equal(await wayOf(gateway, { cookie }), "old");
});

test("split: a made-up cookie of another form is replaced, and leads nowhere that has no weight", async () => {
  const split = {
    branches: [
      { service: "old", weight: 1 },
      { service: "new", weight: 0 },
    ],
    sticky: { cookie: "way", secure: true, ttl: "1h" },
  };
  await using gateway = await testGateway(documentOf(split), { policies: [mark] });
  for (const cookie of ["way=new", "way=", `way=${"F".repeat(24)}`, `way=${"a".repeat(2000)}`]) {
    const { outcome, setCookies } = await gateway.request({ headers: { cookie } });
    assert.equal(outcome.service, "old");
    assert.match(setCookies[0]!, /^way=[0-9a-f]{24}; Path=\/; Max-Age=3600; Secure; HttpOnly/);
  }
});

test("split: known by address, clients of one IPv6 network go one way", async () => {
  const split = { branches: [{ service: "old" }, { service: "new" }], sticky: "address" as const };
  await using gateway = await testGateway(documentOf(split), { policies: [mark] });
  const ways = new Set<string>();
  for (let host = 1; host <= 30; host++) {
    const { outcome } = await gateway.request({ clientAddress: `2001:db8::${host.toString(16)}` });
    ways.add(outcome.service);
  }
  assert.equal(ways.size, 1);
  for (let host = 1; host <= 30; host++) {
    const { outcome } = await gateway.request({ clientAddress: `192.0.2.${host}` });
    ways.add(outcome.service);
  }
  assert.equal(ways.size, 2);
});

test("split: known by a header, each value goes one way; without it chance decides", async () => {
  const split = {
    branches: [{ service: "old" }, { service: "new" }],
    sticky: { header: "X-User" },
  };
  await using gateway = await testGateway(documentOf(split), { policies: [mark] });
  for (const user of ["a", "b", "c", "d"]) {
    const ways = new Set<string>();
    for (let time = 0; time < 5; time++) ways.add(await wayOf(gateway, { "x-user": user }));
    assert.equal(ways.size, 1);
  }
  const ways = new Set<string>();
  for (let time = 0; time < 20; time++) ways.add(await wayOf(gateway));
  assert.equal(ways.size, 2);
});

test("split: a browser that asks beforehand is answered by the policies of any branch", async () => {
  const cors = { cors: { origins: ["https://app.example"] } };
  const guarded = { ...services.new, policies: [cors] };
  await using gateway = await testGateway(
    documentOf(onHeader, { services: { ...services, new: guarded } }),
    { policies: [mark] },
  );
  const { status, headers } = await gateway.request({
    method: "OPTIONS",
    headers: { origin: "https://app.example", "access-control-request-method": "PUT" },
  });
  assert.equal(status, 204);
  assert.equal(headers["access-control-allow-origin"], "https://app.example");
});

test("split: an encoded slash passes where the services take paths as they came", async () => {
  const raw = (rawPath: boolean) => ({
    old: { targets: ["http://old.test"], rawPath },
    new: { targets: ["http://new.test"], rawPath },
  });
  for (const rawPath of [true, false]) {
    await using gateway = await testGateway(documentOf(onHeader, { services: raw(rawPath) }), {
      policies: [mark],
    });
    const { status } = await gateway.request({ path: "/a%2Fb" });
    assert.equal(status, rawPath ? 200 : 400);
  }
});
