/** Every configuration that is shown or shipped is one that `check` accepts. */
import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { knownPolicies } from "../../src/config/known-policies.ts";
import { substituteEnvironment } from "../../src/config/load/env.ts";
import { readSource } from "../../src/config/load/read-source.ts";
import { loadUserPolicies } from "../../src/config/load/user-policies.ts";
import { formatPath } from "../../src/config/mistake.ts";
import { documentSchema } from "../../src/config/schema/document.ts";
import { validate } from "../../src/config/validate.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gateward-documents-"));
after(() => rmSync(folder, { recursive: true }));

// The policy of their own that pages use.
const writing = readFileSync(join(root, "docs/guide/writing-a-policy.md"), "utf8");
writeFileSync(
  join(folder, "tenant.ts"),
  /^```ts\n(\/\/ tenant\.ts\n[\s\S]*?)^```$/m.exec(writing)![1]!,
);

const known = Object.keys(documentSchema(knownPolicies).in.shape);

/** Errors only: certificates in examples are not there, and a snippet may lack routes. */
async function errorsIn(file: string): Promise<string[]> {
  const source = await readSource(file);
  const { data, findings } = substituteEnvironment(source.data, {});
  const users = await loadUserPolicies(data, file);
  const policies = { ...knownPolicies, ...users.policies?.definitions };
  return [
    ...source.mistakes.map(({ line, message }) => `${line}: ${message}`),
    ...[...findings, ...users.findings, ...validate(data, policies).findings]
      .filter(({ level }) => level === "error")
      .map(({ path, message }) => `${formatPath(path)}: ${message}`),
  ];
}

/** Code blocks that are configurations: YAML that begins with a key of ours, modules that call us. */
function documentsIn(page: string): { text: string; extension: string }[] {
  const blocks = page.matchAll(/^( *)```(yaml|ts)\n([\s\S]*?)^ *```$/gm);
  return [...blocks].flatMap(([, indent = "", language = "", block = ""]) => {
    const text = block.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const first = /^([\w$]+):/m.exec(text)?.[1] ?? "";
    const isOurs = language === "ts" ? /defineGateway\(/.test(text) : known.includes(first);
    return isOurs ? [{ text, extension: language }] : [];
  });
}

const pages = globSync(["README.md", "docs/{guide,reference}/*.md", "src/policies/*/*.md"], {
  cwd: root,
});
for (const page of pages) {
  const documents = documentsIn(readFileSync(join(root, page), "utf8"));
  for (const [index, { text, extension }] of documents.entries()) {
    test(`documents: configuration ${index + 1} in ${page} has no mistakes`, async () => {
      const file = join(folder, `${page.replaceAll("/", "-")}-${index}.${extension}`);
      writeFileSync(file, text);
      assert.deepEqual(await errorsIn(file), []);
    });
  }
}

for (const example of globSync("examples/**/gateward*.{yaml,json,ts}", { cwd: root })) {
  test(`documents: ${example} has no mistakes`, async () => {
    assert.deepEqual(await errorsIn(join(root, example)), []);
  });
}

test("documents: the guide shows some", () => {
  assert.ok(pages.includes(join("docs", "guide", "configuration.md")));
  const guide = readFileSync(join(root, "docs/guide/configuration.md"), "utf8");
  assert.ok(documentsIn(guide).length >= 7);
});
