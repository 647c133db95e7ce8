/** body: the steps `headers` and `query`, which put values of a body into the head. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { testPolicy, type TestPolicyRequest } from "../../testing/test-policy.ts";
import type { FakeService } from "../../testing/fake-service.ts";
import body from "./body.ts";

type Options = z.input<typeof body.schema>;

const json = { "content-type": "application/json" };
const toTenant: Options = { request: [{ headers: { "X-Tenant": "tenant.id" } }] };

async function asked(
  options: Options,
  request: TestPolicyRequest,
  service: FakeService = () => "",
) {
  await using subject = await testPolicy(body, options, { service });
  return await subject.request({ method: "POST", headers: json, ...request });
}

/** X-Tenant as the service got it. */
async function tenantOf(value: unknown): Promise<string | undefined> {
  const { sent } = await asked(toTenant, { body: JSON.stringify({ tenant: { id: value } }) });
  return sent?.headers["x-tenant"];
}

test("body: values of a request reach the service in headers and in the query", async () => {
  const options: Options = {
    request: [
      { headers: { "X-Tenant": "tenant.id", "X-First": "items[0].sku" } },
      { query: { shop: "shop", "a b": "n" } },
    ],
  };
  const content = '{ "tenant":{"id":"acme"}, "items":[{"sku":7}], "shop":"a&b=\u00fc", "n":true }';
  const { sent, results } = await asked(options, {
    path: "/o?x=1",
    body: content,
    headers: { ...json, "content-digest": "sha-256=:x:" },
  });
  assert.equal(sent?.headers["x-tenant"], "acme");
  assert.equal(sent?.headers["x-first"], "7");
  assert.equal(String(sent?.query), "x=1&shop=a%26b%3D%C3%BC&a+b=true");
  assert.equal(sent?.body, content, "a body that is only read stays as it was");
  assert.equal(sent?.headers["content-digest"], "sha-256=:x:");
  assert.deepEqual(results, { mapped: 1 });
});

test("body: what a client says in such a header or parameter never passes for what is in the body", async () => {
  const options: Options = {
    request: [{ headers: { "x-tenant": "tenant" } }, { query: { tenant: "tenant" } }],
  };
  const headers = { ...json, "x-tenant": "forged", x_tenant: "forged" };
  const path = "/?tenant=forged&%74enant=forged&a=1";
  const spoken = async (request: TestPolicyRequest): Promise<string> => {
    const { sent } = await asked(options, { path, headers, ...request });
    return `${sent?.headers["x-tenant"]} ${sent?.headers["x_tenant"]} ${String(sent?.query)}`;
  };
  assert.equal(await spoken({ body: '{"tenant":"a"}' }), "a undefined a=1&tenant=a");
  const nothing = "undefined undefined a=1";
  assert.equal(await spoken({ body: "{}" }), nothing);
  assert.equal(await spoken({ body: '{"tenant":["a"]}' }), nothing);
  assert.equal(await spoken({ method: "GET" }), nothing);
  const text = { ...headers, "content-type": "text/plain" };
  assert.equal(await spoken({ body: '{"tenant":"a"}', headers: text }), nothing);
});

test("body: a value cannot break out of its header, and one that is no text or number has none", async () => {
  assert.equal(await tenantOf("a\r\nX-Admin: 1"), "a%0D%0AX-Admin: 1");
  assert.equal(await tenantOf(" K\u00f6ln \ud800"), "K%C3%B6ln %EF%BF%BD");
  for (const value of [null, "", "  ", {}, [1]]) assert.equal(await tenantOf(value), undefined);
  const { sent } = await asked(toTenant, { body: '{"tenant":{"id":12345678901234567890.10}}' });
  assert.equal(sent?.headers["x-tenant"], "12345678901234567890.10");
  const inherited: Options = { request: [{ headers: { "x-a": "constructor.name" } }] };
  assert.equal((await asked(inherited, { body: "{}" })).sent?.headers["x-a"], undefined);
});

test("body: a value that is too long for a head is refused", async () => {
  assert.equal((await tenantOf("x".repeat(4096)))?.length, 4096);
  for (const value of ["x".repeat(4097), "\u00fc".repeat(700)]) {
    const content = JSON.stringify({ tenant: { id: value } });
    const { status, problem, sent } = await asked(toTenant, { body: content });
    assert.equal(`${status} ${(problem as { code?: string }).code}`, "422 value-too-long");
    assert.equal(sent, undefined);
  }
});

test("body: steps that follow may take away what a header was made of, and forms have values too", async () => {
  const steps: Options = { request: [{ headers: { "x-key": "meta.key" } }, { drop: "meta" }] };
  const { sent } = await asked(steps, { body: '{"meta":{"key":"k"},"a":1}' });
  assert.deepEqual([sent?.headers["x-key"], String(sent?.body)], ["k", '{"a":1}']);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const ofForm: Options = { request: { from: "form", steps: [{ headers: { "x-key": "key" } }] } };
  const once = await asked(ofForm, { body: "key=a+b&c=%20", headers: form });
  assert.deepEqual(
    [once.sent?.headers["x-key"], String(once.sent?.body)],
    ["a b", "key=a+b&c=%20"],
  );
  const twice = await asked(ofForm, { body: "key=a&key=b", headers: form });
  assert.equal(twice.sent?.headers["x-key"], undefined);
});

test("body: values of a response reach the client in headers, and its validator holds", async () => {
  const options: Options = { response: [{ headers: { "X-Order": "id" } }] };
  const headers = { ...json, etag: '"v1"', "x-order": "the service's own" };
  const { headers: got, body: text } = await asked(options, {}, () => ({
    headers,
    body: '{ "id": 7 }',
  }));
  assert.deepEqual([got["x-order"], got["etag"], text], ["7", '"v1"', '{ "id": 7 }']);
  const none = await asked(options, {}, () => ({ headers, body: "{}" }));
  assert.equal(none.headers["x-order"], undefined);
  const failed = await asked(options, {}, () => ({ status: 404, headers, body: '{"id":7}' }));
  assert.equal(failed.headers["x-order"], "the service's own");
  const long = await asked(options, {}, () => ({ headers, body: { id: "x".repeat(5000) } }));
  assert.equal(long.problem?.name, "unmappable-response");
});

test("body: headers that tell who is calling, and parameters of responses, are mistakes", () => {
  const messages = (options: Options): string[] => {
    const surroundings = { identityHeaders: ["x-consumer"] } as never;
    return body.check!(body.schema.parse(options), surroundings).map(({ message, path }) => {
      return `${path!.join(".")}: ${message}`;
    });
  };
  assert.deepEqual(messages(toTenant), []);
  assert.deepEqual(messages({ request: [{ headers: { "X-Consumer": "a" } }] }), [
    "request.steps.0.headers.x-consumer: x-consumer tells services who is calling; only the gateway says it",
  ]);
  assert.deepEqual(messages({ response: [{ headers: { "X-Consumer": "a" } }] }), []);
  assert.deepEqual(messages({ response: [{ query: { a: "a" } }] }), [
    "response.steps.0: a response has no query",
  ]);
});
