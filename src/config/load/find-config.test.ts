import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CONFIG_NAMES, findConfig } from "./find-config.ts";
import { readSource } from "./read-source.ts";

const folder = await mkdtemp(join(tmpdir(), "gateward-config-"));
after(() => rm(folder, { recursive: true }));

test("finding the document: the names are tried in order, from YAML to TypeScript", async () => {
  assert.equal(await findConfig(folder, undefined), undefined);
  for (const name of CONFIG_NAMES.toReversed()) {
    await writeFile(join(folder, name), "");
    assert.equal(await findConfig(folder, undefined), join(folder, name));
  }
});

test("finding the document: the one that is given is taken, there or not", async () => {
  assert.equal(await findConfig(folder, "other.yaml"), join(folder, "other.yaml"));
});

async function messageOf(file: string): Promise<string> {
  const { mistakes } = await readSource(join(folder, file));
  return mistakes[0]?.message ?? "no mistake";
}

test("reading the document: what cannot be read is a mistake, not a crash", async () => {
  await writeFile(join(folder, "latin.yaml"), Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  await writeFile(join(folder, "config.toml"), "a = 1");
  assert.equal(await messageOf("absent.yaml"), "there is no such file");
  assert.equal(await messageOf("latin.yaml"), "not UTF-8");
  assert.equal(await messageOf("config.toml"), ".toml says no kind of document");
  assert.equal(await messageOf("."), "no ending says no kind of document");
});
