import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateFiles } from "./proxy.ts";

/** Makes a self-signed ECDSA P-256 certificate for localhost with the openssl command. */
export function createCertificate(folder: string): CertificateFiles {
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const both = join(folder, "both.pem");
  const options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(
    " ",
  );
  const subject = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1".split(
    " ",
  );
  const args = [...options, ...subject, "-keyout", key, "-out", cert];
  const made = spawnSync("openssl", args, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`openssl made no certificate:\n${made.stderr}`);
  writeFileSync(both, readFileSync(cert, "utf8") + readFileSync(key, "utf8"));
  return { cert, key, both };
}
