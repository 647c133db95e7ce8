import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Consumer, ConsumerStore } from "../policy/consumers.ts";
import type { Exchange } from "../policy/exchange.ts";
import { Identity } from "../policy/identity.ts";
import { defineAuthenticator } from "../policy/authenticator.ts";
import { definePolicy } from "../policy/policy.ts";
import { section } from "../policy/values/section.ts";
import { text } from "../policy/values/text.ts";
import { testGateway } from "../testing/test-gateway.ts";
import { DocumentConsumers } from "./document-consumers.ts";

/** Believes whatever name a request gives, looked up as the gateway's own authenticators do. */
const named = defineAuthenticator({
  name: "named",
  summary: "Believes the name that a request gives itself.",
  schema: section({}).prefault({}),
  compile: (_, { consumers }) => ({
    challenge: "",
    authenticate(exchange) {
      const name = exchange.header("x-name");
      if (name === undefined) return null;
      const consumer = consumers.byName(name) ?? elsewhere.get(name) ?? null;
      return new Identity({ method: "named", subject: name, consumer });
    },
  }),
});

/** As if of a store. */
const elsewhere = new Map<string, Consumer>(
  ["gold", "gone", ""].map((plan) => {
    const name = `stored-${plan}`;
    return [name, { name, groups: [], roles: [], scopes: [], metadata: {}, plan }];
  }),
);

/** Says on the response that it was met, and where. */
const mark = definePolicy({
  name: "mark",
  summary: "Says in a response header that it was met.",
  schema: section({ as: text("a word").describe("What it says.") }),
  compile({ as }, { place }) {
    const say = (exchange: Exchange) => {
      exchange.response.fields.add("x-met", `${as} at ${place.kind} ${place.name}`.trim());
    };
    return {
      onRequest(exchange) {
        exchange.request.fields.add("x-way", as);
      },
      onResponse: say,
    };
  },
});

async function gatewayOf(t: TestContext) {
  const gateway = await testGateway(
    {
      policies: [{ "any-of": ["named", "anonymous"] }],
      consumers: {
        plain: {},
        free: { plan: "free" },
        gold: { plan: "gold", policies: [{ mark: { as: "own" } }] },
        lone: { policies: [{ mark: { as: "own" } }] },
      },
      plans: {
        free: { routes: ["public-*"], policies: [{ mark: { as: "plan" } }] },
        gold: { policies: [{ mark: { as: "plan" } }] },
      },
      services: { a: "http://a.test" },
      routes: [
        { name: "public-a", match: "/public", service: "a" },
        { name: "private", match: "/private", service: "a", policies: [{ mark: { as: "route" } }] },
      ],
    },
    { policies: [named, mark] },
  );
  t.after(() => gateway.close());
  const ask = async (name: string | undefined, path: string) => {
    const callCount = gateway.calls.length;
    const response = await gateway.request({
      path,
      headers: name === undefined ? {} : { "x-name": name },
    });
    const sent = gateway.calls[callCount];
    const met = response.lines.filter(([header]) => header === "x-met").map(([, value]) => value);
    return { ...response, met, way: sent?.headers["x-way"], sent };
  };
  return { gateway, ask };
}

test("callers: policies of the plan come after those of the route, the consumer's own last", async (t) => {
  const { ask } = await gatewayOf(t);
  const gold = await ask("gold", "/private");
  assert.equal(gold.status, 200);
  assert.equal(gold.way, "route, plan, own");
  assert.deepEqual(gold.met, [
    "own at consumer gold",
    "plan at plan gold",
    "route at route private",
  ]);
  assert.equal((await ask("lone", "/private")).way, "route, own");
  assert.equal((await ask("plain", "/private")).way, "route");
  assert.equal((await ask("plain", "/public")).way, undefined);
});

test("callers: who is nobody's consumer, or nobody, meets no plan", async (t) => {
  const { ask } = await gatewayOf(t);
  assert.deepEqual((await ask("stranger", "/public")).met, []);
  assert.deepEqual((await ask(undefined, "/public")).met, []);
});

