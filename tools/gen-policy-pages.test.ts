import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { definePolicy } from "../src/policy/policy.ts";
import { duration } from "../src/policy/values/duration.ts";
import { section } from "../src/policy/values/section.ts";
import { OPTIONS_BEGIN, OPTIONS_END, optionsOf, withOptions } from "./gen-policy-pages.ts";

function policyWith(schema: z.ZodType) {
  return definePolicy({ name: "sample", summary: "A sample.", schema, compile: () => ({}) });
}

test("policy page: the table names each option, its kind, its default and what it is for", () => {
  const table = optionsOf(
    policyWith(
      section({
        window: duration().prefault("1m").describe("How long."),
        by: section({ header: z.string().describe("A name.") }).describe("What counts."),
      }),
    ),
  );
  assert.match(table, /^\| `window` \| duration \| `1m` \| How long\. \|$/m);
  assert.match(table, /^\| \[`by`\]\(#by\) \| map \| required \| What counts\. \|$/m);
  assert.match(table, /^### by\n\n.*\n.*\n\| `header` \| string \| required \| A name\. \|$/m);
  assert.equal(optionsOf(policyWith(section({}).prefault({}))), "It has no options.\n");
});

test("policy page: only what stands between the markers is written anew", () => {
  const page = `# sample\n\n${OPTIONS_BEGIN}\nold\n${OPTIONS_END}\nafter\n`;
  const fresh = withOptions(page, "new\n");
  assert.equal(fresh, `# sample\n\n${OPTIONS_BEGIN}\n\nnew\n\n${OPTIONS_END}\nafter\n`);
  assert.equal(withOptions(fresh, "new\n"), fresh);
  assert.throws(() => withOptions("# sample\n", "new\n"), /has no lines/);
});
