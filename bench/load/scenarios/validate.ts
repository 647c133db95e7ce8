/** validate-64: what holding a request's body of 1 kB against a schema or an OpenAPI document costs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { gateward } from "../gateward.ts";
import { orderOf, orderSchema } from "../json-bodies.ts";
import type { Scenario, ScenarioResult } from "../scenario.ts";
import { postPath } from "../upstream.ts";
import { compare, type Contender } from "./comparison.ts";

const plainLabel = "gateward, unchecked";

const document = {
  openapi: "3.1.0",
  info: { title: "Orders", version: "1" },
  paths: {
    [postPath]: {
      post: {
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/Order" } } },
        },
        responses: { 200: { description: "ok" } },
      },
    },
  },
  components: { schemas: { Order: orderSchema } },
};

export const validate: Scenario = {
  name: "validate-64",
  title: "POST of 1 kB of JSON: unchecked, against a JSON Schema, against an OpenAPI document",
  run,
};

function run(context: BenchContext): Promise<ScenarioResult> {
  const schemaFile = join(context.folder, "order.schema.json");
  const documentFile = join(context.folder, "orders.openapi.json");
  writeFileSync(schemaFile, JSON.stringify(orderSchema));
  writeFileSync(documentFile, JSON.stringify(document));
  const plain: Contender = {
    label: plainLabel,
    kind: gateward,
    setup: {},
    requests: {
      path: postPath,
      headers: { "content-type": "application/json" },
      body: Buffer.from(orderOf(1000)),
    },
    isRight: () => true,
  };
  const checked = (label: string, options: string): Contender => ({
    ...plain,
    label: `gateward, ${label}`,
    setup: { gatewardLines: checking(options) },
    beside: plainLabel,
  });
  return compare(context, [
    plain,
    checked("JSON Schema", `request: { body: ${JSON.stringify(schemaFile)} }`),
    checked("OpenAPI", `openapi: ${JSON.stringify(documentFile)}`),
  ]);
}

function checking(options: string): string {
  return `policies:
  - validate: { ${options} }
    when: POST ${postPath}
`;
}
