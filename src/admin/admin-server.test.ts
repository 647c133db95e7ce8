import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { type TestContext, test } from "node:test";
import { freePort } from "../../test/support/free-port.ts";
import type { CachePurge } from "../base/cache/cache-tags.ts";
import type { FindingReport } from "../base/findings/finding-book.ts";
import { configRevision, gatewardFamilies } from "../base/metrics/families.ts";
import { MetricRegistry } from "../base/metrics/metric-registry.ts";
import type { AdminConfig } from "../config/config.ts";
import type { FindingsStatus, GatewayStatus, GatewayView } from "../runtime/gateway-view.ts";
import type { BreakersOrder, BreakerStatus } from "../runtime/service-breakers.ts";
import type { ServiceStatus, TargetStatus } from "../runtime/service-status.ts";
import type { WorkerStatus } from "../runtime/supervisor.ts";
import { AdminServer } from "./admin-server.ts";

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
}

interface Ask {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

const target: TargetStatus = {
  url: "http://users.internal:3000",
  address: "10.0.0.7",
  weight: 1,
  draining: false,
  health: "down",
  since: "2026-01-02T03:04:05.678Z",
  lastError: { at: "2026-01-02T03:04:06.678Z", reason: "status 503" },
  inFlight: 2,
  ejected: null,
  breaker: null,
};

const breaker: BreakerStatus = {
  state: "closed",
  forced: false,
  since: null,
  openUntil: null,
  openings: 0,
  window: { tries: 12, failed: 1, slow: 0 },
};

const services: ServiceStatus[] = [
  { name: "users", breaker, concurrencyLimit: null, targets: [target] },
  { name: "each", breaker: null, concurrencyLimit: 20, targets: [{ ...target, breaker }] },
  { name: "plain", breaker: null, concurrencyLimit: null, targets: [target] },
];

class FakeGateway implements GatewayView {
  readonly metrics = new MetricRegistry({ families: gatewardFamilies, workers: 1 });
  phase: GatewayStatus["phase"] = "serving";
  states: WorkerStatus["state"][] = ["serving", "serving"];

  readonly purges: CachePurge[] = [];

  purgeCache(what: CachePurge): number {
    return this.purges.push(what);
  }

  operations: FindingReport[] = [];

  findings(): FindingsStatus {
    return { since: "2026-01-01T00:00:00.000Z", operations: this.operations, leftOut: 3 };
  }

  clearFindings(): void {
    this.operations = [];
  }

  services(): ServiceStatus[] {
    return services;
  }

  readonly orders: BreakersOrder[] = [];

  orderBreakers(order: BreakersOrder): void {
    this.orders.push(order);
  }

  status(): GatewayStatus {
    return {
      version: "1.2.3",
      phase: this.phase,
      revision: 7,
      startedAt: new Date(Date.now() - 90_000).toISOString(),
      configFile: "gateward.yaml",
      lastReload: null,
      workers: this.states.map((state, index) => ({
        index,
        state,
        restarts: 0,
        beats: 1,
        revision: 7,
        connections: 3,
        inFlight: 1,
      })),
    };
  }
}

function address(port: number, host = "127.0.0.1"): AdminConfig {
  return { key: `${host}:${port}`, host, port };
}

interface Bench {
  gateway: FakeGateway;
  admin: AdminServer;
  port: number;
  ask(path: string, ask?: Ask): Promise<Answer>;
}

async function makeBench(context: TestContext): Promise<Bench> {
  const gateway = new FakeGateway();
  const admin = new AdminServer(gateway);
  context.after(() => admin.close());
  const port = await freePort();
  await admin.prepare(address(port));
  admin.commit();
  return { gateway, admin, port, ask: (path, ask) => askPort(port, path, ask) };
}

async function askPort(port: number, path: string, ask: Ask = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body: sent } = ask;
  const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false }).end(sent);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let body = "";
  for await (const part of response.setEncoding("utf8")) body += String(part);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

