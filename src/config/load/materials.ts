import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import { unreadable } from "./read-source.ts";

/** Content of the PEM files a configuration names, by their path as it is written there. */
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

/**
 * Reads every certificate, key and CA file, relative to `folder`, and checks that they are what
 * they should be: keys match, certificates are in force (else a warning).
 */
export async function loadMaterials(
  config: Config,
  folder: string,
  now: Date = new Date(),
): Promise<{ materials: Materials; findings: Finding[] }> {
  const { pairs, authorities } = materialUses(config);
  const uses = [...pairs.flatMap(({ cert, key }) => [cert, key]), ...authorities];
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
  const materials: Materials = {};
  for (const [file, content] of contents)
    if (typeof content === "string") materials[file] = content;
  return { materials, findings };
}

/** The files the configuration names, as written. What a watcher has to watch beside the document. */
export function materialFiles(config: Config): string[] {
  const { pairs, authorities } = materialUses(config);
  const files = pairs.flatMap(({ cert, key }) => [cert.file, key.file]);
  return [...new Set([...files, ...authorities.map(({ file }) => file)])];
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
  for (const [name, { tls }] of Object.entries(config.services)) {
    const path = ["services", name, "tls"];
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

async function readPem(file: string, folder: string): Promise<string | Finding> {
  try {
    const content = await readFile(resolve(folder, file), "latin1");
    if (content.includes("-----BEGIN ")) return content;
    return mistakeAt([], `${file} is not a PEM file`, "convert it with openssl");
  } catch (error) {
    const hint = "paths are relative to the config file";
    return mistakeAt([], `${file}: ${unreadable(error as NodeJS.ErrnoException)}`, hint);
  }
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
