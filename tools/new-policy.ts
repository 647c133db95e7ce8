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
    [`${name}.ts`]: codeOf(name),
    [`${name}.test.ts`]: testOf(name),
    [`${name}.md`]: pageOf(name),
  };
}

function codeOf(name: string): string {
  const refusal = `${camelCase(name)}Refused`;
  return `/**
 * ${name}: what it does for the one who configures it, in a sentence.
 */
import { defineFaultType } from "../../base/faults.ts";
import { definePolicy } from "../../policy/policy.ts";
import { problem } from "../../policy/problem.ts";
import { headerToSet } from "../../policy/values/header.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";

const ${refusal} = defineFaultType("${name}-refused", {
  status: 403,
  title: "Refused by ${name}",
  whose: "client",
  retrySafe: "never",
  cause: "What the request says of itself is refused here.",
  remedy: "Say something else, or have it allowed.",
});

export default definePolicy({
  name: "${name}",
  summary: "What it does, in a sentence.",
  // The only description of the options: types, checks, defaults and the page's table come from it.
  schema: section({
    header: headerToSet().prefault("x-${name}").describe("Header that is looked at."),
    refuse: listOf(text("a value"), "a value").prefault([]).describe("Values that are refused."),
  }).prefault({}),
  results: ["passed", "refused"],
  faults: [${refusal}],

  // Cold: runs once for each place where the policy is written, when a snapshot is built. May allocate, may throw.
  compile({ header, refuse }, { counter }) {
    const passed = counter("passed");
    const refused = counter("refused");
    const values = new Set(refuse);
    const refusal = problem(${refusal});
    return {
      // Hot: synchronous, and without allocation where it can be.
      onRequest(exchange) {
        const value = exchange.header(header);
        if (value !== undefined && values.has(value)) {
          refused.add(1);
          return refusal;
        }
        passed.add(1);
        exchange.request.fields.set(header, exchange.routeName);
        return undefined;
      },
    };
  },
});
`;
}

function testOf(name: string): string {
  const policy = camelCase(name);
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { testPolicy } from "../../testing/test-policy.ts";
import ${policy} from "./${name}.ts";

test("${name}: the service is told the name of the route", async () => {
  await using subject = await testPolicy(${policy});
  const { status, sent, results } = await subject.request();
  assert.equal(status, 200);
  assert.equal(sent?.headers["x-${name}"], "route");
  assert.deepEqual(results, { passed: 1 });
});

test("${name}: a value that is refused does not get to the service", async () => {
  await using subject = await testPolicy(${policy}, { refuse: "no" });
  const { problem, sent, results } = await subject.request({ headers: { "X-${name}": "no" } });
  assert.equal(problem?.name, "${name}-refused");
  assert.equal(sent, undefined);
  assert.deepEqual(results, { refused: 1 });
});
`;
}

function pageOf(name: string): string {
  return `# ${name}

What it does, and when one wants it.

\`\`\`yaml
services:
  users: http://127.0.0.1:3001
routes:
  - match: /users/*
    service: users
    policies:
      - ${name}: { refuse: [forbidden] }
\`\`\`

## Options

${OPTIONS_BEGIN}
${OPTIONS_END}

## What happens

- What it does with a request, in order.

## Metrics

\`gateward_policy_results_total{policy="${name}"}\` counts \`passed\` and \`refused\`.

## Problem types

- \`${name}-refused\` (403): what the request says of itself is refused here.
`;
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
