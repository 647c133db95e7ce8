/** What operators are told of messages that do not fit, and what not: values, and names that clients make up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import type { FindingGroup } from "../../base/findings/finding.ts";
import type { FakeService } from "../../testing/fake-service.ts";
import { testPolicy, type TestPolicyRequest } from "../../testing/test-policy.ts";
import validate from "./validate.ts";

type Options = z.input<typeof validate.schema>;

const item = {
  type: "object",
  required: ["sku"],
  properties: {
    sku: { type: "string", maxLength: 5 },
    price: { type: "number" },
    due: { type: "string", format: "date" },
    kind: { enum: ["a", "b"] },
  },
  additionalProperties: false,
};
const order = {
  type: "object",
  properties: {
    items: { type: "array", items: { $ref: "#/components/schemas/Item" } },
    prices: { type: "object", additionalProperties: { type: "number" } },
    next: { $ref: "#/components/schemas/Order" },
  },
};
const document = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "t", version: "1" },
  paths: {
    "/orders": {
      post: {
        parameters: [
          { in: "query", name: "limit", schema: { type: "integer" } },
          { in: "header", name: "x-tenant", required: true, schema: { type: "string" } },
        ],
        requestBody: {
          content: { "application/json": { schema: { $ref: "#/components/schemas/Order" } } },
        },
        responses: {
          200: {
            description: "",
            content: { "application/json": { schema: { required: ["id"] } } },
          },
        },
      },
    },
  },
  components: { schemas: { Item: item, Order: order } },
});

async function find(
  requests: readonly TestPolicyRequest[],
  options: Partial<Options> = {},
  service: FakeService = () => undefined,
): Promise<readonly FindingGroup[]> {
  await using subject = await testPolicy(
    validate,
    { openapi: "api.json", mode: "report", ...options },
    { files: { "api.json": document }, service },
  );
  for (const request of requests) await subject.request(request);
  return subject.gateway.takeFindings();
}

const post = (body: unknown, query = ""): TestPolicyRequest => ({
  method: "POST",
  path: `/orders${query}`,
  headers: { "content-type": "application/json", "x-tenant": "a" },
  body: JSON.stringify(body),
});

const linesOf = (groups: readonly FindingGroup[]) =>
  groups.flatMap(({ lines }) =>
    lines.map(({ field, rule, count, examples }) => [field, rule, count, ...examples].join(" | ")),
  );

test("validate findings: fields are told with `*` for indexes, rules, and what was there but never its value", async () => {
  const groups = await find([
    post({ items: [{ sku: "secret" }, { sku: "a", price: "12" }, { price: true }] }, "?limit=all"),
    post({ items: [{ sku: "a", due: "24/12/2026", kind: "hidden" }] }),
    { method: "POST", path: "/orders", headers: { "content-type": "text/xml" }, body: "<a/>" },
  ]);
  assert.deepEqual(linesOf(groups), [
    "query limit | type | 1 | text of 3 characters",
    "body /items/*/sku | maxLength | 1 | text of 6 characters",
    "body /items/*/price | type | 1 | text of 2 characters | a boolean",
    "body /items/*/sku | required | 1",
    'body /items/*/due | format | 1 | text like "99/99/9999"',
    "body /items/*/kind | enum | 1 | text of 6 characters",
    "header content-type | content-type | 1 | text/xml",
  ]);
  const [{ at, operation, of, messages, refused } = assert.fail()] = groups;
  assert.deepEqual(
    [at, operation, of, messages, refused],
    ["route route", "POST /orders", "request", 3, 0],
  );
  assert.doesNotMatch(JSON.stringify(groups), /secret|hidden|2026/);
});

test("validate findings: names that clients make up are one field, and told only where they look like names", async () => {
  const escape = "\u001b[2J";
  const names = ["colour", "me@example.com", "4111111111111111", escape, "x".repeat(3000)];
  const groups = await find(
    [
      ...names.map((name) => post({ items: [{ sku: "a", [name]: 1 }] })),
      ...names.map((name) => post({ prices: { [name]: "1" } })),
      ...names.map((name) => post({}, `?${encodeURIComponent(name)}=1`)),
    ],
    { unknownQuery: "refuse" },
  );
  const told = [
    "named colour",
    "a name of 14 characters",
    "a name of 16 characters",
    "a name of 4 characters",
    "a name of 3000 characters",
  ];
  assert.deepEqual(linesOf(groups), [
    ["body /items/*/*", "additionalProperties", 5, ...told].join(" | "),
    "body /prices/* | type | 5 | text of 1 character",
    ["query *", "unknown", 5, ...told].join(" | "),
  ]);
});

test("validate findings: a schema that contains itself has fields of a bounded depth", async () => {
  let body: unknown = { items: 1 };
  const bodies = Array.from({ length: 40 }, () => (body = { next: body }));
  const groups = await find(bodies.map((each) => post(each)));
  const fields = groups[0]!.lines.map(({ field }) => field);
  assert.deepEqual([fields.length, fields.at(-1)], [10, `body ${"/next".repeat(10)}/...`]);
});

test("validate findings: undescribed paths are told without what may say of whom", async () => {
  const paths = ["/orders/17/refund", "/orders/alice@example.com", "/v1/a/b/c/d/e/f/g/h"];
  const groups = await find([...paths.map((path) => ({ path })), { path: "/orders" }]);
  assert.deepEqual(linesOf(groups), [
    "GET /orders/*/refund | path | 1",
    "GET /orders/* | path | 1",
    "GET /v1/a/b/c/d/e/f/g/... | path | 1",
    "GET /orders | method | 1",
  ]);
  assert.deepEqual(await find([{ path: "/elsewhere" }], { unknown: "pass" }), []);
});

test("validate findings: responses have their own, and what is refused is told as refused", async () => {
  const answers = [
    { headers: { "content-type": "application/json" }, body: "{}" },
    { status: 418 },
  ];
  const service: FakeService = () => answers.shift();
  const requests = [post({}), post({}), post({ items: 1 })];
  const groups = await find(requests, { mode: "enforce", responses: true }, service);
  assert.deepEqual(linesOf(groups), [
    "body /id | required | 1",
    "status | status | 1",
    "body /items | type | 1 | an integer",
  ]);
  const told = groups.map(({ of, messages, refused }) => [of, messages, refused]);
  assert.deepEqual(told, [
    ["response", 2, 2],
    ["request", 1, 1],
  ]);
});

test("validate findings: bodies beyond the bound are told in both modes", async () => {
  for (const mode of ["enforce", "report"] as const) {
    const groups = await find([post({ items: ["x".repeat(2000)] })], { mode, bodyMax: "1kb" });
    assert.deepEqual(linesOf(groups), ["body | bodyMax | 1"]);
    assert.equal(groups[0]?.refused, mode === "enforce" ? 1 : 0);
  }
});

test("validate findings: what fits is not told at all", async () => {
  assert.deepEqual(await find([post({ items: [{ sku: "a" }] })]), []);
});
