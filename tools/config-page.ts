/** Makes docs/reference/config.md: every key of the configuration, in tables. */
import { z } from "zod";
import { documentSchema } from "../src/config/schema/document.ts";
import type { PolicySchemas } from "../src/config/schema/policy-use.ts";
import { anchor, cell, optionTables } from "./option-tables.ts";
import type { Kinds, Schema } from "./option-tables.ts";

/** Explained once, at the end, however many keys take them. */
const TESTS_HEADING = "Tests of values";

const INTRO = `# Configuration reference

<!-- Generated from src/config/schema by tools/gen-reference.ts; do not edit. -->

Every key there is, with the value it takes when it is left out. The same keys serve YAML, JSON and
TypeScript; [the guide](../guide/configuration.md) explains them. Unknown keys are mistakes.

| kind of value | how it is written |
| --- | --- |
| duration | a number with its unit, \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`: \`500ms\`, \`1.5s\`, \`1m30s\` |
| size | bytes as a number, or with a unit, \`b\`, \`kb\`, \`mb\`, \`gb\` or \`tb\`: \`64kb\`; 1kb is 1024 bytes |
| percentage | \`20%\` |
| address range | an address or CIDR notation: \`10.0.0.0/8\`, \`::1\` |
| none | where a key takes it: no limit |
| any string | may hold environment variables: \`\${NAME}\`, \`\${NAME:-default}\`; \`$\${\` is a plain \`\${\` |
`;

const TESTS = `
## ${TESTS_HEADING}

What a header, query parameter or cookie must be:

| form | passes when |
| --- | --- |
| \`mobile\` | the value is exactly this |
| \`[mobile, tablet]\` | any test of the list passes |
| \`{ prefix: mob }\` | the value begins with this |
| \`{ regex: "v[0-9]+" }\` | the whole value matches the regular expression |
| \`{ present: true }\` | it is there, whatever its value; \`false\`: it is absent |
| \`{ not: mobile }\` | the test fails, or it is absent |
`;

const POLICIES_HEADING = "Policies";

const kinds: Kinds = {
  test: `[test](#${anchor(TESTS_HEADING)})`,
  byKey: { policies: `list of [policies](#${anchor(POLICIES_HEADING)})` },
};

/** The whole page. */
export function configPage(policies: PolicySchemas): string {
  const root = z.toJSONSchema(documentSchema(policies), { io: "input" }) as Schema;
  return `${INTRO}
## Top level

${optionTables(root, "##", kinds)}
## ${POLICIES_HEADING}

An entry of a list of policies is a name, or a map of the name to the policy's options. Each page lists
the options.

${policyTable(policies)}${TESTS}`;
}

function policyTable(policies: PolicySchemas): string {
  const rows = Object.entries(policies).map(([name, { summary }]) => {
    return `| [\`${name}\`](../../src/policies/${name}/${name}.md) | ${cell(summary)} |\n`;
  });
  return `| policy | |\n| --- | --- |\n${rows.join("")}`;
}
