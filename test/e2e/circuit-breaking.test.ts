/** Breakers and bulkheads of real services, over two workers that share one state. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceStatus } from "../../src/runtime/service-status.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const routes = [{ match: "/*", service: "users" }];
const log = { level: "info" };

/** Each on a connection of its own, so that both workers have some. */
async function ask(gateway: Gateway) {
  const response = await fetch(gateway.url, { headers: { connection: "close" } });
  const body = await response.text();
  return { status: response.status, headers: response.headers, body };
}

async function statusOf(gateway: Gateway): Promise<ServiceStatus> {
  const response = await fetch(`${gateway.adminUrl}/services`);
  const { services } = (await response.json()) as { services: ServiceStatus[] };
  return services[0]!;
}

async function setBreaker(gateway: Gateway, body: unknown): Promise<number> {
  const response = await fetch(`${gateway.adminUrl}/services/users/breaker`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Of the log, those whose message begins so. */
function entries(gateway: Gateway, beginning: string): Record<string, string>[] {
  const whole = gateway.output.slice(0, gateway.output.lastIndexOf("\n"));
  const lines = whole.split("\n").map((line) => JSON.parse(line) as Record<string, string>);
  return lines.filter(({ msg }) => msg?.startsWith(beginning));
}

test("breaker: opens for both workers, refuses at once, tries with few, and closes when all is well", async () => {
  let isBad = true;
  let asked = 0;
  const service = await startHttpService(shared, {
    answer: (_request, response) => {
      asked += 1;
      response.statusCode = isBad ? 503 : 200;
      response.end("of the service");
    },
  });
  const breaker = { requests: 10, open: "5s", trials: 3 };
  const gateway = await startGateway(shared, {
    workers: 2,
    log,
    services: { users: { targets: [service.url], retry: false, breaker } },
    routes,
  });
  for (let count = 0; count < 10; count++)
    assert.equal((await ask(gateway)).body, "of the service");
  const opened = await statusOf(gateway);
  assert.equal(opened.breaker!.state, "open");
  assert.ok(Date.parse(opened.breaker!.openUntil!) > Date.now());
  const refusals = await Promise.all(Array.from({ length: 30 }, () => ask(gateway)));
  for (const { status, headers, body } of refusals) {
    assert.equal(status, 503);
    assert.match(body, /breaker-open/);
    assert.match(headers.get("retry-after")!, /^[1-6]$/);
  }
  assert.equal(asked, 10);
  assert.equal(await metricValue(gateway, "gateward_breaker_refusals_total"), 30);
  isBad = false;
  // Whoever comes first is the trial.
  await until(async () => (await ask(gateway)).status === 200);
  await until(async () => (await ask(gateway)).status === 200 && (await isClosed(gateway)));
  for (let count = 0; count < 20; count++) assert.equal((await ask(gateway)).status, 200);
  for (const to of ["open", "half_open", "closed"]) {
    const name = "gateward_breaker_transitions_total";
    assert.equal(await metricValue(gateway, name, { to }), 1, to);
  }
  const told = () => entries(gateway, "breaker");
  await until(() => told().length === 3);
  const [opening, trials, closing] = told();
  assert.deepEqual([opening!["msg"], opening!["reason"]], ["breaker opened", "errors"]);
  assert.match(trials!["msg"]!, /half open/);
  assert.equal(closing!["msg"], "breaker closed");
});

async function isClosed(gateway: Gateway): Promise<boolean> {
  return (await statusOf(gateway)).breaker!.state === "closed";
}

test("breaker: of many at once no more than the trials reach a service that is still ill", async () => {
  let asked = 0;
  const trials: (() => void)[] = [];
  const service = await startHttpService(shared, {
    answer: (_request, response) => {
      asked += 1;
      response.statusCode = 500;
      if (asked > 10) trials.push(() => response.end());
      else response.end();
    },
  });
  const breaker = { requests: 10, open: "1s", trials: 3, errors: "100%" };
  const gateway = await startGateway(shared, {
    workers: 2,
    services: { users: { targets: [service.url], retry: false, breaker } },
    routes,
  });
  for (let count = 0; count < 10; count++) await ask(gateway);
  const { breaker: opened } = await statusOf(gateway);
  const openUntil = Date.parse(opened!.openUntil!);
  await until(() => Date.now() > openUntil + 200);
  let refused = 0;
  const answers = Array.from({ length: 40 }, async () => {
    const { status } = await ask(gateway);
    if (status === 503) refused += 1;
    return status;
  });
  // None of the trials has ended before all others have been refused.
  await until(() => refused === 37);
  for (const end of trials) end();
  assert.equal((await Promise.all(answers)).filter((status) => status === 500).length, 3);
  assert.equal(asked, 13);
  const { breaker: again } = await statusOf(gateway);
  assert.deepEqual([again!.state, again!.openings], ["open", 2]);
});

test("breaker: slow answers open it, though all of them are good", async () => {
  const service = await startHttpService(shared, {
    answer: (_request, response) => void setTimeout(() => response.end(), 150),
  });
  const breaker = { requests: 10, slow: { after: "100ms", share: "80%" } };
  const gateway = await startGateway(shared, {
    workers: 2,
    log,
    services: { users: { targets: [service.url], breaker } },
    routes,
  });
  const slow = await Promise.all(Array.from({ length: 10 }, () => ask(gateway)));
  assert.ok(slow.every(({ status }) => status === 200));
  const { status, body } = await ask(gateway);
  assert.equal(status, 503);
  assert.match(body, /breaker-open/);
  await until(() => entries(gateway, "breaker").length === 1);
  assert.equal(entries(gateway, "breaker")[0]!["reason"], "slow");
});

test("breaker: an operator opens and closes it for both workers, and leaves it to itself again", async () => {
  let status = 200;
  const service = await startHttpService(shared, {
    answer: (_request, response) => {
      response.statusCode = status;
      response.end();
    },
  });
  const gateway = await startGateway(shared, {
    workers: 2,
    log,
    services: { users: { targets: [service.url], retry: false, breaker: { requests: 10 } } },
    routes,
  });
  const statuses = async (count: number): Promise<Set<number>> => {
    const answers = await Promise.all(Array.from({ length: count }, () => ask(gateway)));
    return new Set(answers.map((answer) => answer.status));
  };
  assert.deepEqual(await statuses(10), new Set([200]));
  assert.equal(await setBreaker(gateway, { state: "open" }), 200);
  assert.deepEqual(await statuses(20), new Set([503]));
  const { breaker } = await statusOf(gateway);
  assert.deepEqual([breaker!.state, breaker!.forced, breaker!.openUntil], ["open", true, null]);
  await until(async () => (await metricValue(gateway, "gateward_breaker_state")) === 2);
  status = 500;
  assert.equal(await setBreaker(gateway, { state: "closed" }), 200);
  assert.deepEqual(await statuses(30), new Set([500]));
  assert.equal(await setBreaker(gateway, { state: "auto" }), 200);
  assert.deepEqual(await statuses(10), new Set([500]));
  assert.deepEqual(await statuses(10), new Set([503]));
  await until(() => entries(gateway, "breaker set by an operator").length === 3);
  assert.equal(await setBreaker(gateway, { state: "ajar" }), 400);
});

test("bulkhead: what is under way to a service never exceeds its bound, over all workers, and comes near it", async () => {
  let underWay = 0;
  let most = 0;
  const service = await startHttpService(shared, {
    answer: (_request, response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setTimeout(() => {
        underWay -= 1;
        response.end();
      }, 30);
    },
  });
  const gateway = await startGateway(shared, {
    workers: 2,
    services: { users: { targets: [service.url], retry: false, connections: { inFlight: 7 } } },
    routes,
  });
  const answers = (
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const own = [];
        for (let count = 0; count < 10; count++) own.push(await ask(gateway));
        return own;
      }),
    )
  ).flat();
  assert.equal(most, 7);
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(refused.length > 0 && refused.length < answers.length);
  for (const { headers, body } of refused) {
    assert.equal(headers.get("retry-after"), "1");
    assert.match(body, /service-busy/);
  }
  assert.equal(await metricValue(gateway, "gateward_in_flight_refusals_total"), refused.length);
});

