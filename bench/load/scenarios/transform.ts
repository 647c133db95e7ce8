/** transform-64: what mapping a response's JSON costs, at two sizes. */
import { gateward } from "../gateward.ts";
import type { Scenario } from "../scenario.ts";
import { jsonPaths } from "../upstream.ts";
import { compare, type Contender } from "./comparison.ts";

/** One of each step that is compiled, in lists and out of them. */
const mapping = `policies:
  - body:
      response:
        - drop: [customer.password, "items[].internal"]
        - rename: { ts: createdAt, "items[].sku": article }
        - set: { source: gateway, "items[].currency": EUR }
        - mask: { paths: customer.card.number, with: last }
        - pick: [id, createdAt, source, status, customer, items]
`;

export const transform: Scenario = {
  name: "transform-64",
  title: "JSON of 1 kB and of 100 kB, as it comes and mapped by the body policy",
  run: (context) =>
    compare(context, [
      ...contendersFor(jsonPaths.kb1, "1 kB", 1000),
      ...contendersFor(jsonPaths.kb100, "100 kB", 100_000),
    ]),
};

function contendersFor(path: string, size: string, bytes: number): Contender[] {
  const beside = `gateward, ${size}`;
  const plain: Contender = {
    label: beside,
    kind: gateward,
    setup: {},
    requests: { path },
    isRight: (answer) => answer.bytes >= bytes,
  };
  return [
    plain,
    {
      ...plain,
      label: `${beside}, mapped`,
      setup: { gatewardLines: mapping },
      beside,
      isRight: (answer) => answer.bytes < bytes && answer.bytes > bytes / 2,
    },
  ];
}
