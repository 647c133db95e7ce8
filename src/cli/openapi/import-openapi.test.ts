import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { parse } from "yaml";
import { loadConfig } from "../../config/load-config.ts";
import { importOpenApi } from "./import-openapi.ts";

const folder = await mkdtemp(join(tmpdir(), "gateward-import-"));
after(() => rm(folder, { recursive: true }));

/** Imports the first of the files; what it wrote, what it printed, and what `check` says of it. */
async function imported(t: TestContext, files: Record<string, string>, service?: string) {
  const errors = t.mock.method(console, "error", () => {});
  t.mock.method(console, "log", () => {});
  const place = await mkdtemp(join(folder, "case-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
  const [file = ""] = Object.keys(files);
  const run = () => importOpenApi({ file, service, out: "gateward.yaml", folder: place });
  const exitCode = await run();
  const printed = errors.mock.calls.map((call) => String(call.arguments[0]));
  if (exitCode !== 0) return { exitCode, printed, run };
  const out = join(place, "gateward.yaml");
  const { loaded, mistakes } = await loadConfig({
    file: out,
    folder: place,
  });
  const serious = mistakes.filter(({ level }) => level === "error");
  assert.deepEqual(serious, []);
  return { exitCode, printed, run, loaded, written: parse(await readFile(out, "utf8")) };
}

const PETS = `
openapi: 3.0.3
info: { title: Pets, version: "1" }
servers: [{ url: "https://{region}.pets.example/v1", variables: { region: { default: eu } } }, { url: https://b.example }]
paths:
  /pets:
    get: { responses: { "200": { description: all } } }
    post:
      requestBody: { content: { application/json: { schema: { $ref: "schemas.yaml#/Pet" } } } }
      responses: { default: { description: made } }
  /pets/{pet-id}:
    parameters: [{ in: path, name: pet-id, required: true, schema: { type: integer } }]
    get: { deprecated: true, responses: { default: { description: one } } }
    trace: { responses: { default: { description: none } } }
  /pets/{name}/photos/{kind}.jpg:
    parameters:
      - { in: path, name: name, required: true, schema: { type: string } }
      - { in: path, name: kind, required: true, schema: { enum: [small, large] } }
    get: { responses: { default: { description: one } } }
  /pets:import:
    post: { responses: { default: { description: done } } }
components: { securitySchemes: { key: { type: apiKey, in: header, name: x-key } } }
`;
const SCHEMAS = "Pet: { type: object, properties: { parent: { $ref: '#/Pet' } } }\n";

test("import openapi: routes, a service and validation, which check finds right", async (t) => {
  const { written, printed } = await imported(t, { "api.yaml": PETS, "schemas.yaml": SCHEMAS });
  assert.deepEqual(written, {
    listen: 8080,
    services: {
      api: {
        targets: ["https://eu.pets.example"],
        policies: [{ validate: { openapi: "api.yaml", files: ["schemas.yaml"], basePath: "/v1" } }],
      },
    },
    routes: [
      { match: { path: "/v1/pets", methods: ["GET", "POST"] }, service: "api" },
      { match: { path: "/v1/pets/:pet_id(-?\\d+)", methods: ["GET"] }, service: "api" },
      {
        match: { path: "/v1/pets/:name/photos/:kind(small|large).jpg", methods: ["GET"] },
        service: "api",
      },
      { match: { path: "/v1/pets\\:import", methods: ["POST"] }, service: "api" },
    ],
  });
  const lines = printed.join("\n");
  for (const note of [
    "b.example",
    "variables of the server",
    "TRACE /pets/{pet-id}",
    "scheme key; add the policy api-key before validate",
    "GET /pets/{pet-id} is deprecated",
  ]) {
    assert.ok(lines.includes(note), `${note} in ${lines}`);
  }
});

test("import openapi: a file that is there is never overwritten", async (t) => {
  const { run } = await imported(t, { "api.yaml": PETS, "schemas.yaml": SCHEMAS });
  assert.equal(await run(), 1);
});

test("import openapi: the service can be told", async (t) => {
  const { loaded } = await imported(
    t,
    { "api.yaml": PETS, "schemas.yaml": SCHEMAS },
    "http://127.0.0.1:9",
  );
  assert.match(JSON.stringify(loaded?.config.services["api"]), /127\.0\.0\.1:9/);
});

test("import openapi: a document with mistakes, or none, is told of", async (t) => {
  assert.equal((await imported(t, { "a.yaml": "swagger: '2.0'" })).exitCode, 2);
  const broken = PETS.replace("schemas.yaml#/Pet", "#/nowhere");
  const { written, printed } = await imported(t, { "b.yaml": broken });
  assert.equal(written.services.api.policies, undefined);
  assert.match(printed.join("\n"), /refers to #\/nowhere/);
});

/** A document as large providers have it: many paths, schemas that refer to each other. */
function largeDocument(pathCount: number): string {
  const paths: Record<string, unknown> = {};
  const schemas: Record<string, unknown> = {};
  for (let index = 0; index < pathCount; index++) {
    const ref = (offset: number) => ({
      $ref: `#/components/schemas/S${(index + offset) % pathCount}`,
    });
    schemas[`S${index}`] = {
      type: "object",
      description: "A thing that is described at some length. ".repeat(20),
      required: ["id"],
      properties: {
        id: { type: "integer", format: "int64" },
        name: { type: "string", pattern: `^[a-z]{1,${(index % 50) + 1}}$` },
        next: ref(1),
        others: { type: "array", items: ref(7) },
        either: { oneOf: [ref(2), { type: "string", nullable: true }] },
      },
    };
    paths[`/things${index}/{id}`] = {
      parameters: [{ in: "path", name: "id", required: true, schema: { type: "integer" } }],
      put: {
        requestBody: { content: { "application/json": { schema: ref(0) } } },
        responses: {
          200: { description: "done", content: { "application/json": { schema: ref(3) } } },
        },
      },
    };
  }
  const info = { title: "Large", version: "1" };
  return JSON.stringify({ openapi: "3.0.0", info, paths, components: { schemas } });
}

test("import openapi: a document of several megabytes is read, checked and written", async (t) => {
  const text = largeDocument(1500);
  assert.ok(text.length > 2 * 2 ** 20, String(text.length));
  const { loaded } = await imported(t, { "api.json": text });
  assert.equal(loaded?.config.routes.length, 1500);
});
