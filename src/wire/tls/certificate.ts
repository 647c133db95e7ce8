/**
 * certificate: one certificate of a listener, checked: readable, and its key belongs to it.
 */
import { X509Certificate, createPrivateKey } from "node:crypto";

export interface CertificateSource {
  /** PEM: the certificate, followed by intermediate ones. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  readonly passphrase?: string | undefined;
  /** Names to serve it for (`a.example`, `*.example`); else those in the certificate. */
  readonly hosts?: readonly string[] | undefined;
  /** What to call it in an error, for instance its file. */
  readonly label?: string | undefined;
}

/** A certificate as an operator wants to see it listed. */
export interface Certificate {
  readonly source: CertificateSource;
  readonly label: string;
  /** Lower-case. */
  readonly hosts: readonly string[];
  /** `rsa`, `ec`, `ed25519`... */
  readonly keyType: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * @param index position in the list, for the label when the source has none.
 * @throws Error that begins with the label.
 */
export function parseCertificate(source: CertificateSource, index = 0): Certificate {
  const label = source.label ?? `certificate ${index + 1}`;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(source.cert);
  } catch (error) {
    throw new Error(`${label}: not a certificate in PEM form`, { cause: error });
  }
  requireKeyOf(certificate, source, label);
  const hosts = source.hosts ?? certificateHosts(certificate);
  return {
    source,
    label,
    hosts: hosts.map((host) => host.toLowerCase()),
    keyType: certificate.publicKey.asymmetricKeyType ?? "unknown",
    expiresAtMs: Date.parse(certificate.validTo),
  };
}

const dnsName = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;

/** The DNS names in the certificate; its common name when it has no alternative names at all. */
export function certificateHosts(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName;
  if (names === undefined) {
    const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
    return dnsName.test(commonName) ? [commonName] : [];
  }
  // Node quotes names that hold a comma or a quote; no DNS name does, so those fail the pattern.
  return names
    .split(", ")
    .filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice(4))
    .filter((name) => dnsName.test(name));
}

/** OpenSSL itself accepts a key of another kind in silence, and then fails every handshake. */
function requireKeyOf(
  certificate: X509Certificate,
  source: CertificateSource,
  label: string,
): void {
  const { key, passphrase } = source;
  let fits: boolean;
  try {
    const privateKey = createPrivateKey(passphrase === undefined ? key : { key, passphrase });
    fits = certificate.checkPrivateKey(privateKey);
  } catch (error) {
    throw new Error(`${label}: ${keyProblem(source)}`, { cause: error });
  }
  if (!fits) throw new Error(`${label}: the key does not belong to it`);
}

function keyProblem({ key, passphrase }: CertificateSource): string {
  // "BEGIN ENCRYPTED PRIVATE KEY" (PKCS #8) or "Proc-Type: 4,ENCRYPTED" (older).
  if (!key.includes("ENCRYPTED")) return "its key is not a private key in PEM form";
  return passphrase === undefined
    ? "the key needs a passphrase"
    : "the key cannot be read with this passphrase";
}
