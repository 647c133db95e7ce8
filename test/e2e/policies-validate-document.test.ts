/** Requests held against an OpenAPI document in a file: its versions, its notations, and what a change of it does. */
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { stringify } from "yaml";
import { ask, protocols } from "../support/ask.ts";
import { startGateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { until } from "../support/until.ts";

const integer = { type: "integer" };
const list = { type: "array", items: integer };
const point = { type: "object", properties: { x: integer, y: integer }, required: ["x", "y"] };
const given = (place: string, name: string, schema: object, more: object = {}) => ({
  in: place,
  name,
  schema,
  required: place === "path",
  ...more,
});

const document = (openapi: string) => ({
  openapi,
  info: { title: "Orders", version: "1" },
  paths: {
    "/orders/{simple}/{label}/{matrix}": {
      get: {
        parameters: [
          given("path", "simple", list),
          given("path", "label", point, { style: "label", explode: true }),
          given("path", "matrix", list, { style: "matrix" }),
          given("query", "form", list, { explode: false }),
          given("query", "spaces", list, { style: "spaceDelimited", explode: false }),
          given("query", "pipes", list, { style: "pipeDelimited", explode: false }),
          given("query", "deep", point, { style: "deepObject", explode: true }),
          given("header", "x-list", list),
          given("cookie", "count", integer),
        ],
        responses: { 200: { description: "ok" } },
      },
    },
    "/orders": {
      post: {
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/Order" } } },
        },
        responses: { 200: { description: "ok" } },
      },
    },
  },
  components: {
    schemas: {
      Order: {
        type: "object",
        required: ["count"],
        properties: {
          count: { type: "integer", minimum: 1 },
          parent: { $ref: "#/components/schemas/Order" },
        },
        additionalProperties: false,
      },
    },
  },
});

const right = {
  path: "/orders/1,2/.x=1.y=2/;matrix=3,4?form=1,2&spaces=1%202&pipes=1%7C2&deep[x]=1&deep[y]=2",
  headers: { "x-list": "1, 2", cookie: "other=x; count=3" },
};
const wrong = {
  path: "/orders/1,a/.x=1.y=b/;matrix=3,c?form=1,d&spaces=1%20e&pipes=1%7Cf&deep[x]=g&deep[y]=2",
  headers: { "x-list": "1, h", cookie: "count=i" },
};
const places = [
  "path simple/1",
  "path label/y",
  "path matrix/1",
  "query form/1",
  "query spaces/1",
  "query pipes/1",
  "query deep/x",
  "header x-list/1",
  "cookie count",
];

async function gatewayFor(t: TestContext, name: string, content: string) {
  const folder = mkdtempSync(join(tmpdir(), "gateward-openapi-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const openapi = join(folder, name);
  const write = (text: string): void => {
    writeFileSync(`${openapi}.next`, text);
    renameSync(`${openapi}.next`, openapi);
  };
  write(content);
  const service = await startHttpService(t);
  const gateway = await startGateway(t, {
    services: { orders: service.url },
    routes: [
      {
        match: { path: "/*", hosts: ["open.test"] },
        service: "orders",
        policies: [{ validate: { openapi, unknown: "pass" } }],
      },
      { match: "/*", service: "orders", policies: [{ validate: { openapi } }] },
    ],
  });
  return { gateway, write, openapi };
}

const files: [name: string, content: string][] = [
  ["api.yaml", stringify(document("3.0.3"))],
  ["api.json", JSON.stringify(document("3.1.0"))],
];

for (const [name, content] of files) {
  test(`validate: parameters in every style and bodies are held against ${name}`, async (t) => {
    const { gateway } = await gatewayFor(t, name, content);
    for (const protocol of protocols) {
      const fits = await ask(gateway.port, protocol, right);
      assert.equal(fits.status, 200, fits.body);
      const refused = await ask(gateway.port, protocol, wrong);
      assert.equal(refused.status, 400);
      const { errors } = JSON.parse(refused.body) as { errors: Record<string, string>[] };
      assert.deepEqual(
        errors.map((error) => `${error["in"]} ${error["name"]}${error["path"]}`),
        places,
      );
      const headers = { "content-type": "application/json" };
      const post = async (body: string) =>
        (await ask(gateway.port, protocol, { method: "POST", path: "/orders", headers, body }))
          .status;
      assert.deepEqual(
        [await post('{"count":1}'), await post('{"count":1,"parent":{}}')],
        [200, 400],
      );
      const unknown = await ask(gateway.port, protocol, { path: "/nothing" });
      const other = await ask(gateway.port, protocol, { method: "DELETE", path: "/orders" });
      assert.deepEqual([unknown.status, other.status, other.headers["allow"]], [404, 405, "POST"]);
      const open = await ask(gateway.port, protocol, {
        path: "/nothing",
        headers: { host: "open.test" },
      });
      assert.equal(open.status, 200);
    }
  });
}

test("validate: a change of the document holds from then on; one with mistakes is refused, naming the line", async (t) => {
  const { gateway, write } = await gatewayFor(t, "api.yaml", stringify(document("3.0.3")));
  const statusOf = async (path: string) => (await ask(gateway.port, "HTTP/1.1", { path })).status;
  assert.equal(await statusOf("/added"), 404);
  const changed = document("3.0.3");
  Object.assign(changed.paths, {
    "/added": { get: { responses: { 200: { description: "ok" } } } },
  });
  write(stringify(changed));
  await until(async () => (await statusOf("/added")) === 200);
  write("openapi: 3.0.3\npaths: [");
  await until(() => gateway.output.includes("stays in force"));
  assert.match(gateway.output, /validate\.openapi: .*api\.yaml: .* line 2, column \d+/);
  assert.equal(await statusOf("/added"), 200);
});