test("admin: readyz says 503 while starting and draining, 200 while serving", async (context) => {
  const { gateway, ask } = await makeBench(context);
  gateway.phase = "starting";
  const starting = await ask("/readyz");
  assert.deepEqual([starting.status, starting.body], [503, "starting\n"]);
  gateway.phase = "serving";
  assert.equal((await ask("/readyz")).status, 200);
  gateway.phase = "draining";
  const draining = await ask("/readyz");
  assert.deepEqual([draining.status, draining.body], [503, "draining\n"]);
});

test("admin: healthz and readyz say 200 as long as one worker serves, 503 when none does", async (context) => {
  const { gateway, ask } = await makeBench(context);
  gateway.states = ["resting", "serving"];
  assert.equal((await ask("/healthz")).status, 200);
  assert.equal((await ask("/readyz")).status, 200);
  gateway.states = ["resting", "starting"];
  assert.equal((await ask("/healthz")).status, 503);
  assert.equal((await ask("/readyz")).status, 503);
});

test("admin: healthz stays 200 while draining, so that nobody ends what is being finished", async (context) => {
  const { gateway, ask } = await makeBench(context);
  gateway.phase = "draining";
  assert.equal((await ask("/healthz")).status, 200);
});

test("admin: metrics come in the format the scraper asks for", async (context) => {
  const { gateway, ask } = await makeBench(context);
  gateway.metrics.own.gauge(configRevision, []).set(7);
  const plain = await ask("/metrics");
  assert.match(plain.headers["content-type"]!, /^text\/plain; version=0\.0\.4/);
  assert.match(plain.body, /^gateward_config_revision 7$/m);
  const accept = "application/openmetrics-text; version=1.0.0";
  const open = await ask("/metrics", { headers: { accept } });
  assert.match(open.headers["content-type"]!, /^application\/openmetrics-text/);
  assert.match(open.body, /# EOF\n$/);
});

test("admin: the index says what runs, how the workers are and what can be asked", async (context) => {
  const { ask } = await makeBench(context);
  const { headers, body } = await ask("/");
  assert.equal(headers["content-type"], "application/json");
  const index = JSON.parse(body) as Record<string, unknown> & { workers: unknown[] };
  assert.equal(index["name"], "gateward");
  assert.equal(index["version"], "1.2.3");
  assert.equal(index["revision"], 7);
  assert.equal(index["uptimeSeconds"], 90);
  assert.deepEqual(index.workers[1], {
    index: 1,
    state: "serving",
    restarts: 0,
    revision: 7,
    connections: 3,
    inFlight: 1,
  });
  assert.deepEqual(Object.keys(index["resources"] as object), [
    "/healthz",
    "/readyz",
    "/metrics",
    "/services",
    "/services/NAME/breaker",
    "/cache",
    "/cache/purge",
    "/validation",
    "/validation/clear",
  ]);
});

test("admin: HEAD answers like GET without a body; other methods and paths are refused", async (context) => {
  const { ask } = await makeBench(context);
  const head = await ask("/healthz", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "3", ""]);
  const post = await ask("/healthz", { method: "POST" });
  assert.deepEqual([post.status, post.headers.allow], [405, "GET, HEAD"]);
  const lost = await ask("/nowhere?a=b");
  assert.deepEqual([lost.status, lost.headers["content-type"]], [404, "application/problem+json"]);
});

test("admin: a name that only resolves to loopback is not answered (DNS rebinding)", async (context) => {
  const { port, ask } = await makeBench(context);
  const hosts: [string, number][] = [
    [`localhost:${port}`, 200],
    ["127.0.0.1:19090", 200],
    ["127.1.2.3", 200],
    ["[::1]:9090", 200],
    ["gateward.localhost", 200],
    ["LOCALHOST", 200],
    ["evil.example", 421],
    [`evil.example:${port}`, 421],
    ["localhost.evil.example", 421],
    ["127.0.0.1.evil.example", 421],
    ["10.0.0.1", 421],
  ];
  for (const [host, status] of hosts) {
    assert.equal((await ask("/metrics", { headers: { host } })).status, status, host);
  }
});

test("admin: bound to every address, it answers to any name", async (context) => {
  const { admin } = await makeBench(context);
  const port = await freePort();
  await admin.prepare(address(port, "0.0.0.0"));
  admin.commit();
  const answer = await askPort(port, "/healthz", { headers: { host: "gateward.internal" } });
  assert.equal(answer.status, 200);
});

