import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import type { FakeService } from "../../testing/fake-service.ts";
import { testGateway, type TestGateway } from "../../testing/test-gateway.ts";
import mirror from "./mirror.ts";

type Options = Partial<z.input<typeof mirror.schema>>;

function gatewayOf(options: Options = {}, shadow: FakeService = () => undefined) {
  return testGateway(
    {
      services: { real: "http://real.test", shadow: "http://shadow.test" },
      routes: [
        {
          name: "r",
          match: "/*",
          service: "real",
          rewrite: "/v1/*",
          policies: [{ mirror: { to: "shadow", ...options } }],
        },
      ],
    },
    { services: { shadow, real: async (call) => void (await call.text()) } },
  );
}

const results = (gateway: TestGateway, result: string) =>
  gateway.metric("gateward_policy_results_total", { policy: "mirror", result });

/** Lets copies go out, and their answers come. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("mirror: a copy of the request goes to the other service, and nobody gets its answer", async () => {
  await using gateway = await gatewayOf({}, () => ({ status: 500, body: "shadow" }));
  const { status, body } = await gateway.request({
    path: "/a?b=1",
    headers: {
      authorization: "Bearer x",
      cookie: "s=1",
      "x-forwarded-for": "6.6.6.6",
      "x-own": "2",
    },
  });
  assert.deepEqual([status, body], [200, ""]);
  await settle();
  const [copy] = gateway.callsTo("shadow");
  assert.equal(copy!.target, "/a?b=1");
  assert.equal(gateway.callsTo("real")[0]!.target, "/v1/a?b=1");
  const { authorization, cookie, ...headers } = copy!.headers;
  assert.deepEqual([authorization, cookie], [undefined, undefined]);
  assert.equal(headers["x-own"], "2");
  assert.equal(headers["x-gateward-mirror"], "1");
  assert.equal(headers["x-forwarded-for"], "192.0.2.1");
  assert.deepEqual([results(gateway, "sent"), results(gateway, "5xx")], [1, 1]);
  assert.equal(gateway.metric("gateward_requests_total", { service: "shadow" }), 0);
});

test("mirror: credentials are kept where that is said", async () => {
  await using gateway = await gatewayOf({ credentials: "keep", host: "shadow.example" });
  await gateway.request({ headers: { authorization: "Bearer x" } });
  await settle();
  const { authorization, host } = gateway.callsTo("shadow")[0]!.headers;
  assert.deepEqual([authorization, host], ["Bearer x", "shadow.example"]);
});

test("mirror: the real answer waits for nothing, and copies beyond the bound are not sent", async () => {
  await using gateway = await gatewayOf(
    { maxConcurrent: 1, timeout: "2s" },
    () => new Promise(() => {}),
  );
  assert.equal((await gateway.request()).status, 200);
  await settle();
  assert.equal((await gateway.request()).status, 200);
  assert.deepEqual([results(gateway, "sent"), results(gateway, "busy")], [1, 1]);
  gateway.clock.advance("3s");
  await settle();
  assert.equal(results(gateway, "failed"), 1);
  await gateway.request();
  await settle();
  assert.equal(gateway.callsTo("shadow").length, 2);
});

test("mirror: a share of the requests, and only methods that change nothing", async () => {
  await using gateway = await gatewayOf({ share: "10%", maxConcurrent: 1000 });
  for (let index = 0; index < 500; index++) await gateway.request();
  await gateway.request({ method: "POST", body: "x" });
  await settle();
  const count = gateway.callsTo("shadow").length;
  assert.ok(count > 25 && count < 80, `${count} of 500`);
});

test("mirror: bodies are copied along as they pass, up to a size", async () => {
  await using gateway = await gatewayOf({ methods: ["POST"], body: "10b", maxConcurrent: 1 });
  for (const body of ["0123456789", "01234567890"]) {
    await gateway.request({ method: "POST", body });
    await settle();
  }
  const pieces = (async function* () {
    yield "012345";
    yield "6789ab";
  })();
  await gateway.request({ method: "POST", body: pieces });
  await settle();
  assert.deepEqual(
    gateway.callsTo("real").map(({ body }) => body),
    ["0123456789", "01234567890", "0123456789ab"],
  );
  const copies = gateway.callsTo("shadow");
  assert.deepEqual([copies.length, copies[0]!.body], [1, "0123456789"]);
  assert.equal(results(gateway, "too-large"), 2);
  assert.equal(results(gateway, "busy"), 0);
});

test("mirror: what breaks off is not copied, and its place is free again", async () => {
  await using gateway = await gatewayOf({ methods: ["POST"], maxConcurrent: 1 });
  const broken = (async function* () {
    yield "abc";
    throw new Error("the client leaves");
  })();
  await gateway.request({ method: "POST", body: broken }).catch(() => {});
  await gateway.request({ method: "POST", body: "whole" });
  await settle();
  assert.deepEqual(
    gateway.callsTo("shadow").map(({ body }) => body),
    ["whole"],
  );
});

test("mirror: a copy is not copied", async () => {
  await using gateway = await gatewayOf();
  await gateway.request({ headers: { "X-Gateward-Mirror": "1" } });
  await settle();
  assert.equal(gateway.callsTo("shadow").length, 0);
});

test("mirror: a service that is not there is told", () => {
  const told = (options: Options) => {
    const parsed = mirror.schema.parse({ to: "shadow", ...options });
    const surroundings = { services: ["real", "shadow"] } as never;
    return mirror.check!(parsed, surroundings).map(({ message }) => message);
  };
  assert.deepEqual(told({}), []);
  assert.deepEqual(told({ to: "shade" }), ['no service named "shade"']);
  assert.deepEqual(told({ share: "0%" }), ["no request is copied"]);
});
