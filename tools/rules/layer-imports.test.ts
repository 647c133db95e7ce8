import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { allowedImports } from "./allowed-imports.ts";
import { importsOf, packageOf } from "./imports-of.ts";
import { checkLayerImports } from "./layer-imports.ts";
import { repositoryRoot, sourceFiles } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

const allowed = { base: [], wire: ["base"], policies: ["policy"], policy: [] };

function objections(path: string, text: string): string[] {
  return checkLayerImports([{ path, text }], allowed).map((one) => one.message);
}

test("layers: every folder of src imports only what it may", () => {
  assertNone(checkLayerImports(sourceFiles()));
});

test("layers: every folder of src is in the list, and nothing else is allowed", () => {
  const folders = sourceFiles().flatMap(({ path }) => /^src\/([^/]+)\//.exec(path)?.[1] ?? []);
  const unknown = [...new Set(folders)].filter((folder) => !(folder in allowedImports));
  assert.deepEqual(unknown, [], "add these to tools/rules/allowed-imports.ts");
});

test("layers: an import against the arrows is reported with its line and what to do", () => {
  const text = `import a from "./a.ts";\nimport type { B } from "../wire/b.ts";\n`;
  const [violation] = checkLayerImports([{ path: "src/base/x.ts", text }], allowed);
  assert.equal(violation?.line, 2);
  assert.match(violation.message, /src\/base may not import src\/wire \(only nothing\): turn/);
});

test("layers: dynamic imports and worker addresses count, comments do not", () => {
  assert.equal(objections("src/base/x.ts", `await import("../wire/b.ts")`).length, 1);
  assert.equal(objections("src/base/x.ts", `new URL("../wire/b.ts", import.meta.url)`).length, 1);
  assert.deepEqual(objections("src/base/x.ts", `// import "../wire/b.ts"`), []);
});

test("layers: a policy may import the contract, not another policy", () => {
  assert.deepEqual(objections("src/policies/a/a.ts", `import "../../policy/define.ts"`), []);
  assert.equal(objections("src/policies/a/a.ts", `import "../b/b.ts"`).length, 1);
  assert.deepEqual(objections("src/policies/index.ts", `import "./b/b.ts"`), []);
});

test("layers: src imports neither tests nor what lies outside of it; tests import all", () => {
  assert.match(objections("src/base/x.ts", `import "./y.test.ts"`)[0] ?? "", /imports a test/);
  assert.match(objections("src/base/x.ts", `import "../../tools/y.ts"`)[0] ?? "", /may not import/);
  assert.deepEqual(objections("src/base/x.test.ts", `import "../wire/y.ts"`), []);
});

test("imports: every file that is imported exists, with its ending", () => {
  const broken = sourceFiles().flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => target !== undefined && !existsSync(join(repositoryRoot, target)))
      .map((one) => ({ path: file.path, line: one.line, message: `no file ${one.target}` })),
  );
  assertNone(broken);
});

test("imports: a worker's address counts, with and without its ending, a folder's does not", () => {
  const addresses = [`"./a.ts"`, "`./b${ending}`", "`../c/${name}`", `"../.."`, `"./data.json"`];
  const text = addresses.map((one) => `new URL(${one}, import.meta.url);`).join("\n");
  const targets = importsOf({ path: "src/x/x.ts", text }).map((one) => one.target);
  assert.deepEqual(targets, ["src/x/a.ts", "src/x/b.ts"]);
});

test("imports: the package of a specifier", () => {
  const specifiers = ["zod/v4", "@a/b/c", "node:net", "./a.ts", "#policy"];
  assert.deepEqual(specifiers.map(packageOf), ["zod", "@a/b", undefined, undefined, undefined]);
});