test("admin: it moves to another address when told, and back out when that is called off", async (context) => {
  const { admin, port, ask } = await makeBench(context);
  const [other, third] = [await freePort(), await freePort()];
  await admin.prepare(address(third));
  admin.abort();
  await assert.rejects(askPort(third, "/healthz"), /ECONNREFUSED/);
  await admin.prepare(address(other));
  assert.equal((await ask("/healthz")).status, 200);
  admin.commit();
  assert.equal((await askPort(other, "/healthz")).status, 200);
  await assert.rejects(askPort(port, "/healthz"), /ECONNREFUSED/);
  await admin.prepare(false);
  admin.commit();
  await assert.rejects(askPort(other, "/healthz"), /ECONNREFUSED/);
});

test("admin: an address that is taken is refused by name, and the old one goes on", async (context) => {
  const one = await makeBench(context);
  const two = await makeBench(context);
  await assert.rejects(
    one.admin.prepare(address(two.port)),
    /^Error: admin: 127\.0\.0\.1:\d+ is taken/,
  );
  assert.equal((await one.ask("/healthz")).status, 200);
  const wider = one.admin.prepare(address(one.port, "0.0.0.0"));
  await assert.rejects(wider, /host cannot change while the port stays/);
});

test("admin: stored responses are purged by URL, below one, by tag and all, for who says it in JSON", async (context) => {
  const { gateway, ask } = await makeBench(context);
  const purge = async (body: unknown, type = "application/json") => {
    const headers = { "content-type": type };
    const sent = typeof body === "string" ? body : JSON.stringify(body);
    return (await ask("/cache/purge", { method: "POST", headers, body: sent })).status;
  };
  assert.equal(await purge({ url: "https://Example.com:443/a?b=c#d" }), 200);
  assert.equal(await purge({ tag: "product-1" }, "application/json; charset=utf-8"), 200);
  assert.equal(await purge({ all: true }), 200);
  const purges = [["url https://example.com/a?b=c"], ["tag product-1"], "all"];
  assert.deepEqual(gateway.purges, purges);
  const cases: [url: string, tag: string][] = [
    ["https://Example.com:443/*", "under https://example.com/"],
    ["HTTPS://EXAMPLE.COM./a/*#b", "under https://example.com/a/"],
    ["https://example.com//a/./b/../%7ec//*", "under https://example.com/a/~c/"],
    ["https://example.com:8443/a/*", "under https://example.com:8443/a/"],
    ["https://example.com/1/2/3/4/5/6/7/8/*", "under https://example.com/1/2/3/4/5/6/7/8/"],
    ["https://example.com/a*", "url https://example.com/a*"],
    ["https://example.com/*/a", "url https://example.com/*/a"],
    ["https://example.com/a/%2a", "url https://example.com/a/%2A"],
    ["https://example.com/a/*?b", "url https://example.com/a/*?b"],
    ["https://example.com/a?b=/*", "url https://example.com/a?b=/*"],
  ];
  for (const [url, tag] of cases) {
    assert.equal(await purge({ url }), 200, url);
    purges.push([tag]);
  }
  assert.deepEqual(gateway.purges, purges);
  const long = `https://example.com/a/${"b".repeat(512)}`;
  for (const [url, nearest] of [
    [
      "https://example.com/1/2/3/4/5/6/7/8/9/*",
      /purge https:\/\/example\.com\/1\/2\/3\/4\/5\/6\/7\/8\/\*,/,
    ],
    [`${long}/c/*`, /purge https:\/\/example\.com\/a\/\*,/],
  ] as const) {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ url });
    const refusal = await ask("/cache/purge", { method: "POST", headers, body });
    assert.equal(refusal.status, 400);
    assert.match(refusal.body, nearest);
  }
  const refused = [
    {},
    { all: false },
    { tag: "" },
    { url: "/a" },
    { tag: "a", all: true },
    [],
    null,
  ];
  for (const body of [...refused, "{", ""])
    assert.equal(await purge(body), 400, JSON.stringify(body));
  // What a web page can send without being asked whether it may.
  assert.equal(await purge({ all: true }, "text/plain"), 400);
  assert.equal(await purge(" ".repeat(70_000)), 413);
  const read = await ask("/cache/purge");
  assert.deepEqual([read.status, read.headers.allow], [405, "POST"]);
  const headers = { "content-type": "application/json", host: "evil.example" };
  const rebound = await ask("/cache/purge", { method: "POST", headers, body: '{"all":true}' });
  assert.equal(rebound.status, 421);
  assert.deepEqual(gateway.purges, purges);
});

