/** Limits at a real gateway: exact over its workers, hard to dodge, and gone with nobody who held a part of them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { Agent, request as sendRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";

const shared = fileCleanup();
/** Long enough that no test meets its edge. */
const window = "31d";

interface Sending {
  path: string;
  headers?: Record<string, string | string[]>;
  /** The client's own address, of loopback. */
  from?: string;
  agent?: Agent | false;
}

/** Status of one request; over a connection of its own, unless an agent keeps some. */
async function statusOf(gateway: Gateway, sending: Sending): Promise<number> {
  const { path, headers = {}, from = "127.0.0.1", agent = false } = sending;
  const { port } = gateway;
  const request = sendRequest({
    port,
    host: "127.0.0.1",
    localAddress: from,
    path,
    headers,
    agent,
  });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.statusCode!;
}

/** How many of `count` requests, one after the other, are answered 200. */
async function passing(gateway: Gateway, count: number, sending: (index: number) => Sending) {
  let passed = 0;
  for (let index = 0; index < count; index++) {
    if ((await statusOf(gateway, sending(index))) === 200) passed += 1;
  }
  return passed;
}

/** A service that answers when the test says so. */
async function startHeldService(t: Cleanup) {
  const held: ServerResponse[] = [];
  let onArrival = (): void => {};
  const service = await startHttpService(t, {
    answer: (_, response) => {
      held.push(response);
      onArrival();
    },
  });
  return {
    url: service.url,
    held,
    async arrived(count: number): Promise<void> {
      while (held.length < count) await new Promise<void>((resolve) => (onArrival = resolve));
    },
    release(): void {
      for (const response of held.splice(0)) response.end("late");
    },
  };
}

function routeWith(path: string, policy: object) {
  return { name: path.slice(1), match: path, respond: { body: "ok" }, policies: [policy] };
}

