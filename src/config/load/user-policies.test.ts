import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig, type LoadedConfig } from "../load-config.ts";
import { formatMistake } from "../mistake.ts";
import { importPolicies } from "./policy-modules.ts";

const STAMP = `
import { definePolicy, section, text } from "gateward";
import { word } from "./word.ts";
export default definePolicy({
  name: "stamp",
  summary: "Says a word.",
  schema: section({ more: text("a word").prefault("!").describe("More.") }).prefault({}),
  compile: ({ more }: { more: string }) => ({
    onRequest(exchange) { exchange.request.fields.set("x-word", word + more); },
  }),
});
`;

const DOCUMENT = `
services: { a: "http://127.0.0.1:1" }
policies:
  - ./own/stamp.ts: { more: "?" }
routes: [{ match: /, service: a }]
`;

/** Writes files into a new folder, and loads its gateward.yaml. */
function folderOf(t: TestContext, files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "gateward-own-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const load = (before?: LoadedConfig) =>
    loadConfig({
      file: join(folder, "gateward.yaml"),
      folder,
      before,
    });
  return { folder, write, load };
}

test("own policies: a file is a policy under its path, with what it imports", async (t) => {
  const { folder, load } = folderOf(t, {
    "gateward.yaml": DOCUMENT,
    "own/stamp.ts": STAMP,
    "own/word.ts": `export const word: string = "hello";`,
  });
  const { loaded, mistakes, files } = await load();
  assert.deepEqual(mistakes.map(formatMistake), []);
  const [use] = loaded!.config.policies;
  assert.deepEqual(use, { name: "./own/stamp.ts", options: { more: "?" } });
  const { definitions, modules, folders } = loaded!.userPolicies!;
  assert.equal(definitions["./own/stamp.ts"]!.name, "stamp");
  assert.deepEqual(folders, [join(folder, "own")]);
  const shown = files.map((file) => relative(folder, file)).sort();
  assert.deepEqual(shown, ["gateward.yaml", "own/stamp.ts", "own/word.ts"]);
  const imported = await importPolicies(modules);
  assert.equal(imported["./own/stamp.ts"], definitions["./own/stamp.ts"]);
});

test("own policies: a change of what they import makes new ones, no change the same", async (t) => {
  const { write, load } = folderOf(t, {
    "gateward.yaml": DOCUMENT,
    "own/stamp.ts": STAMP,
    "own/word.ts": `export const word = "one";`,
  });
  const { loaded: first } = await load();
  assert.equal((await load(first)).loaded, first);
  write("own/word.ts", `export const word = "two";`);
  const { loaded: second } = await load(first);
  assert.notDeepEqual(second!.userPolicies!.modules, first!.userPolicies!.modules);
  assert.notEqual(wordOf(second!), wordOf(first!));
  assert.equal((await load(second)).loaded, second);
  write("own/word.ts", `export const word = "one";`);
  assert.equal(wordOf((await load(second)).loaded!), wordOf(first!));
});

/** The header that the policy sets. */
function wordOf({ userPolicies }: LoadedConfig): string {
  const hooks = userPolicies!.definitions["./own/stamp.ts"]!.compile({ more: "" }, {} as never);
  let word = "";
  const fields = { set: (_: string, value: string) => (word = value) };
  void hooks.onRequest?.({ request: { fields } } as never);
  return word;
}

test("own policies: a package is found from the document's folder", async (t) => {
  const { load } = folderOf(t, {
    "gateward.yaml": DOCUMENT.replace("./own/stamp.ts", "'@acme/gateward-stamp'"),
    "node_modules/@acme/gateward-stamp/package.json": `{
      "name": "@acme/gateward-stamp", "type": "module", "exports": "./lib/index.js" }`,
    "node_modules/@acme/gateward-stamp/lib/index.js": STAMP.replace(".ts", ".js")
      .replace("{ more: string }", "any")
      .replace("./word.ts", "./word.js")
      .replace(": any", ""),
    "node_modules/@acme/gateward-stamp/lib/word.js": `export const word = "packed";`,
  });
  const { loaded, mistakes } = await load();
  assert.deepEqual(mistakes.map(formatMistake), []);
  assert.equal(loaded!.userPolicies!.definitions["@acme/gateward-stamp"]!.name, "stamp");
  assert.deepEqual(loaded!.userPolicies!.folders, []);
});

const BROKEN: readonly (readonly [title: string, text: string, message: RegExp])[] = [
  ["syntax", "export default {\n  name: ;\n};", /cannot be loaded: .* \(own\/stamp\.ts:2:9\)$/],
  ["an error", 'const a = 1;\nthrow new Error("no " + a);', /loaded: no 1 \(own\/stamp\.ts:2:7\)$/],
  ["an import", 'import "./nothing.ts";', /cannot find "\.\/nothing\.ts" \(own\/stamp\.ts:1:8\)$/],
  ["no export", "export const a = 1;", /stamp\.ts has no default export; write export default/],
  ["no policy", "export default 5;", /exports something else than a policy/],
  ["no compile", "export default { name: 'x' };", /exports no policy: compile is missing/],
  ["no schema", "export default { name: 'x', compile() {} };", /its schema is missing/],
  [
    "another zod",
    "export default { name: 'x', compile() {}, schema: { parse() {} } };",
    /has a schema of another zod; import \{ z \} from "gateward"$/,
  ],
  ["a taken name", STAMP.replace('"stamp"', '"request-id"'), /is called request-id, as one that/],
  ["an odd name", STAMP.replace('"stamp"', '"Stamp"'), /has no name in kebab-case/],
];

for (const [title, text, message] of BROKEN) {
  test(`own policies: ${title} is one mistake, where the policy is used`, async (t) => {
    const word = { "own/word.ts": `export const word = "x";` };
    const { load, write } = folderOf(t, {
      "gateward.yaml": DOCUMENT,
      "own/stamp.ts": text,
      ...word,
    });
    const { loaded, mistakes } = await load();
    assert.equal(loaded, undefined);
    const [line, ...more] = mistakes.map(formatMistake);
    assert.deepEqual(more, []);
    assert.match(line!, message);
    assert.match(line!, /^gateward\.yaml:4:5 policies\[0\]\["\.\/own\/stamp\.ts"\]: /);
    write("own/stamp.ts", STAMP);
    assert.deepEqual((await load()).mistakes.map(formatMistake), []);
  });
}

test("own policies: what is imported in vain may come later", async (t) => {
  const { load, write } = folderOf(t, { "gateward.yaml": DOCUMENT, "own/stamp.ts": STAMP });
  assert.equal((await load()).loaded, undefined);
  write("own/word.ts", `export const word = "late";`);
  assert.deepEqual((await load()).mistakes, []);
});

test("own policies: no file and no package are mistakes, wherever they stand", async (t) => {
  const { load } = folderOf(t, {
    "gateward.yaml": `
services: { a: { targets: ["http://127.0.0.1:1"], policies: [./nowhere.ts] } }
policies: [requestid, { any-of: [gateward-nowhere] }]
routes: [{ match: /, service: a }]
`,
  });
  const { mistakes, files } = await load();
  assert.deepEqual(mistakes.map(formatMistake), [
    "gateward.yaml:2:62 services.a.policies[0]: ./nowhere.ts: there is no such file; paths are relative to the config file",
    'gateward.yaml:3:12 policies[0]: no policy named "requestid"; did you mean "request-id"?',
    'gateward.yaml:3:34 policies[1].any-of[0]: expected an authenticator, all-of, or anonymous, found "gateward-nowhere"; write its name, or a map of its name to its options',
  ]);
  assert.equal(files.length, 2);
});
