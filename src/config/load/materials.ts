import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import { policyFiles } from "../policy-uses.ts";
import type { PolicySchemas } from "../schema/policy-use.ts";
import { unreadable } from "./read-source.ts";

/** Content of the PEM files and of the files of policies that a configuration names, by their path as it is written there. */
export type Materials = Record<string, string>;

interface Use {
  file: string;
  path: DocumentPath;
}

interface KeyPair {
  cert: Use;
  key: Use;
  passphrase: string | undefined;
}

/** Where the files are, whose they are beside the configuration's own, and when it is. */
export interface MaterialsContext {
  folder: string;
  policies?: PolicySchemas;
  now?: Date;
}

/** A file of a policy that is longer was meant for something else. */
const POLICY_FILE_BYTES_MAX = 32 * 2 ** 20;

/**
 * Reads every certificate, key and CA file, relative to `folder`, and checks that they are what
 * they should be: keys match, certificates are in force (else a warning). Files that policies name are read
 * as they are.
 */
export async function loadMaterials(
  config: Config,
  { folder, policies = {}, now = new Date() }: MaterialsContext,
): Promise<{ materials: Materials; findings: Finding[] }> {
  const { pairs, authorities } = materialUses(config);
  const publicKeys = publicKeyUses(config);
  const uses = [...pairs.flatMap(({ cert, key }) => [cert, key]), ...authorities, ...publicKeys];
  const contents = new Map<string, string | Finding>();
  await Promise.all(
    [...new Set(uses.map(({ file }) => file))].map(async (file) => {
      contents.set(file, await readPem(file, folder));
    }),
  );
  const findings: Finding[] = [];
  /** The content, or undefined after saying why there is none. */
  const contentOf = ({ file, path }: Use): string | undefined => {
    const content = contents.get(file)!;
    if (typeof content === "string") return content;
    findings.push({ ...content, path });
    return undefined;
  };
  for (const pair of pairs)
    findings.push(...checkPair(pair, contentOf(pair.cert), contentOf(pair.key), now));
  for (const use of authorities) {
    const pem = contentOf(use);
    if (pem !== undefined) findings.push(...checkCertificates(pem, use, now).findings);
  }
  for (const use of publicKeys) {
    const pem = contentOf(use);
    if (pem !== undefined) findings.push(...checkPublicKey(pem, use));
  }
  const materials: Materials = {};
  for (const { file, path } of policyFiles(config, policies)) {
    if (Object.hasOwn(materials, file)) continue;
    const content = await readText(file, folder);
    if (typeof content === "string") materials[file] = content;
    else findings.push({ ...content, path });
  }
  for (const [file, content] of contents)
    if (typeof content === "string") materials[file] = content;
  return { materials, findings };
}

/** The files the configuration names, as written. What a watcher has to watch beside the document. */
export function materialFiles(config: Config, policies: PolicySchemas = {}): string[] {
  const { pairs, authorities } = materialUses(config);
  const files = pairs.flatMap(({ cert, key }) => [cert.file, key.file]);
  const ofPolicies = policyFiles(config, policies).map(({ file }) => file);
  const others = [...authorities, ...publicKeyUses(config)].map(({ file }) => file);
  return [...new Set([...files, ...others, ...ofPolicies])];
}

function materialUses(config: Config): { pairs: KeyPair[]; authorities: Use[] } {
  const pairs: KeyPair[] = [];
  const authorities: Use[] = [];
  for (const [index, { tls }] of config.listen.entries()) {
    if (tls === undefined) continue;
    for (const [position, { cert, key, passphrase }] of tls.certificates.entries()) {
      const path = ["listen", index, "tls", "certificates", position];
      pairs.push({
        cert: { file: cert, path: [...path, "cert"] },
        key: { file: key, path: [...path, "key"] },
        passphrase,
      });
    }
    if (tls.ca !== undefined)
      authorities.push({ file: tls.ca, path: ["listen", index, "tls", "ca"] });
  }
  for (const { tls, path } of clientTls(config)) {
    if (tls.ca !== undefined) authorities.push({ file: tls.ca, path: [...path, "ca"] });
    if (tls.cert === undefined || tls.key === undefined) continue;
    pairs.push({
      cert: { file: tls.cert, path: [...path, "cert"] },
      key: { file: tls.key, path: [...path, "key"] },
      passphrase: undefined,
    });
  }
  return { pairs, authorities };
}

