/**
 * `npm run new:policy NAME`: writes the folder of a new policy, with schema, code, test and page, and
 * puts it into the generated lists.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { camelCase, policiesFolder } from "./gen-policies.ts";
import { OPTIONS_BEGIN, OPTIONS_END } from "./gen-policy-pages.ts";

/** The files of a new policy by their names, as they pass every check of the repository. */
export function policyFiles(name: string): Record<string, string> {
  return {
    [`${name}.ts`]: `/**
 * ${name}: what it does for the one who configures it, in a sentence.
 */
import { definePolicy } from "../../policy/policy.ts";
import { headerToSet } from "../../policy/values/header.ts";
import { section } from "../../policy/values/section.ts";

export default definePolicy({
  name: "${name}",
  summary: "What it does, in a sentence.",
  // The only description of the options: types, checks, defaults and the page's table come from it.
  schema: section({
    header: headerToSet().prefault("x-${name}").describe("What this option is for."),
  }).prefault({}),

  // Cold: runs once for each route when a snapshot is built. May allocate, may throw.
  compile({ header }) {
    return {
      // Hot: synchronous, and without allocation where it can be.
      onRequest(exchange) {
        exchange.request.fields.set(header, exchange.routeName);
      },
    };
  },
});
`,
    [`${name}.test.ts`]: `import assert from "node:assert/strict";
import { test } from "node:test";
import { runPolicy } from "../../../test/support/policy-run.ts";
import ${camelCase(name)} from "./${name}.ts";

test("${name}: the service is told the name of the route", async () => {
  const { sent } = await runPolicy(${camelCase(name)}, undefined);
  assert.deepEqual(sent, ["x-${name}: a route"]);
});
`,
    [`${name}.md`]: `# ${name}

What it does, and when one wants it.

\`\`\`yaml
policies:
  - ${name}: { header: x-${name} }
\`\`\`

## Options

${OPTIONS_BEGIN}
${OPTIONS_END}
`,
  };
}

/** @throws {Error} when the name cannot be that of a policy, or is taken */
export function newPolicy(name: string, folder: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(`"${name}" is not kebab-case: npm run new:policy rate-limit`);
  }
  const place = `${folder}/${name}`;
  if (existsSync(place)) throw new Error(`there is a policy ${name} already`);
  mkdirSync(place);
  for (const [file, text] of Object.entries(policyFiles(name))) {
    writeFileSync(`${place}/${file}`, text);
  }
  return place;
}

if (import.meta.main) {
  try {
    const name = process.argv[2] ?? "";
    newPolicy(name, policiesFolder);
    const gen = fileURLToPath(new URL("gen.ts", import.meta.url));
    process.exitCode = spawnSync(process.execPath, [gen], { stdio: "inherit" }).status ?? 1;
    console.log(`src/policies/${name} is there: fill in ${name}.ts, its test and its page`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
