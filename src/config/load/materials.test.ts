import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { testCertificates, testPassphrase } from "../../../test/support/certificates.ts";
import { requires } from "../../../test/support/requires.ts";
import { definePolicy } from "../../policy/policy.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";
import type { ConfigInput } from "../config.ts";
import { knownPolicies } from "../known-policies.ts";
import { formatPath } from "../mistake.ts";
import { documentSchema } from "../schema/document.ts";
import { loadMaterials, materialFiles } from "./materials.ts";

const opensslMissing = requires("openssl");
const folder = await mkdtemp(join(tmpdir(), "gateward-materials-"));
after(() => rm(folder, { recursive: true }));

async function write(name: string, content: string): Promise<void> {
  await writeFile(join(folder, name), content);
}

async function load(input: ConfigInput, now?: Date) {
  const config = documentSchema(knownPolicies).parse(input);
  const { materials, findings } = await loadMaterials(
    config,
    now === undefined ? { folder } : { folder, now },
  );
  const sentences = findings.map(({ level, path, message, hint }) => {
    return `${level} ${formatPath(path)}: ${message}${hint === undefined ? "" : `; ${hint}`}`;
  });
  return { materials, sentences, files: materialFiles(config) };
}

function listening(tls: object): ConfigInput {
  return { listen: { port: 8443, tls } };
}

test(
  "materials: files are read relative to the document, once, under the path as written",
  {
    skip: opensslMissing,
  },
  async () => {
    const { exact, ca, client } = testCertificates();
    await write("server.pem", exact.cert);
    await write("server.key", exact.key);
    const { materials, sentences, files } = await load({
      listen: { port: 8443, tls: { cert: "server.pem", key: "server.key", ca: ca.certFile } },
      services: {
        a: {
          targets: ["https://a"],
          tls: { ca: ca.certFile, cert: client.certFile, key: client.keyFile },
        },
      },
    });
    assert.deepEqual(sentences, []);
    assert.deepEqual(materials, {
      "server.pem": exact.cert,
      "server.key": exact.key,
      [ca.certFile]: ca.cert,
      [client.certFile]: client.cert,
      [client.keyFile]: client.key,
    });
    assert.deepEqual(files.toSorted(), Object.keys(materials).toSorted());
  },
);

test(
  "materials: a key that belongs to another certificate is refused",
  {
    skip: opensslMissing,
  },
  async () => {
    const { exact, wildcard } = testCertificates();
    await write("a.pem", exact.cert);
    await write("b.key", wildcard.key);
    const { sentences } = await load(listening({ cert: "a.pem", key: "b.key" }));
    assert.deepEqual(sentences, [
      "error listen[0].tls.certificates[0].key: b.key is not the key of a.pem; " +
        "name the key the certificate was made for",
    ]);
  },
);

test(
  "materials: an encrypted key needs its passphrase, and the right one",
  {
    skip: opensslMissing,
  },
  async () => {
    const { certFile: cert, keyFile: key } = testCertificates().encrypted;
    const right = await load(listening({ cert, key, passphrase: testPassphrase }));
    assert.deepEqual(right.sentences, []);
    const none = await load(listening({ cert, key }));
    assert.match(none.sentences[0] ?? "", /is encrypted; add its passphrase$/);
    const wrong = await load(listening({ cert, key, passphrase: "wrong" }));
    assert.match(wrong.sentences[0] ?? "", /the passphrase does not open /);
  },
);

test(
  "materials: a certificate that is not in force is a warning, not an error",
  {
    skip: opensslMissing,
  },
  async () => {
    const { certFile: cert, keyFile: key } = testCertificates().exact;
    const late = await load(listening({ cert, key }), new Date("2200-01-01"));
    assert.match(late.sentences[0] ?? "", /^warning .* expired .*; renew it$/);
    const early = await load(listening({ cert, key }), new Date("2000-01-01"));
    assert.match(early.sentences[0] ?? "", /^warning .* is not valid before /);
  },
);

test(
  "materials: what is absent, or not what it should be, is told for each use",
  {
    skip: opensslMissing,
  },
  async () => {
    const { exact } = testCertificates();
    await write("text.pem", "hello");
    await write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    await write("only.key", exact.key);
    const { sentences } = await load({
      listen: [
        { port: 1, tls: { cert: "absent.pem", key: "only.key" } },
        { port: 2, tls: { cert: "text.pem", key: "only.key" } },
        { port: 3, tls: { cert: "broken.pem", key: "only.key" } },
        { port: 4, tls: { cert: "only.key", key: "broken.pem" } },
      ],
    });
    const path = (index: number, key: string) =>
      `error listen[${index}].tls.certificates[0].${key}: `;
    assert.deepEqual(sentences, [
      `${path(0, "cert")}absent.pem: there is no such file; paths are relative to the config file`,
      `${path(1, "cert")}text.pem is not a PEM file; convert it with openssl`,
      `${path(2, "cert")}broken.pem has a certificate that cannot be read`,
      `${path(3, "cert")}only.key holds no certificate; it begins with -----BEGIN CERTIFICATE-----`,
      `${path(3, "key")}broken.pem holds no private key; it begins with -----BEGIN PRIVATE KEY-----`,
    ]);
  },
);

test("materials: files that policies name are read as they are, and missed at the option that names them", async () => {
  const lists = definePolicy({
    name: "lists",
    summary: "Reads files.",
    schema: section({ files: listOf(text("a file"), "a file").describe("Files.") }),
    files: ({ files }) => files,
    compile: () => ({}),
  });
  const policies = { lists };
  await write("names.txt", "ann\nbø\n");
  const config = documentSchema(policies).parse({
    policies: [{ lists: { files: "names.txt" } }],
    routes: [
      { match: "/", respond: {}, policies: [{ lists: { files: ["names.txt", "none.txt"] } }] },
    ],
  });
  const { materials, findings } = await loadMaterials(config, { folder, policies });
  assert.deepEqual(materials, { "names.txt": "ann\nbø\n" });
  assert.deepEqual(
    findings.map(({ path, message }) => `${formatPath(path)}: ${message}`),
    ["routes[0].policies[0].lists.files[1]: none.txt: there is no such file"],
  );
  assert.deepEqual(materialFiles(config, policies), ["names.txt", "none.txt"]);
});