test("callers: a route that the plan does not cover is forbidden before the plan's policies", async (t) => {
  const { ask } = await gatewayOf(t);
  assert.equal((await ask("free", "/public")).status, 200);
  const { status, problem, sent } = await ask("free", "/private");
  assert.equal(status, 403);
  assert.equal(problem?.name, "route-not-in-plan");
  assert.equal(sent, undefined);
});

test("callers: consumers of the store have the document's plans; a plan that is gone lets nobody pass", async (t) => {
  const { ask } = await gatewayOf(t);
  assert.equal((await ask("stored-gold", "/public")).way, "plan");
  assert.equal((await ask("stored-", "/public")).status, 200);
  const gone = await ask("stored-gone", "/public");
  assert.equal(gone.status, 403);
  assert.equal(gone.problem?.name, "route-not-in-plan");
});

test("callers: what a client says of itself reaches no service, with an identity or without", async (t) => {
  const { ask, gateway } = await gatewayOf(t);
  assert.equal((await ask("gold", "/public")).sent?.headers["x-consumer"], "gold");
  const forged = { "X-Consumer": "admin", x_identity_groups: "root", "X-Identity.Scopes": "all" };
  for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
    await gateway.request({ path: "/public", protocol, headers: lowered(forged) });
    const { headers } = gateway.calls.at(-1)!;
    assert.deepEqual(
      Object.keys(headers).filter((name) => /identity|consumer/.test(name)),
      [],
    );
  }
});

function lowered(headers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return Object.fromEntries(entries) as Record<string, string>;
}

test("identity: false leaves headers alone, and so does a document where nobody finds out who calls", async (t) => {
  const services = { a: "http://a.test" };
  const routes = [{ match: "/*", service: "a" }];
  for (const document of [
    { identity: false as const, policies: ["named"], services, routes },
    { services, routes },
  ]) {
    const gateway = await testGateway(document, { policies: [named] });
    t.after(() => gateway.close());
    await gateway.request({ headers: { "x-name": "x", "x-consumer": "of a gateway before" } });
    const { headers } = gateway.calls[0]!;
    assert.equal(headers["x-consumer"], "of a gateway before");
    assert.equal(headers["x-identity-subject"], undefined);
  }
});

test("document consumers: the document comes first, the store adds to it", () => {
  const stored = (consumer: string, name: string) => {
    const rest = { secret: "", expiresAtMs: 5, scopes: [] };
    return { kind: "api-key" as const, consumer, name, ...rest };
  };
  const store: ConsumerStore = {
    version: 7,
    consumer: (name) => elsewhere.get(name),
    credential: (kind, id) =>
      kind === "api-key"
        ? { a: stored("web", "k1"), b: stored("stored-gold", "k2"), c: stored("gone", "k3") }[id]
        : undefined,
  };
  const web = { groups: ["g"], roles: [], scopes: [], metadata: {}, plan: "", policies: [] };
  const keys = [{ hash: "own", name: "first", expiresAtMs: 0, scopes: [] }];
  const rest = {
    tokens: [],
    signatures: [],
    certificates: [],
    basic: { username: "", hash: "phc" },
  };
  const consumers = new DocumentConsumers({ web: { ...web, keys, ...rest } }, {}, store);
  assert.equal(consumers.version, 7);
  assert.equal(consumers.find("api-key", "own")?.name, "first");
  assert.equal(consumers.find("api-key", "own")?.expiresAtMs, Infinity);
  assert.equal(consumers.find("basic", "web")?.secret, "phc");
  assert.deepEqual(consumers.find("api-key", "a")?.consumer.groups, ["g"]);
  assert.equal(consumers.find("api-key", "b")?.consumer.plan, "gold");
  assert.equal(consumers.find("api-key", "c"), undefined, "its consumer is gone");
  assert.equal(consumers.find("token", "own"), undefined);
  assert.equal(consumers.byName("stored-gold")?.plan, "gold");
});
