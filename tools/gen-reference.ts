/**
 * gen-reference: writes docs/reference/config.md and docs/reference/gateward.schema.json from the
 * configuration's schema. `node tools/gen-reference.ts` writes them; with `--check` it writes
 * nothing and fails when they differ from the schema, as its test does.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { knownPolicies } from "../src/config/known-policies.ts";
import { configPage } from "./config-page.ts";

const root = join(import.meta.dirname, "..");

interface GeneratedFile {
  path: string;
  content(): string;
}

/** Files made from the schema, by their path in the repository. */
export const referenceFiles: readonly GeneratedFile[] = [
  {
    path: "docs/reference/gateward.schema.json",
    content: () => `${JSON.stringify(configJsonSchema(knownPolicies), null, 2)}\n`,
  },
  { path: "docs/reference/config.md", content: () => configPage(knownPolicies) },
];

/** The paths of those that are not what the schema says. */
export function staleReferenceFiles(): string[] {
  return referenceFiles
    .filter(({ path, content }) => readIfThere(path) !== content())
    .map(({ path }) => path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(placeOf(path), "utf8");
  } catch {
    return undefined;
  }
}

function placeOf(path: string): string {
  return join(root, path);
}

if (import.meta.main) {
  const stale = staleReferenceFiles();
  if (process.argv.includes("--check")) {
    for (const path of stale) console.error(`${path} is stale: run node tools/gen-reference.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const { path, content } of referenceFiles) {
      if (stale.includes(path)) writeFileSync(placeOf(path), content());
    }
  }
}