test("full line: it is counted as such, and is neither the target's failure nor the service's", async () => {
  const waiting: (() => void)[] = [];
  const service = await startHttpService(shared, {
    answer: (_request, response) => void waiting.push(() => response.end()),
  });
  const gateway = await startGateway(shared, {
    services: {
      users: {
        targets: [service.url],
        retry: false,
        connections: { max: 1, waiting: 1 },
        outliers: { consecutive5xx: 3 },
        breaker: { requests: 3 },
      },
    },
    routes,
  });
  const held = [ask(gateway)];
  await until(() => waiting.length === 1);
  held.push(ask(gateway));
  await until(async () => (await metricValue(gateway, "gateward_in_flight_requests")) === 2);
  for (let count = 0; count < 10; count++) assert.match((await ask(gateway)).body, /queue-full/);
  const labels = { service: "users", result: "full" };
  assert.equal(await metricValue(gateway, "gateward_upstream_requests_total", labels), 10);
  const { breaker, targets } = await statusOf(gateway);
  assert.deepEqual([breaker!.state, breaker!.window.tries], ["closed", 0]);
  assert.equal(targets[0]!.ejected, null);
  waiting.shift()!();
  await until(() => waiting.length === 1);
  waiting.shift()!();
  for (const each of held) assert.equal((await each).status, 200);
});
