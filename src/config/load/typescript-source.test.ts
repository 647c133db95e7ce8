import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readTypescript } from "./typescript-source.ts";

const folder = await mkdtemp(join(tmpdir(), "gateward-config-"));
after(() => rm(folder, { recursive: true }));

let count = 0;

async function read(text: string, others: Record<string, string> = {}) {
  const file = join(folder, `gateward-${count++}.ts`);
  await writeFile(file, text);
  for (const [name, content] of Object.entries(others))
    await writeFile(join(folder, name), content);
  return readTypescript(file, text);
}

/** `line:column message; hint` of the only mistake. */
async function mistakeIn(text: string, others?: Record<string, string>): Promise<string> {
  const { mistakes } = await read(text, others);
  assert.equal(mistakes.length, 1);
  const { line, column, message, hint } = mistakes[0]!;
  return `${line}:${column} ${message}${hint === undefined ? "" : `; ${hint}`}`;
}

test("TypeScript: the default export is the document, and types are stripped", async () => {
  const { data, mistakes } = await read(`
    interface Options { port: number }
    const options: Options = { port: 8080 };
    export default { listen: options.port };
  `);
  assert.deepEqual(mistakes, []);
  assert.deepEqual(data, { listen: 8080 });
});

test("TypeScript: defineGateway comes from the package's name, without an installed package", async () => {
  const { data } = await read(`
    import { defineGateway } from "gateward";
    export default defineGateway({ listen: 8080 });
  `);
  assert.deepEqual(data, { listen: 8080 });
});

test("TypeScript: a promise is waited for", async () => {
  const { data } = await read("export default Promise.resolve({ listen: 8080 });");
  assert.deepEqual(data, { listen: 8080 });
});

test("TypeScript: each load reads the imported files anew", async () => {
  const text = 'import { port } from "./port.ts"; export default { listen: port };';
  const first = await read(text, { "port.ts": "export const port = 1;" });
  const second = await read(text, { "port.ts": "export const port = 2;" });
  assert.deepEqual([first.data, second.data], [{ listen: 1 }, { listen: 2 }]);
  assert.deepEqual(second.imports, [join(folder, "port.ts")]);
});

test("TypeScript: imports are named even when the document fails", async () => {
  const text = 'import { port } from "./broken.ts"; export default { listen: port };';
  const { mistakes, imports } = await read(text, { "broken.ts": "export const port = ;" });
  assert.equal(mistakes[0]?.file, join(folder, "broken.ts"));
  assert.equal(mistakes[0]?.line, 1);
  assert.deepEqual(imports, [join(folder, "broken.ts")]);
});

const broken: readonly (readonly [string, string, string])[] = [
  ["a slip of syntax", "export default {\n  listen: ,\n};", "2:11 Expression expected"],
  [
    "an enum",
    "enum A { b }\nexport default {};",
    "1:1 TypeScript enum is not supported in strip-only mode",
  ],
  [
    "what throws",
    "const none: any = undefined;\nexport default { listen: none.port };",
    "2:31 TypeError: Cannot read properties of undefined (reading 'port')",
  ],
  [
    "an import of nothing",
    'import a from "./nowhere.ts";\nexport default a;',
    '1:15 cannot find "./nowhere.ts"',
  ],
  ["an unknown package", 'import a from "nopkg";\nexport default a;', '1:15 cannot find "nopkg"'],
  [
    "no default export",
    "export const a = 1;",
    "1:20 no default export; write export default defineGateway({ … })",
  ],
  [
    "a function",
    "export default {\n  routes: [{ respond: { body: () => 1 } }],\n};",
    "2:31 a function in the configuration; only plain values, as in JSON",
  ],
  [
    "an instance",
    "const at = { time: new Date() };\nexport default { a: 1, b: at };",
    "2:27 an instance of Date in the configuration; only plain values, as in JSON",
  ],
  [
    "a value in itself",
    "const a: any = { b: 1 };\na.a = a;\nexport default a;",
    "1:16 a value that contains itself; only plain values, as in JSON",
  ],
  [
    "what ends the process",
    "process.exit(3);",
    "1:1 the document ended its thread, or took over 30s",
  ],
];

for (const [what, text, sentence] of broken) {
  test(`TypeScript: ${what} is a mistake with a place`, async () => {
    assert.equal(await mistakeIn(text), sentence);
  });
}

test("TypeScript: parts of a literal have places, also when it is a constant first", async () => {
  const direct = await read("export default {\n  listen: 8080,\n};");
  assert.deepEqual(direct.locate(["listen"], false), { line: 2, column: 11 });
  const named = await read("const config: object = {\n  listen: 8080,\n};\nexport default config;");
  assert.deepEqual(named.locate(["listen"], true), { line: 2, column: 3 });
});