describe("rate-limit over four workers", () => {
  let gateway: Gateway;
  const limited = (path: string, options: object) =>
    routeWith(path, { "rate-limit": { limit: 5, window, ...options } });
  const config = {
    workers: 4,
    trustedProxies: ["127.0.0.2"],
    routes: [
      limited("/exact", { limit: 1000, by: "all" }),
      limited("/bucket", { limit: 1000, by: "all", algorithm: "token-bucket" }),
      limited("/several", {
        limit: undefined,
        window: undefined,
        limits: [
          { limit: 300, window, by: "all" },
          { limit: 7, window, by: { header: "x-user" } },
        ],
      }),
      limited("/header", { by: { header: "x-user" } }),
      limited("/address", { by: "address" }),
      limited("/forwarded", { by: "address" }),
      limited("/reload", { by: "all" }),
      limited("/told", { limit: 2, by: "all" }),
      limited("/told2", { limit: 2, by: "all" }),
    ],
  };

  before(async () => {
    gateway = await startGateway(shared, config);
  });

  /** Statuses of as many requests, from 200 clients at once that each keep a connection. */
  async function rush(count: number, sending: (index: number) => Sending): Promise<number> {
    const agent = new Agent({ keepAlive: true, maxSockets: 200 });
    const statuses = await Promise.all(
      Array.from({ length: count }, (_, index) => statusOf(gateway, { ...sending(index), agent })),
    );
    agent.destroy();
    assert.ok(statuses.every((status) => status === 200 || status === 429));
    return statuses.filter((status) => status === 200).length;
  }

  test("rate-limit: of 2000 requests by 200 clients at once exactly 1000 pass", async () => {
    assert.equal(await rush(2000, () => ({ path: "/exact" })), 1000);
  });

  test("rate-limit: a token bucket is as exact", async () => {
    assert.equal(await rush(1500, () => ({ path: "/bucket" })), 1000);
  });

  test("rate-limit: two limits at once are both exact, and refusals use up neither", async () => {
    const user = (index: number) => `user ${index % 40}`;
    const passed = await rush(1000, (index) => {
      return { path: "/several", headers: { "x-user": user(index) } };
    });
    assert.equal(passed, 40 * 7);
    assert.equal(
      await rush(100, (index) => ({ path: "/several", headers: { "x-user": `new ${index}` } })),
      20,
    );
  });

  test("rate-limit: spelling a header otherwise, doubling blanks or leaving it out dodges nothing", async () => {
    const spellings = ["x-user", "X-User", "X-USER", "x-uSeR"];
    const blanks = ["ann", " ann", "ann  ", "\tann\t"];
    const passed = await passing(gateway, 16, (index) => {
      const name = spellings[index % 4]!;
      return { path: "/header", headers: { [name]: blanks[index >> 2]! } };
    });
    assert.equal(passed, 5);
    const without = await passing(gateway, 10, (index) => {
      return { path: "/header", headers: index % 2 === 0 ? {} : { "x-user": "" } };
    });
    assert.equal(without, 5);
  });

  test("rate-limit: whom nobody trusts cannot make up the address it is counted by", async () => {
    const passed = await passing(gateway, 12, (index) => {
      const made = `198.51.100.${index}`;
      const headers = { "x-forwarded-for": made, forwarded: `for=${made}`, "x-real-ip": made };
      return { path: "/address", headers };
    });
    assert.equal(passed, 5);
    assert.equal(await passing(gateway, 6, () => ({ path: "/address", from: "127.0.0.3" })), 5);
  });

  test("rate-limit: hopping through the addresses of one IPv6 network dodges nothing", async () => {
    const through = (address: string): Sending => {
      return { path: "/forwarded", from: "127.0.0.2", headers: { "x-forwarded-for": address } };
    };
    const hop = (index: number) => through(`2001:db8:0:7:${index.toString(16)}::${index}`);
    assert.equal(await passing(gateway, 12, hop), 5);
    assert.equal(await statusOf(gateway, through("2001:db8:0:8::1")), 200);
    // A client of the proxy that sends the header itself stands to the left of what the proxy adds.
    const forged = (index: number) => through(`203.0.113.${index}, 192.0.2.77`);
    assert.equal(await passing(gateway, 12, forged), 5);
    assert.equal(await statusOf(gateway, through("::ffff:192.0.2.77")), 429);
  });

  for (const protocol of protocols) {
    test(`rate-limit: clients of ${protocol} are told what is left, and refused with a problem`, async () => {
      const path = protocol === "HTTP/2" ? "/told2" : "/told";
      const first = await ask(gateway.port, protocol, { path });
      assert.equal(first.status, 200);
      assert.equal(first.headers["ratelimit-policy"], '"default";q=2;w=2678400');
      assert.match(String(first.headers["ratelimit"]), /^"default";r=1;t=\d+$/);
      await ask(gateway.port, protocol, { path });
      const refused = await ask(gateway.port, protocol, { path });
      assert.equal(refused.status, 429);
      assert.match(String(refused.headers["retry-after"]), /^\d+$/);
      assert.match(String(refused.headers["ratelimit"]), /;r=0;/);
      assert.equal(refused.headers["content-type"], "application/problem+json");
      assert.equal(
        (JSON.parse(refused.body) as { type: string }).type,
        "https://gateward.dev/problems/rate-limited",
      );
    });
  }

  test("rate-limit: a reload keeps the counts, also where the limit is raised", async () => {
    assert.equal(await passing(gateway, 7, () => ({ path: "/reload" })), 5);
    const raised = {
      ...config,
      routes: [limited("/reload", { limit: 8, by: "all" }), ...config.routes.slice(0, 6)],
    };
    assert.equal(await gateway.reload(raised), "applied");
    assert.equal(await passing(gateway, 7, () => ({ path: "/reload" })), 3);
    assert.equal(await gateway.reload(config), "applied");
    assert.equal(await passing(gateway, 3, () => ({ path: "/reload" })), 0);
  });

  test("rate-limit: what it decides is counted", async () => {
    const labels = { policy: "rate-limit", at: "route exact" };
    const name = "gateward_policy_results_total";
    assert.equal(await metricValue(gateway, name, { ...labels, result: "allowed" }), 1000);
    assert.equal(await metricValue(gateway, name, { ...labels, result: "limited" }), 1000);
    assert.equal(await metricValue(gateway, "gateward_limit_evictions_total"), 0);
  });
});

