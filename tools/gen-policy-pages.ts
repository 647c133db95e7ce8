/**
 * gen-policy-pages: writes the table of options in the page of each policy, between two markers, from
 * the policy's schema. `--check` writes nothing and fails when one is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { policies } from "../src/policies/index.ts";
import type { PolicyDefinition } from "../src/policy/policy.ts";
import { policiesFolder } from "./gen-policies.ts";
import { anchor, optionTables } from "./option-tables.ts";
import type { Schema } from "./option-tables.ts";

/** What stands before and after the table. */
export const OPTIONS_BEGIN =
  "<!-- options: made from the schema by tools/gen-policy-pages.ts; do not edit -->";
export const OPTIONS_END = "<!-- /options -->";

const REFERENCE = "../../../docs/reference/config.md";
const kinds = { test: `[test](${REFERENCE}#${anchor("Tests of values")})`, byKey: {} };

/** The options of a policy in Markdown. */
export function optionsOf(policy: PolicyDefinition): string {
  const schema = z.toJSONSchema(policy.schema, { io: "input" }) as Schema;
  if (Object.keys(schema.properties ?? {}).length === 0) return "It has no options.\n";
  return optionTables(schema, "###", kinds);
}

/** @throws {Error} when the page lacks the markers */
export function withOptions(page: string, options: string): string {
  const begin = page.indexOf(OPTIONS_BEGIN);
  const end = page.indexOf(OPTIONS_END);
  if (begin < 0 || end < begin) {
    throw new Error(`the page has no lines "${OPTIONS_BEGIN}" and "${OPTIONS_END}"`);
  }
  return `${page.slice(0, begin)}${OPTIONS_BEGIN}\n\n${options}\n${page.slice(end)}`;
}

/** Names of the policies whose pages are not what their schemas say. */
export function stalePolicyPages(): string[] {
  return Object.entries(policies)
    .filter(([name, policy]) => {
      const page = readFileSync(pageFile(name), "utf8");
      return withOptions(page, optionsOf(policy)) !== page;
    })
    .map(([name]) => name);
}

function pageFile(name: string): string {
  return `${policiesFolder}${name}/${name}.md`;
}

if (import.meta.main) {
  const isCheck = process.argv.includes("--check");
  for (const name of stalePolicyPages()) {
    const file = pageFile(name);
    if (!isCheck)
      writeFileSync(file, withOptions(readFileSync(file, "utf8"), optionsOf(policies[name]!)));
    else {
      console.error(`src/policies/${name}/${name}.md is stale: run npm run gen`);
      process.exitCode = 1;
    }
  }
}
