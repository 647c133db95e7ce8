/** Bodies, headers, operations and responses, and what attackers make of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { testPolicy, type TestPolicyRequest } from "../../testing/test-policy.ts";
import { HANG_UP, type FakeService } from "../../testing/fake-service.ts";
import validate from "./validate.ts";

type Options = z.input<typeof validate.schema>;

const pet = {
  type: "object",
  required: ["id", "name"],
  properties: {
    id: { type: "integer", readOnly: true },
    name: { type: "string", minLength: 2, pattern: "^[a-z]+$" },
    secret: { type: "string", writeOnly: true },
    tags: { type: "array", items: { $ref: "#/components/schemas/Tag" }, uniqueItems: true },
    parent: { $ref: "#/components/schemas/Pet" },
    when: { type: "string", format: "date-time" },
  },
};
const json = (schema: unknown) => ({ "application/json": { schema } });

function documentOf(openapi: string): string {
  return JSON.stringify({
    openapi,
    info: { title: "pets", version: "1" },
    paths: {
      "/pets": {
        post: {
          operationId: "addPet",
          requestBody: {
            required: true,
            content: {
              ...json({ $ref: "#/components/schemas/Pet" }),
              "application/x-www-form-urlencoded": {
                schema: {
                  type: "object",
                  required: ["age"],
                  properties: { age: { type: "integer" } },
                },
              },
              "multipart/form-data": { schema: { type: "object" } },
              "image/*": {},
            },
          },
          responses: {
            201: {
              description: "made",
              headers: { "x-count": { required: true, schema: { type: "integer" } } },
              content: json({ $ref: "#/components/schemas/Pet" }),
            },
          },
        },
        get: { responses: { "2XX": { description: "all" } } },
      },
      "/pets/{id}": {
        parameters: [{ in: "path", name: "id", required: true, schema: { type: "integer" } }],
        get: { responses: {} },
      },
      "/pets/mine": { get: { responses: {} } },
      "/animals": {
        post: {
          requestBody: { content: json({ $ref: "#/components/schemas/Animal" }) },
          responses: {},
        },
      },
      "/old": {
        post: {
          requestBody: {
            content: json({
              type: "object",
              properties: {
                n: { type: "integer", nullable: true },
                m: { type: "number", minimum: 1, exclusiveMinimum: true },
              },
            }),
          },
          responses: {},
        },
      },
    },
    components: {
      schemas: {
        Pet: pet,
        Tag: { type: "string" },
        Animal: {
          required: ["kind"],
          oneOf: [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }],
          discriminator: { propertyName: "kind", mapping: { feline: "#/components/schemas/Cat" } },
        },
        Cat: { type: "object", required: ["lives"], properties: { lives: { type: "integer" } } },
        Dog: { type: "object", required: ["barks"], properties: { barks: { type: "boolean" } } },
      },
    },
  });
}

const files = { "api.json": documentOf("3.0.3"), "new.json": documentOf("3.1.0") };

async function run(
  request: TestPolicyRequest,
  options: Partial<Options> = {},
  service: FakeService = () => undefined,
) {
  await using subject = await testPolicy(
    validate,
    { openapi: "api.json", ...options },
    { files, service },
  );
  const response = await subject.request(request);
  const { errors = [] } = (response.problem ?? {}) as { errors?: Record<string, string>[] };
  const lines = errors.map(
    (one) => `${one["in"]} ${one["name"] ?? ""}${one["path"]}: ${one["message"]}`,
  );
  return { ...response, errors: lines, log: subject.gateway.log };
}

const post = (body: string, path = "/pets", type = "application/json"): TestPolicyRequest => ({
  method: "POST",
  path,
  body,
  headers: { "content-type": type },
});

const bodies: [what: string, request: TestPolicyRequest, expected: (string | number)[]][] = [
  ["a body that fits", post('{"name":"tom","tags":["a","b"]}'), [200]],
  [
    "everything at once",
    post('{"name":"T","tags":["a","a",1],"when":"now"}'),
    [
      400,
      "body /name: must NOT have fewer than 2 characters",
      "body /name: must match ^[a-z]+$",
      "body /tags/2: must be string",
      "body /tags: must not have the same item twice",
      'body /when: must match format "date-time"',
    ],
  ],
  [
    "what only the service may say",
    post('{"name":"tom","id":1}'),
    [400, "body /id: must not be present"],
  ],
  [
    "a circle of schemas",
    post('{"name":"tom","parent":{"name":"kit","parent":{}}}'),
    [400, "body /parent/parent/name: is required"],
  ],
  ["no body", { method: "POST", path: "/pets" }, [400, "body : is required"]],
  ["what is no JSON", post("{"), [400, "body : is not JSON"]],
  [
    "bytes that are no UTF-8",
    { ...post(""), body: Buffer.from('{"name":"\xff\xff"}', "latin1") },
    [400, "body : is not UTF-8"],
  ],
  [
    "a name twice",
    post('{"name":"tom","name":"admin"}'),
    [400, "body : has a name twice in one object"],
  ],
  [
    "a name twice, once escaped",
    post('{"name":"tom","n\\u0061me":"admin"}'),
    [400, "body : has a name twice in one object"],
  ],
  [
    "a prototype",
    post('{"name":"tom","__proto__":{"id":1}}'),
    [400, "body : has the name __proto__"],
  ],
  ["a name that every object has", post('{"constructor":"tom"}'), [400, "body /name: is required"]],
  ["deep nesting", post("[".repeat(65) + "]".repeat(65)), [400, "body : is nested too deeply"]],
  [
    "a type in capitals with a charset",
    post('{"name":"tom"}', "/pets", "Application/JSON; Charset=UTF-8"),
    [200],
  ],
  ["another charset", post('{"name":"tom"}', "/pets", "application/json; charset=utf-16"), [415]],
  [
    "two charsets",
    post('{"name":"tom"}', "/pets", "application/json; charset=utf-8; charset=utf-7"),
    [415],
  ],
  ["a type that is not described", post('{"name":"tom"}', "/pets", "text/json"), [415]],
  ["a type that begins alike", post('{"name":"tom"}', "/pets", "application/jsonp"), [415]],
  ["two types in one", post('{"name":"tom"}', "/pets", "image/png, application/json"), [415]],
  [
    "two types",
    { ...post("{}"), headers: { "content-type": ["application/json", "image/png"] } },
    [415],
  ],
  [
    "a compressed body",
    { ...post("{}"), headers: { "content-type": "application/json", "content-encoding": "gzip" } },
    [415],
  ],
  ["a kind of types", post("bytes", "/pets", "image/png"), [200]],
  ["several parts", post("--x--", "/pets", "multipart/form-data; boundary=x"), [200]],
  ["several parts without boundary", post("--x--", "/pets", "multipart/form-data"), [415]],
  ["a form", post("age=3", "/pets", "application/x-www-form-urlencoded"), [200]],
  [
    "a form that does not fit",
    post("age=x", "/pets", "application/x-www-form-urlencoded"),
    [400, "body /age: must be integer"],
  ],
  [
    "a form with a name twice",
    post("age=1&age=2", "/pets", "application/x-www-form-urlencoded"),
    [400, "body /age: must not be given more than once"],
  ],
  [
    "a body where none is described",
    { ...post("{}"), method: "GET" },
    [400, "body : must not be present"],
  ],
  ["one kind of several", post('{"kind":"Dog","barks":true}', "/animals"), [200]],
  [
    "another by its mapped name",
    post('{"kind":"feline","barks":true}', "/animals"),
    [400, "body /lives: is required"],
  ],
  [
    "a kind that is none",
    post('{"kind":"Cow"}', "/animals"),
    [400, 'body /kind: must be one of "Cat", "Dog", "feline"'],
  ],
  ["a kind that two schemas miss", post("{}", "/animals"), [400, "body /kind: is required"]],
  ["one of several types", post('{"n":"x"}', "/old"), [400, "body /n: must be integer or null"]],
  ["null where 3.0 allows it", post('{"n":null,"m":1.5}', "/old"), [200]],
  ["a bound that is no value in 3.0", post('{"m":1}', "/old"), [400, "body /m: must be > 1"]],
  ["a path that is written out before one with a parameter", { path: "/pets/mine" }, [200]],
  [
    "a parameter shared by a path's operations",
    { path: "/pets/x" },
    [400, "path id: must be integer"],
  ],
  ["a method that is not described", { method: "DELETE", path: "/pets" }, [405]],
];

for (const [what, request, [status, ...errors]] of bodies) {
  for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
    test(`validate: ${protocol}: ${what} is answered ${status}`, async () => {
      const outcome = await run({ ...request, protocol });
      assert.deepEqual([outcome.status, ...outcome.errors], [status, ...errors]);
      if (status === 200) assert.ok(outcome.sent !== undefined);
      else assert.equal(outcome.sent, undefined);
    });
  }
}

test("validate: what has been checked goes on byte for byte", async () => {
  const body = ' { "name" :\t"tom", "more": 1.10 }\n';
  const { sent } = await run(post(body));
  assert.equal(sent?.body, body);
});

test("validate: who sends another type or method is told which would do", async () => {
  assert.match(
    (await run(post("x", "/pets", "x/y"))).headers["accept"] ?? "",
    /^application\/json, /,
  );
  assert.equal((await run({ method: "PUT", path: "/pets" })).headers["allow"], "GET, POST");
});

test("validate: a body that is too long is answered 413, in report mode it passes unchecked", async () => {
  const long = JSON.stringify({ name: "a".repeat(2000) });
  assert.equal((await run(post(long), { bodyMax: "1kb" })).status, 413);
  const reported = await run(post(long), { bodyMax: "1kb", mode: "report" });
  assert.deepEqual([reported.status, reported.results], [200, { unchecked: 1 }]);
});

test("validate: a flood of errors is cut off, and costs no more than a look", async () => {
  const tags = JSON.stringify({ name: "tom", tags: Array.from({ length: 100_000 }, () => 1) });
  const { errors, status } = await run(post(tags), { errorsMax: 7, bodyMax: "10mb" });
  assert.deepEqual([status, errors.length], [400, 7]);
});

test("validate: a hundred thousand items are told apart in one go", async () => {
  const tags = JSON.stringify({
    name: "tom",
    tags: Array.from({ length: 100_000 }, (_, at) => `t${at}`),
  });
  assert.equal((await run(post(tags), { bodyMax: "10mb" })).status, 200);
});

test("validate: a pattern that would keep others busy takes one look", async () => {
  const body = { type: "object", properties: { a: { type: "string", pattern: "^(a+)+$" } } };
  const text = JSON.stringify({ a: `${"a".repeat(100_000)}!` });
  const { status } = await run(post(text, "/any"), { openapi: undefined, request: { body } });
  assert.equal(status, 400);
});

test("validate: report counts and tells which fields, and lets all pass", async () => {
  const { status, sent, results, log } = await run(post('{"name":"T"}'), { mode: "report" });
  assert.equal(status, 200);
  assert.equal(sent?.body, '{"name":"T"}');
  assert.deepEqual(results, { invalid: 1, "invalid-body": 1 });
  const entry = log.find(({ level }) => level === "warn");
  assert.match(JSON.stringify(entry), /POST \/pets body \/name must match/);
});

test("validate: unknown operations pass where that is said", async () => {
  const { status, results } = await run({ path: "/nothing" }, { unknown: "pass" });
  assert.deepEqual([status, results], [200, { unknown: 1 }]);
});

test("validate: unknown parameters are refused where that is said", async () => {
  const { errors } = await run({ path: "/pets?a=1" }, { unknownQuery: "refuse" });
  assert.deepEqual(errors, ["query a: is not known here"]);
});

test("validate: one operation is held against whatever the path", async () => {
  const options: Partial<Options> = { operationId: "addPet" };
  assert.equal((await run(post("{}", "/elsewhere"), options)).status, 400);
  assert.equal((await run(post('{"name":"tom"}', "/elsewhere"), options)).status, 200);
  assert.equal((await run({ path: "/elsewhere" }, options)).status, 405);
});

test("validate: the document's paths may begin further in", async () => {
  const options: Partial<Options> = { basePath: "/v1" };
  assert.equal((await run({ path: "/v1/pets" }, options)).status, 200);
  assert.equal((await run({ path: "/pets" }, options)).status, 404);
  assert.equal((await run({ path: "/v1" }, options)).status, 404);
});

const made =
  (body: unknown, status = 201): FakeService =>
  () => ({
    status,
    headers: { "x-count": "1", "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("validate: responses are held against the document too, where that is said", async () => {
  const options: Partial<Options> = { responses: true };
  const request = post('{"name":"tom"}');
  assert.equal((await run(request, options, made({ id: 1, name: "tom" }))).status, 201);
  const wrong = [made({ id: 1 }), made({ id: 1, name: "tom", secret: "x" }), made({}, 418)];
  for (const service of wrong) {
    const { status, problem, results, log } = await run(request, options, service);
    assert.deepEqual([status, problem?.name], [502, "response-invalid"]);
    assert.equal(results["response-invalid"], 1);
    assert.equal(log.filter(({ level }) => level === "warn").length, 1);
    const reported = await run(request, { ...options, mode: "report" }, service);
    assert.notEqual(reported.status, 502);
    assert.equal(reported.results["response-invalid"], 1);
  }
  assert.equal((await run(request, {}, made({}))).status, 201);
});

test("validate: a problem of the service is held against the document, one of the gateway is not", async () => {
  const options: Partial<Options> = { responses: true };
  const request = post('{"name":"tom"}');
  const problem = { headers: { "content-type": "application/problem+json" }, body: "{}" };
  const theirs = await run(request, options, () => ({ status: 418, ...problem }));
  assert.deepEqual([theirs.status, theirs.problem?.name], [502, "response-invalid"]);
  const ours = await run(request, options, () => HANG_UP);
  assert.notEqual(ours.problem?.name, "response-invalid");
  assert.equal(ours.results["response-unchecked"], 1);
});

test("validate: a refusal of its own is not held against the document", async () => {
  const { status } = await run(post("{}"), { responses: true });
  assert.equal(status, 400);
});

test("validate: schemas in place of a document", async () => {
  const options: Partial<Options> = {
    openapi: undefined,
    request: {
      query: {
        type: "object",
        required: ["page"],
        properties: { page: { type: "integer", minimum: 1 } },
      },
      headers: { properties: { "x-tenant": { enum: ["a", "b"] } } },
      body: { $ref: "#/$defs/order", $defs: { order: { type: "object", required: ["sum"] } } },
    },
  };
  const good = {
    ...post('{"sum":1}', "/any?page=2"),
    headers: { "content-type": "application/merge-patch+json", "x-tenant": "a" },
  };
  assert.equal((await run(good, options)).status, 200);
  const bad = {
    ...post("{}", "/any?page=0"),
    headers: { "content-type": "application/json", "x-tenant": "c" },
  };
  assert.deepEqual((await run(bad, options)).errors, [
    "query page: must be >= 1",
    'header x-tenant: must be one of "a", "b"',
    "body /sum: is required",
  ]);
});

test("validate: a thousand schemas, each referring to the next, are compiled as far as a body leads", async () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 2000 }, (_, at) => {
      const next = at === 1999 ? true : { $ref: `#/$defs/s${at + 1}` };
      return [`s${at}`, { type: "object", properties: { next, at: { const: at } } }];
    }),
  );
  const body = { $ref: "#/$defs/s0", $defs };
  const options: Partial<Options> = { openapi: undefined, request: { body } };
  const { errors } = await run(post('{"next":{"next":{"at":1}}}', "/any"), options);
  assert.deepEqual(errors, ["body /next/next/at: must be 2"]);
});

test("validate: what schemas of several files have looked at is evaluated", async () => {
  const options: Partial<Options> = {
    openapi: undefined,
    request: {
      body: {
        allOf: [{ $ref: "#/$defs/a" }],
        properties: { own: true },
        unevaluatedProperties: false,
        $defs: { a: { $ref: "#/$defs/b" }, b: { properties: { name: true } } },
      },
    },
  };
  assert.equal((await run(post('{"own":1,"name":2}', "/any"), options)).status, 200);
  const { errors } = await run(post('{"own":1,"other":2}', "/any"), options);
  assert.deepEqual(errors, ["body /other: is not known here"]);
});
