/** `gateward validation`, in this process, on a gateway of two workers that is a process of its own. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { freePort } from "../../test/support/free-port.ts";
import { type Gateway, startGateway } from "../../test/support/gateway.ts";
import { startHttpService } from "../../test/support/http-service.ts";
import { type Outcome, runMain } from "../../test/support/run-main.ts";
import type { Validation } from "./validation.ts";

function run(t: TestContext, ...args: string[]): Promise<Outcome> {
  return runMain(t, "validation", ...args);
}

/** Once workers have told of so many messages. */
function told(gateway: Gateway, messages: number): Promise<Validation> {
  return gateway.poll(10_000, "told by its workers", async () => {
    const response = await fetch(`${gateway.adminUrl}/validation`);
    const answer = (await response.json()) as Validation;
    const sum = answer.operations.reduce((total, each) => total + each.messages, 0);
    return sum >= messages ? answer : undefined;
  });
}

const body = {
  type: "object",
  properties: { prices: { type: "array", items: { type: "number" } } },
  additionalProperties: false,
};

test("validation: fields of all workers are told, stay through reloads, and are forgotten on demand", async (t) => {
  const service = await startHttpService(t);
  const configOf = (mode: string, more: object = {}) => ({
    workers: 2,
    services: { shop: service.url },
    routes: [
      {
        name: "orders",
        match: "POST /orders",
        service: "shop",
        policies: [{ validate: { mode, request: { body } } }],
      },
    ],
    ...more,
  });
  const gateway = await startGateway(t, configOf("report"));
  const post = async (value: unknown) => {
    const headers = { "content-type": "application/json", connection: "close" };
    const sent = { method: "POST", headers, body: JSON.stringify(value) };
    return (await fetch(`${gateway.url}/orders`, sent)).status;
  };
  const place = ["--config", gateway.configFile];
  assert.match((await run(t, ...place)).out, /nothing was found that does not fit/);
  for (let index = 0; index < 20; index++) {
    assert.equal(await post({ prices: ["1.50", 2] }), 200);
  }
  assert.equal(await post({ prices: [] }), 200);
  await told(gateway, 20);

  await gateway.reload(configOf("enforce", { limits: { uriBytes: 4096 } }));
  assert.equal(await post({ "\u001b[2J": 1, colour: 1 }), 400);
  const { operations, places } = await told(gateway, 21);
  const [{ at, operation, of, messages, refused, fields } = assert.fail()] = operations;
  assert.deepEqual(
    [at, operation, of, messages, refused],
    ["route orders", "request", "request", 21, 1],
  );
  assert.deepEqual(
    fields.map(({ field, count, examples }) => [field, count, ...examples]),
    [
      ["body /prices/*", 20, "text of 4 characters"],
      ["body /*", 1, "a name of 4 characters", "named colour"],
    ],
  );
  assert.deepEqual(
    [places["route orders"]?.["valid"], places["route orders"]?.["invalid"]],
    [1, 21],
  );

  const { out, exitCode } = await run(t, ...place);
  assert.equal(exitCode, 0);
  assert.match(out, /^route orders: 22 requests since the start, 21 not as described/m);
  assert.match(out, /^request \(route orders\): 21 requests, 1 refused$/m);
  assert.match(
    out,
    /^ {2}20 +body \/prices\/\* +must be number +type +\S+Z +text of 4 characters$/m,
  );
  assert.equal((await run(t, "--clear", ...place)).out, "all is forgotten, and counted anew");
  const json = await run(t, "--json", "--admin", gateway.adminUrl);
  assert.deepEqual((JSON.parse(json.out) as Validation).operations, []);

  assert.equal(await post([]), 400);
  await told(gateway, 1);
  const [{ policies: _, ...route } = assert.fail()] = configOf("enforce").routes;
  await gateway.reload({ ...configOf("enforce"), routes: [route] });
  const after = await run(t, ...place);
  assert.match(after.out, /^since \S+\nthe policy validate is used nowhere$/);
});

test("validation: what a terminal would take for orders is printed as what it is, as JSON too", async (t) => {
  const operation = "POST /\u009b2J\u202e\u{e0001}é";
  const account = {
    since: "2026-01-01T00:00:00Z",
    places: { api: {} },
    operations: [
      { at: "api", operation, of: "request", messages: 1, refused: 0, fields: [], leftOut: 0 },
    ],
    leftOut: 0,
  };
  const server = createServer((_, response) => response.end(JSON.stringify(account)));
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const admin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const text = await run(t, "--admin", admin);
  assert.match(text.out, /^POST \/\\u\{9b\}2J\\u\{202e\}\\u\{e0001\}é \(api\)/m);
  const { out } = await run(t, "--json", "--admin", admin);
  assert.ok(out.includes("POST /\\u009b2J\\u202e\\udb40\\udc01é"), out);
  assert.deepEqual(JSON.parse(out), account);
});

test("validation: where no gateway answers, or another program does, it says so", async (t) => {
  const none = `127.0.0.1:${await freePort()}`;
  const silent = await run(t, "--admin", none);
  assert.equal(silent.exitCode, 1);
  assert.match(silent.err, /no gateway answers at http:\/\/127\.0\.0\.1:\d+: ECONNREFUSED/);
  const server = createServer((_, response) => response.end("null")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const other = await run(t, "--admin", `127.0.0.1:${(server.address() as AddressInfo).port}`);
  assert.equal(other.exitCode, 1);
  assert.match(other.err, /is no admin API \(200\)/);
});
