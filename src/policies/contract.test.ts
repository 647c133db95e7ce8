/** What every policy keeps to, whoever wrote it: its files, its definition, its page. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { optionsOf, stalePolicyPages } from "../../tools/gen-policy-pages.ts";
import { runExample } from "../../test/support/run-example.ts";
import { isPolicyIndexStale } from "../../tools/gen-policies.ts";
import { testEnvironment } from "../testing/test-environment.ts";
import { policies } from "./index.ts";

const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const HOOKS = ["onPreflight", "onRequest", "onResponse", "onServiceFailed", "onEnd"];

/** What may be left out of the options, and what may not. */
function requiredOptions(schema: z.ZodType): string[] {
  const { required = [] } = z.toJSONSchema(schema, { io: "input" });
  return required;
}

/** Examples of a page, with the services and routes that they leave out. */
function examplesIn(page: string): Record<string, unknown>[] {
  return [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => {
    return parse(text) as Record<string, unknown>;
  });
}

function namesOfUses(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.map((use) => (typeof use === "string" ? use : Object.keys(use as object)[0]!));
}

/** Names of the policies an example uses, at the top, in services and in routes. */
function usedIn({ policies: top, services = {}, routes = [] }: Record<string, unknown>): string[] {
  const parts = [...Object.values(services as object), ...(routes as object[])] as {
    policies?: unknown;
  }[];
  return [top, ...parts.map((part) => part.policies)].flatMap(namesOfUses);
}

test("policies: the list is what the folders say", () => {
  assert.equal(isPolicyIndexStale(), false);
  assert.deepEqual(folders.sort(), Object.keys(policies).sort());
});

test("policies: the tables of options are what the schemas say (else run: npm run gen)", () => {
  assert.deepEqual(stalePolicyPages(), []);
});

for (const name of folders) {
  const policy = policies[name]!;
  const place = join(import.meta.dirname, name);
  const pageFile = join(place, `${name}.md`);
  const page = existsSync(pageFile) ? readFileSync(pageFile, "utf8") : "";

  test(`${name}: has code, a test and a page, all of its name`, () => {
    for (const ending of [".ts", ".test.ts", ".md"]) {
      assert.ok(existsSync(join(place, name + ending)), name + ending);
    }
    assert.equal(policy.name, name);
    assert.match(policy.summary, /^[A-Z].{10,100}\.$/);
    assert.ok(page.startsWith(`# ${name}\n`));
  });

  test(`${name}: its options are described, and unknown ones are refused`, () => {
    const { properties = {} } = z.toJSONSchema(policy.schema, { io: "input" });
    for (const [key, value] of Object.entries(properties)) {
      assert.ok(typeof value === "object" && value.description !== undefined, key);
    }
    const { error } = policy.schema.safeParse({ "no-such-option": 1 });
    assert.ok(error?.issues.some(({ code }) => code === "unrecognized_keys"));
    assert.match(optionsOf(policy), /^(\| key \||It has no options)/);
  });

  test(`${name}: without options the defaults hold, or it says which are missing`, () => {
    const parsed = policy.schema.safeParse({});
    const required = requiredOptions(policy.schema);
    assert.equal(parsed.success, required.length === 0, required.join(", "));
    if (!parsed.success) return;
    assert.deepEqual(policy.schema.parse(undefined), parsed.data, "the bare name");
    // Options go to workers, and `check --print` shows them.
    assert.deepEqual(structuredClone(parsed.data), parsed.data);
    assert.deepEqual(JSON.parse(JSON.stringify(parsed.data)), parsed.data);
    const hooks = Object.entries(policy.compile(parsed.data, testEnvironment(policy)));
    assert.ok(hooks.length > 0);
    for (const [hook, run] of hooks) {
      assert.ok(HOOKS.includes(hook) && typeof run === "function", hook);
    }
  });

  test(`${name}: its page shows it in configurations that have no mistakes, and that serve`, async () => {
    const examples = examplesIn(page);
    assert.ok(examples.some((example) => usedIn(example).includes(name)));
    for (const example of examples) {
      for (const { status, problem } of await runExample(example)) {
        assert.notEqual(problem?.name, "internal-error", JSON.stringify(example));
        assert.ok(status >= 200);
      }
    }
  });
}