test("concurrency-limit: all workers count together, and what a dead one held is taken back", async (t) => {
  const service = await startHeldService(t);
  const held = {
    services: { slow: service.url },
    routes: [
      {
        name: "slow",
        match: "/slow",
        service: "slow",
        policies: [{ "concurrency-limit": { max: 6, by: "all" } }],
      },
    ],
  };
  const gateway = await startGateway(t, { workers: 2, ...held });
  const begin = () => statusOf(gateway, { path: "/slow" }).catch(() => 0);

  const first = Array.from({ length: 6 }, begin);
  await service.arrived(6);
  assert.equal(await begin(), 503);
  service.release();
  assert.deepEqual(await Promise.all(first), [200, 200, 200, 200, 200, 200]);

  const file = join(dirname(gateway.configFile), "dying.ts");
  writeFileSync(`${file}.next`, DYING);
  renameSync(`${file}.next`, file);
  const dying = { match: "/die", respond: { body: "" }, policies: ["./dying.ts"] };
  assert.equal(
    await gateway.reload({ workers: 2, ...held, routes: [...held.routes, dying] }),
    "applied",
  );
  const second = Array.from({ length: 6 }, begin);
  await service.arrived(6);
  assert.equal(await begin(), 503);
  await statusOf(gateway, { path: "/die" }).catch(() => 0);
  await gateway.poll(15_000, "with a new worker", async () => {
    const restarts = await metricValue(gateway, "gateward_worker_restarts_total");
    return restarts > 0 || undefined;
  });
  await gateway.ready();
  // Those of the other worker are still under way; all that is over gives its place back.
  service.release();
  await Promise.all(second);
  const third = Array.from({ length: 6 }, begin);
  await service.arrived(6);
  assert.equal(await begin(), 503);
  service.release();
  assert.deepEqual(await Promise.all(third), [200, 200, 200, 200, 200, 200]);
});

/** Ends the thread that it runs in. */
const DYING = `
import { definePolicy, section } from "gateward";
export default definePolicy({
  name: "dying",
  summary: "Ends the worker that runs it.",
  schema: section({}).prefault({}),
  compile: () => ({ onRequest: () => process.exit(1) }),
});
`;

test("throttle: over two workers requests go on one interval after the other, and who leaves makes room", async (t) => {
  const times: number[] = [];
  const service = await startHttpService(t, {
    answer: (_, response) => {
      times.push(performance.now());
      response.end();
    },
  });
  const paced = { rate: 5, by: "all", maxQueue: 5, maxDelay: "30s" };
  const slow = { ...paced, rate: 1, per: "5s", maxQueue: 2 };
  const gateway = await startGateway(t, {
    workers: 2,
    services: { paced: service.url },
    routes: [
      { match: "/paced", service: "paced", policies: [{ throttle: paced }] },
      { match: "/slow", service: "paced", policies: [{ throttle: slow }] },
    ],
  });
  const startedAt = performance.now();
  let refusedAt = startedAt;
  const statuses = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const status = await statusOf(gateway, { path: "/paced" });
      if (status === 503) refusedAt = performance.now();
      return status;
    }),
  );
  const passed = statuses.filter((status) => status === 200).length;
  // On a machine that is busy the last may come when the first have gone on.
  const gone = Math.ceil((refusedAt - startedAt) / 200);
  assert.ok(passed >= 6 && passed <= 6 + gone, `${passed} passed`);
  assert.equal(statuses.filter((status) => status === 503).length, 10 - passed);
  // Timers may be late, never early: the last cannot have gone on before its time.
  const took = times.at(-1)! - times[0]!;
  assert.ok(took >= (passed - 1) * 200 - 150, `${took} ms`);

  assert.equal(await statusOf(gateway, { path: "/slow" }), 200);
  const begin = () => {
    const request = sendRequest({
      port: gateway.port,
      host: "127.0.0.1",
      path: "/slow",
      agent: false,
    });
    request.on("error", () => {});
    return request.end();
  };
  const waiting = [begin(), begin()];
  const labels = { policy: "throttle", at: "route /slow" };
  const results = (result: string) =>
    metricValue(gateway, "gateward_policy_results_total", { ...labels, result });
  await gateway.poll(10_000, "waiting", async () => (await results("delayed")) === 2 || undefined);
  assert.equal(await statusOf(gateway, { path: "/slow" }), 503);
  // Closing its side alone says no more than that all has been sent.
  waiting[0]!.socket!.resetAndDestroy();
  await gateway.poll(10_000, "left", async () => (await results("left")) === 1 || undefined);
  const next = begin();
  await gateway.poll(10_000, "waiting", async () => (await results("delayed")) === 3 || undefined);
  next.destroy();
  waiting[1]!.destroy();
});
