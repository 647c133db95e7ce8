import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { testCertificates } from "../../test/support/certificates.ts";
import { requires } from "../../test/support/requires.ts";
import { type LoadedConfig, type LoadResult, loadConfig } from "./load-config.ts";

const DOCUMENT = `services: { users: "http://127.0.0.1:3001" }
routes:
  - { match: /users/*, service: users }
`;

interface Folder {
  file: string;
  load(before?: LoadedConfig): Promise<LoadResult>;
}

async function makeFolder(context: TestContext, name: string, text: string): Promise<Folder> {
  const folder = await mkdtemp(join(tmpdir(), "gateward-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, name);
  await writeFile(file, text);
  return { file, load: (before) => loadConfig({ file, folder, before }) };
}

test("loading: a document with the content it had before gives the same object", async (context) => {
  const { file, load } = await makeFolder(context, "gateward.yaml", DOCUMENT);
  const { loaded } = await load();
  assert.equal((await load(loaded)).loaded, loaded);
  await writeFile(file, DOCUMENT);
  assert.equal((await load(loaded)).loaded, loaded);
});

test("loading: a comment more makes the document read again", async (context) => {
  const { file, load } = await makeFolder(context, "gateward.yaml", DOCUMENT);
  const { loaded } = await load();
  await writeFile(file, `${DOCUMENT}# a comment`);
  const again = await load(loaded);
  assert.notEqual(again.loaded, loaded);
  assert.deepEqual(again.loaded!.config, loaded!.config);
});

test("loading: a refused document is refused again, with its mistakes", async (context) => {
  const { file, load } = await makeFolder(context, "gateward.yaml", DOCUMENT);
  const { loaded } = await load();
  await writeFile(file, "listen: nowhere\n");
  for (let time = 0; time < 2; time += 1) {
    const { loaded: refused, mistakes } = await load(loaded);
    assert.equal(refused, undefined);
    assert.equal(mistakes.length > 0, true);
  }
});

const skip = requires("openssl");

test("loading: a renewed certificate counts as a change", { skip }, async (context) => {
  const { localhostEcdsa, renewed } = testCertificates();
  const { file, load } = await makeFolder(context, "gateward.yaml", "");
  const [cert, key] = [`${file}.crt`, `${file}.key`];
  await copyFile(localhostEcdsa.certFile, cert);
  await copyFile(localhostEcdsa.keyFile, key);
  await writeFile(file, `listen: { port: 8443, tls: { cert: "${cert}", key: "${key}" } }\n`);
  const { loaded } = await load();
  assert.ok(loaded !== undefined);
  assert.equal((await load(loaded)).loaded, loaded);
  await copyFile(renewed.certFile, cert);
  await copyFile(renewed.keyFile, key);
  const again = await load(loaded);
  assert.notDeepEqual(again.loaded!.materials, loaded.materials);
});

test("loading: a document in TypeScript is always read, since what it imports may have changed", async (context) => {
  const { load } = await makeFolder(context, "gateward.ts", "export default { routes: [] };\n");
  const { loaded } = await load();
  assert.ok(loaded !== undefined);
  assert.notEqual((await load(loaded)).loaded, loaded);
});
