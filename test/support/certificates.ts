/**
 * certificates: real certificates for tests, made once a day by openssl in a temporary folder that
 * all test processes share.
 */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

interface Recipe {
  readonly name: string;
  readonly subject: string;
  readonly key: "rsa" | "ecdsa";
  readonly issuer?: string;
  readonly hosts?: string;
  readonly usage?: "serverAuth" | "clientAuth";
  readonly passphrase?: string;
}

/** Passphrase of the key of `encrypted`. */
export const testPassphrase = "correct horse";

const recipes = [
  { name: "ca", subject: "/CN=Test CA", key: "ecdsa" },
  { name: "otherCa", subject: "/CN=Other test CA", key: "ecdsa" },
  server("localhostRsa", "rsa", "DNS:localhost,IP:127.0.0.1,IP:::1"),
  server("localhostEcdsa", "ecdsa", "DNS:localhost,IP:127.0.0.1,IP:::1"),
  server("exact", "ecdsa", "DNS:api.example.com"),
  server("exactRsa", "rsa", "DNS:api.example.com"),
  server("wildcard", "ecdsa", "DNS:*.example.com,DNS:example.com"),
  server("renewed", "ecdsa", "DNS:localhost,IP:127.0.0.1,IP:::1"),
  { ...server("encrypted", "rsa", "DNS:encrypted.example.com"), passphrase: testPassphrase },
  { ...server("stranger", "ecdsa", "DNS:localhost,IP:127.0.0.1"), issuer: "otherCa" },
  { name: "noSan", subject: "/CN=plain.example.com", key: "ecdsa", issuer: "ca" },
  client("client", "ca"),
  client("strangerClient", "otherCa"),
] as const satisfies Recipe[];

function server<Name extends string>(name: Name, key: "rsa" | "ecdsa", hosts: string) {
  return { name, subject: `/CN=${name}`, key, issuer: "ca", hosts, usage: "serverAuth" } as const;
}

function client<Name extends string>(name: Name, issuer: string) {
  return { name, subject: `/CN=${name}`, key: "ecdsa", issuer, usage: "clientAuth" } as const;
}

export type TestCertificates = Readonly<Record<(typeof recipes)[number]["name"], TestCertificate>>;

let made: TestCertificates | undefined;

/**
 * All test certificates; made by the first caller of the day. Tests that use them are to have
 * `{ skip: requires("openssl") }`.
 */
export function testCertificates(): TestCertificates {
  made ??= readAll(ensureFolder());
  return made;
}

function ensureFolder(): string {
  // The recipes are part of the name, so that changing them makes new certificates.
  const hash = Buffer.from(JSON.stringify(recipes)).reduce((sum, byte) => (sum * 31 + byte) | 0, 7);
  const prefix = `gateward-certificates-${userInfo().uid}-`;
  const name = `${prefix}${new Date().toISOString().slice(0, 10)}-${(hash >>> 0).toString(36)}`;
  const folder = join(tmpdir(), name);
  if (existsSync(folder)) return requireOwned(folder);
  const draft = mkdtempSync(join(tmpdir(), "gateward-draft-"));
  for (const recipe of recipes) makeCertificate(draft, recipe);
  try {
    renameSync(draft, folder);
  } catch {
    // Another test process was faster; its certificates are as good.
    rmSync(draft, { recursive: true, force: true });
  }
  removeOld(prefix, name);
  return requireOwned(folder);
}

function requireOwned(folder: string): string {
  const { uid } = statSync(folder);
  if (uid !== userInfo().uid) throw new Error(`${folder} belongs to another user`);
  return folder;
}

function removeOld(prefix: string, current: string): void {
  const dayMs = 24 * 3600 * 1000;
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix) || name === current) continue;
    const folder = join(tmpdir(), name);
    const ageMs = Date.now() - statSync(folder).mtimeMs;
    if (ageMs > dayMs) rmSync(folder, { recursive: true, force: true });
  }
}

function makeCertificate(folder: string, recipe: Recipe): void {
  const at = (file: string) => join(folder, file);
  const keyFile = at(`${recipe.name}.key`);
  const algorithm =
    recipe.key === "rsa"
      ? ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
      : ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const cipher = recipe.passphrase ? ["-aes256", "-pass", `pass:${recipe.passphrase}`] : [];
  const passIn = recipe.passphrase ? ["-passin", `pass:${recipe.passphrase}`] : [];
  openssl("genpkey", ...algorithm, ...cipher, "-out", keyFile);

  const request = at(`${recipe.name}.csr`);
  const config = at("openssl.cnf");
  writeFileSync(config, "[req]\ndistinguished_name = dn\n[dn]\n");
  const req = ["req", "-new", "-sha256", "-config", config, "-subj", recipe.subject];
  openssl(...req, "-key", keyFile, ...passIn, "-out", request);

  const extensions = at(`${recipe.name}.ext`);
  writeFileSync(extensions, extensionsOf(recipe));
  const issuer = recipe.issuer
    ? ["-CA", at(`${recipe.issuer}.crt`), "-CAkey", at(`${recipe.issuer}.key`)]
    : ["-signkey", keyFile];
  const serial = `0x${Buffer.from(recipe.name).toString("hex").slice(0, 30)}`;
  const x509 = ["x509", "-req", "-sha256", "-days", "7", "-set_serial", serial];
  openssl(...x509, "-in", request, ...issuer, "-extfile", extensions, "-out", certOf(at, recipe));
}

function certOf(at: (file: string) => string, recipe: Recipe): string {
  return at(`${recipe.name}.crt`);
}

function extensionsOf(recipe: Recipe): string {
  if (!recipe.issuer) return "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
  let text = "basicConstraints=critical,CA:FALSE\n";
  if (recipe.usage) text += `extendedKeyUsage=${recipe.usage}\n`;
  if (recipe.hosts) text += `subjectAltName=${recipe.hosts}\n`;
  return text;
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function readAll(folder: string): TestCertificates {
  const all: Record<string, TestCertificate> = {};
  for (const { name } of recipes) {
    const certFile = join(folder, `${name}.crt`);
    const keyFile = join(folder, `${name}.key`);
    const cert = readFileSync(certFile, "utf8");
    all[name] = { cert, key: readFileSync(keyFile, "utf8"), certFile, keyFile };
  }
  return all as unknown as TestCertificates;
}
