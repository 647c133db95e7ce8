import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkDependencyAdapters } from "./dependency-adapters.ts";
import { repositoryRoot, sourceFiles } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

test("dependencies: each is imported through its one adapter", () => {
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  assertNone(checkDependencyAdapters(sourceFiles(), Object.keys(manifest.dependencies)));
});

test("dependencies: an import past the adapter, of a stranger, and an unused one are reported", () => {
  const files = [
    { path: "src/base/log.ts", text: `import { pino } from "pino";` },
    { path: "src/cli/start.ts", text: `import { pino } from "pino";\nimport fs from "fs";` },
    { path: "src/cli/start.test.ts", text: `import ws from "ws";` },
  ];
  const adapters = { pino: "src/base/log.ts", zod: "everywhere" };
  const messages = checkDependencyAdapters(files, ["pino", "zod"], adapters).map(
    (one) => one.message,
  );
  assert.equal(messages.length, 3);
  assert.match(messages[0] ?? "", /imported by src\/base\/log\.ts only/);
  assert.match(messages[1] ?? "", /"fs" is not in the dependencies .*"node:fs"/);
  assert.match(messages[2] ?? "", /nothing in src imports the dependency zod/);
});

test("dependencies: one without an adapter is reported", () => {
  const files = [{ path: "src/base/log.ts", text: `import { pino } from "pino";` }];
  const [violation] = checkDependencyAdapters(files, ["pino"], {});
  assert.match(violation?.message ?? "", /name the one file/);
});