test("admin: services tells of each target where it is, how it is and what it has", async (context) => {
  const { ask } = await makeBench(context);
  const { status, body } = await ask("/services");
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), { services });
});

test("admin: breakers are set by hand, those of a service or of one target", async (context) => {
  const { gateway, ask } = await makeBench(context);
  const headers = { "content-type": "application/json" };
  const set = (service: string, body: unknown, more: object = {}) =>
    ask(`/services/${service}/breaker`, {
      method: "POST",
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    });
  const { url } = target;
  const first = await set("users", { state: "open" });
  assert.deepEqual([first.status, JSON.parse(first.body)], [200, services[0]]);
  assert.equal((await set("each", { state: "closed" })).status, 200);
  assert.equal((await set("each", { state: "auto", target: url })).status, 200);
  const orders = [
    { service: "users", state: "open" },
    { service: "each", state: "closed" },
    { service: "each", state: "auto", target: url },
  ];
  assert.deepEqual(gateway.orders, orders);
  const refused: [string, unknown, number][] = [
    ["users", { state: "half-open" }, 400],
    ["users", { state: "open", for: "1m" }, 400],
    ["users", {}, 400],
    ["users", null, 400],
    ["users", { state: "open", target: url }, 400],
    ["each", { state: "open", target: "http://elsewhere:1" }, 400],
    ["plain", { state: "open" }, 400],
    ["nobody", { state: "open" }, 404],
    ["NAME", { state: "open" }, 404],
    ["a/b", { state: "open" }, 404],
  ];
  for (const [service, body, status] of refused) {
    const why = `${service} ${JSON.stringify(body)}`;
    assert.equal((await set(service, body)).status, status, why);
  }
  assert.equal((await set("users", { state: "open" }, { host: "evil.example" })).status, 421);
  const simple = { "content-type": "text/plain" };
  assert.equal((await set("users", { state: "open" }, simple)).status, 400);
  const read = await ask("/services/users/breaker");
  assert.deepEqual([read.status, read.headers.allow], [405, "POST"]);
  assert.deepEqual(gateway.orders, orders);
});

test("admin: what did not fit is told with times, and forgotten for who says it in JSON", async (context) => {
  const { gateway, ask } = await makeBench(context);
  const seen = { firstAtMs: 0, lastAtMs: 1000, examples: ["text of 2 characters"] };
  const line = { field: "query q", rule: "type", message: "must be integer", count: 2, refused: 1 };
  const subject = {
    policy: "validate",
    at: "route a",
    operation: "GET /a",
    of: "request",
  } as const;
  const counts = { messages: 2, refused: 1, leftOut: 0 };
  gateway.operations = [{ ...subject, ...counts, lines: [{ ...line, ...seen }] }];
  const times = { firstAt: "1970-01-01T00:00:00.000Z", lastAt: "1970-01-01T00:00:01.000Z" };
  assert.deepEqual(JSON.parse((await ask("/validation")).body), {
    since: "2026-01-01T00:00:00.000Z",
    places: {},
    operations: [
      { ...subject, ...counts, fields: [{ ...line, ...times, examples: seen.examples }] },
    ],
    leftOut: 3,
  });
  const clear = async (type: string) => {
    const sent = { method: "POST", headers: { "content-type": type }, body: "{}" };
    return (await ask("/validation/clear", sent)).status;
  };
  assert.deepEqual([await clear("text/plain"), gateway.operations.length], [400, 1]);
  assert.deepEqual([await clear("application/json"), gateway.operations.length], [200, 0]);
});
