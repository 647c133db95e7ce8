/**
 * certificate-store: which certificate a client is shown, by the server name it asks for.
 *
 * Exact names win over wildcards, wildcards over the default, which is the first certificate.
 * Certificates with different kinds of key (RSA, ECDSA) for one name are offered together, and the
 * handshake takes the one that the client can verify. A store never changes: new certificates are
 * a new store, and connections already made keep what they were made with.
 */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { SecureContext, SecureContextOptions } from "node:tls";

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

/** One certificate as an operator wants to see it listed. */
export interface CertificateFacts {
  readonly label: string;
  readonly hosts: readonly string[];
  /** `rsa`, `ec`, `ed25519`... */
  readonly keyType: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

interface Entry extends CertificateFacts {
  readonly source: CertificateSource;
}

export class CertificateStore {
  /** The context for clients that ask for no name, or for one that no certificate covers. */
  readonly defaultContext: SecureContext;
  /** The cert and key options of the default, for APIs that build their own context. */
  readonly defaultOptions: SecureContextOptions;
  readonly certificates: readonly CertificateFacts[];
  readonly #exact = new Map<string, SecureContext>();
  /** By what follows the `*`, with its dot: `.example.com`. */
  readonly #wildcard = new Map<string, SecureContext>();

  /**
   * @param shared options that all contexts have in common: versions, ciphers, CA, ticket keys.
   * @throws Error naming the certificate that cannot be read, or whose key does not belong to it.
   */
  constructor(sources: readonly CertificateSource[], shared: SecureContextOptions) {
    const entries = sources.map(parseCertificate);
    const first = entries[0];
    if (first === undefined) throw new Error("a TLS listener needs at least one certificate");
    const groups = new ContextGroups(entries, shared);
    for (const host of new Set(entries.flatMap((entry) => entry.hosts))) {
      const context = groups.contextFor(groups.entriesFor(host));
      if (host.startsWith("*.")) this.#wildcard.set(host.slice(1), context);
      else this.#exact.set(host, context);
    }
    const host = first.hosts[0];
    const group = host === undefined ? [first] : groups.entriesFor(host);
    this.defaultContext = groups.contextFor(group);
    this.defaultOptions = { ...shared, ...certificateOptions(group) };
    this.certificates = entries.map(({ label, hosts, keyType, expiresAtMs }) => ({
      label,
      hosts,
      keyType,
      expiresAtMs,
    }));
  }

  /** The context for a server name as the client sent it. */
  select(serverName: string): SecureContext {
    let name = serverName.toLowerCase();
    if (name.endsWith(".")) name = name.slice(0, -1);
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf(".");
    const wildcard = dot > 0 ? this.#wildcard.get(name.slice(dot)) : undefined;
    return wildcard ?? this.defaultContext;
  }
}

/** Builds one context for each distinct set of certificates. */
class ContextGroups {
  readonly #entries: readonly Entry[];
  readonly #shared: SecureContextOptions;
  readonly #contexts = new Map<string, SecureContext>();

  constructor(entries: readonly Entry[], shared: SecureContextOptions) {
    this.#entries = entries;
    this.#shared = shared;
  }

  /** The certificates for a name, the first of each kind of key: OpenSSL holds one for each. */
  entriesFor(host: string): Entry[] {
    const byKeyType = new Map<string, Entry>();
    for (const entry of this.#entries) {
      if (entry.hosts.includes(host) && !byKeyType.has(entry.keyType)) {
        byKeyType.set(entry.keyType, entry);
      }
    }
    return [...byKeyType.values()];
  }

  contextFor(entries: readonly Entry[]): SecureContext {
    const id = entries.map((entry) => this.#entries.indexOf(entry)).join();
    let context = this.#contexts.get(id);
    if (context === undefined) {
      context = this.#build(entries);
      this.#contexts.set(id, context);
    }
    return context;
  }

  #build(entries: readonly Entry[]): SecureContext {
    try {
      return createSecureContext({ ...this.#shared, ...certificateOptions(entries) });
    } catch (error) {
      const labels = entries.map((entry) => entry.label).join(", ");
      throw new Error(`${labels}: ${(error as Error).message}`, { cause: error });
    }
  }
}

function certificateOptions(entries: readonly Entry[]): SecureContextOptions {
  return {
    cert: entries.map(({ source }) => source.cert),
    key: entries.map(({ source }) =>
      source.passphrase === undefined
        ? { pem: source.key }
        : { pem: source.key, passphrase: source.passphrase },
    ),
  };
}

function parseCertificate(source: CertificateSource, index: number): Entry {
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
