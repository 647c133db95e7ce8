import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPageLinks } from "./page-links.ts";
import { repositoryFiles } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

const guide = { path: "docs/guide.md", text: "# Guide\n\n## Who wins: `a`, or b?\n" };

function linesReported(text: string, path = "README.md"): number[] {
  const code = { path: "src/wire/transport.ts", text: "" };
  const there = ["docs", "docs/guide.md", "README.md", "LICENSE"];
  const violations = checkPageLinks([{ path, text }, guide, code], (file) => there.includes(file));
  return violations.map(({ line = 0 }) => line);
}

test("page links: all lead somewhere", () => {
  assertNone(checkPageLinks(repositoryFiles()));
});

test("page links: files, folders, headings and other sites are fine", () => {
  const good = [
    "docs/",
    "LICENSE",
    "docs/guide.md",
    "docs/guide.md#who-wins-a-or-b",
    "https://a.example/#x",
  ];
  assert.deepEqual(linesReported(good.map((target) => `[x](${target})`).join("\n")), []);
  assert.deepEqual(linesReported("# Here\n[x](#here)"), []);
  assert.deepEqual(linesReported("[x](../README.md)", "docs/other.md"), []);
});

test("page links: a file or a heading that is not there is reported with its line", () => {
  assert.deepEqual(linesReported("\n[x](docs/guides.md) [y](docs/guide.md#who)"), [2, 2]);
  assert.deepEqual(linesReported("[x](README.md)", "docs/other.md"), [1]);
});

test("page links: what stands in a code block is no link", () => {
  assert.deepEqual(linesReported("```md\n[x](nowhere.md)\n```\n[y](nowhere.md)"), [4]);
});

test("page links: files that the architecture names exist", () => {
  const text = "`wire/transport.ts`, `transport.ts`\n`wire/transports.ts`, `proxy/transport.ts`";
  assert.deepEqual(linesReported(text, "ARCHITECTURE.md"), [2, 2]);
});
