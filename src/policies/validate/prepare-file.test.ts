import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { yamlLibrary } from "../../base/yaml-library.ts";
import { testGateway } from "../../testing/test-gateway.ts";
import { prepareFile } from "./prepare-file.ts";
import validate from "./validate.ts";

const prepared = (content: string, file = "a.yaml"): unknown =>
  JSON.parse(prepareFile(content, file));

test("prepared file: a document loses what is for people, and nothing that is merely called so", () => {
  const content = `
openapi: 3.1.0
info: { title: A, description: long }
x-kept: { description: as it is, example: 1 }
paths:
  /description:
    summary: gone
    get:
      responses:
        200: { description: gone, content: { application/json: { example: gone, examples: {} } } }
components:
  schemas:
    example:
      description: gone
      properties:
        description: { type: string, description: gone, title: gone, example: gone }
        examples: { type: array }
        properties: { type: object, properties: { example: { type: string } } }
        enum: { enum: [{ description: kept }], default: { example: kept } }
      discriminator: { propertyName: title, mapping: { description: "#/kept" } }
`;
  assert.deepEqual(prepared(content), {
    openapi: "3.1.0",
    info: {},
    "x-kept": { description: "as it is", example: 1 },
    paths: {
      "/description": { get: { responses: { 200: { content: { "application/json": {} } } } } },
    },
    components: {
      schemas: {
        example: {
          properties: {
            description: { type: "string" },
            examples: { type: "array" },
            properties: { type: "object", properties: { example: { type: "string" } } },
            enum: { enum: [{ description: "kept" }], default: { example: "kept" } },
          },
          discriminator: { propertyName: "title", mapping: { description: "#/kept" } },
        },
      },
    },
  });
});

test("prepared file: schemas outside of a document may have any name", () => {
  const content =
    '{"example":{"type":"string"},"examples":{"title":{"type":"integer","title":"x"}}}';
  assert.deepEqual(prepared(content), {
    example: { type: "string" },
    examples: { title: { type: "integer" } },
  });
});

test("prepared file: the name __proto__ stays a name", () => {
  for (const content of [
    '{"properties":{"__proto__":{"type":"string"}}}',
    "properties: { __proto__: { type: string } }",
  ]) {
    assert.equal(prepareFile(content, "a.yaml"), '{"properties":{"__proto__":{"type":"string"}}}');
  }
});

test("prepared file: what cannot be read is told of with the file and the line", () => {
  assert.throws(() => prepareFile('{\n "a": [ }', "a.json"), /^Refusal: a\.json: .*line 2/);
  assert.throws(() => prepareFile("a: 1\nb: [", "a.yaml"), /^Refusal: a\.yaml: .* line 2, column/);
});

test("prepared file: aliases without end are refused", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let index = 1; index < 9; index++) {
    lines.push(
      `a${index}: &a${index} [${Array(9)
        .fill(`*a${index - 1}`)
        .join(", ")}]`,
    );
  }
  assert.throws(() => prepareFile(lines.join("\n"), "bomb.yaml"), /^Refusal: bomb\.yaml/);
  assert.throws(() => prepareFile("a: &a { b: *a }", "round.yaml"), /^Refusal: round\.yaml/);
});

test("prepared file: many uses of a document in YAML parse it once", async (context: TestContext) => {
  const parse = context.mock.method(yamlLibrary(), "parse");
  const document = "openapi: 3.1.0\npaths: { /a: { get: { responses: {} } } }";
  const use = { validate: { openapi: "api.yaml" } };
  const config = (status: number) => ({
    services: { service: { targets: ["http://service.test"], policies: [use, use] } },
    routes: [
      { match: "/*", service: "service", policies: [use] },
      { match: "/other", respond: { status } },
    ],
  });
  await using gateway = await testGateway(config(200), {
    policies: [validate],
    files: { "api.yaml": document },
  });
  assert.equal((await gateway.request({ path: "/a" })).status, 200);
  assert.equal((await gateway.request({ path: "/b" })).status, 404);
  assert.equal(parse.mock.callCount(), 1);
});