/** Where the gateway is the client. */
function clientTls(config: Config) {
  const { services, redis } = config;
  const found = Object.entries(services).map(([name, { tls }]) => {
    return { tls, path: ["services", name, "tls"] };
  });
  if (redis === undefined || redis.tls === false) return found;
  return [...found, { tls: redis.tls, path: ["redis", "tls"] }];
}

/** Keys of consumers that are files; the others are PEM text in the document. */
function publicKeyUses({ consumers }: Config): Use[] {
  return Object.entries(consumers).flatMap(([name, { signatures }]) =>
    signatures.flatMap(({ publicKey }, index) => {
      if (publicKey === "" || publicKey.includes("-----BEGIN ")) return [];
      return [{ file: publicKey, path: ["consumers", name, "signatures", index, "publicKey"] }];
    }),
  );
}

function checkPublicKey(pem: string, { file, path }: Use): Finding[] {
  try {
    createPublicKey(pem);
    return [];
  } catch {
    return [
      mistakeAt(path, `${file} holds no public key`, "it begins with -----BEGIN PUBLIC KEY-----"),
    ];
  }
}

async function readPem(file: string, folder: string): Promise<string | Finding> {
  try {
    const content = await readFile(resolve(folder, file), "latin1");
    if (content.includes("-----BEGIN ")) return content;
    return mistakeAt([], `${file} is not a PEM file`, "convert it with openssl");
  } catch (error) {
    return unreadableFile(file, error);
  }
}

async function readText(file: string, folder: string): Promise<string | Finding> {
  try {
    const path = resolve(folder, file);
    const { size } = await stat(path);
    if (size <= POLICY_FILE_BYTES_MAX) return await readFile(path, "utf8");
    return mistakeAt([], `${file} has ${size} bytes`, `at most ${POLICY_FILE_BYTES_MAX}`);
  } catch (error) {
    return unreadableFile(file, error);
  }
}

function unreadableFile(file: string, error: unknown): Finding {
  const hint = "paths are relative to the config file";
  return mistakeAt([], `${file}: ${unreadable(error as NodeJS.ErrnoException)}`, hint);
}

function checkPair(
  { cert, key, passphrase }: KeyPair,
  certPem: string | undefined,
  keyPem: string | undefined,
  now: Date,
): Finding[] {
  const findings: Finding[] = [];
  const checked = certPem === undefined ? undefined : checkCertificates(certPem, cert, now);
  if (checked !== undefined) findings.push(...checked.findings);
  if (keyPem === undefined) return findings;
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({
      key: keyPem,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  } catch (error) {
    findings.push(keyRefused(key, passphrase, error as Error));
    return findings;
  }
  const leaf = checked?.certificates[0];
  if (leaf !== undefined && !leaf.checkPrivateKey(privateKey)) {
    const hint = "name the key the certificate was made for";
    findings.push(mistakeAt(key.path, `${key.file} is not the key of ${cert.file}`, hint));
  }
  return findings;
}

function keyRefused(key: Use, passphrase: string | undefined, error: Error): Finding {
  const isEncrypted = /passphrase|bad decrypt|interrupted or cancelled/i.test(error.message);
  if (isEncrypted && passphrase === undefined) {
    return mistakeAt(key.path, `${key.file} is encrypted`, "add its passphrase");
  }
  if (isEncrypted) return mistakeAt(key.path, `the passphrase does not open ${key.file}`);
  return mistakeAt(
    key.path,
    `${key.file} holds no private key`,
    "it begins with -----BEGIN PRIVATE KEY-----",
  );
}

function checkCertificates(
  pem: string,
  { file, path }: Use,
  now: Date,
): { certificates: X509Certificate[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      findings.push(mistakeAt(path, `${file} has a certificate that cannot be read`));
    }
  }
  if (blocks.length === 0) {
    const hint = "it begins with -----BEGIN CERTIFICATE-----";
    findings.push(mistakeAt(path, `${file} holds no certificate`, hint));
  }
  for (const certificate of certificates) {
    const name = certificate.subject?.replaceAll("\n", ", ") ?? "";
    if (certificate.validToDate < now) {
      const when = certificate.validToDate.toISOString();
      findings.push(
        warningAt(path, `the certificate ${name} in ${file} expired ${when}`, "renew it"),
      );
    } else if (certificate.validFromDate > now) {
      const when = certificate.validFromDate.toISOString();
      findings.push(
        warningAt(path, `the certificate ${name} in ${file} is not valid before ${when}`),
      );
    }
  }
  return { certificates, findings };
}
