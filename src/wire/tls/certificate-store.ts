/**
 * certificate-store: which certificate a client is shown, by the server name it asks for.
 *
 * Exact names win over wildcards, wildcards over the default, which is the first certificate.
 * Where certificates with different kinds of key (RSA, ECDSA) are for one name, the client gets one
 * that it can verify. A store never changes: new certificates are a new store, and connections
 * already made keep what they were made with.
 */
import { createSecureContext } from "node:tls";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { parseCertificate } from "./certificate.ts";
import type { Certificate, CertificateSource } from "./certificate.ts";

interface Loaded {
  readonly certificate: Certificate;
  readonly context: SecureContext;
}

export class CertificateStore {
  /** Options with the certificates for clients that ask for no name, or for an unknown one. */
  readonly defaultOptions: SecureContextOptions;
  readonly certificates: readonly Certificate[];
  /** Those of `defaultOptions`. */
  readonly #default: readonly Loaded[];
  /** By name; of each kind of key the first, because OpenSSL holds one for each. */
  readonly #exact = new Map<string, readonly Loaded[]>();
  /** By what follows the `*`, with its dot: `.example.com`. */
  readonly #wildcard = new Map<string, readonly Loaded[]>();

  /**
   * @param shared options that all contexts have in common: versions, ciphers, CA, ticket keys.
   * @throws Error naming the certificate that cannot be read, or whose key does not belong to it.
   */
  constructor(sources: readonly CertificateSource[], shared: SecureContextOptions) {
    this.certificates = sources.map(parseCertificate);
    const all = this.certificates.map((certificate) => load(certificate, shared));
    const first = all[0];
    if (first === undefined) throw new Error("a TLS listener needs at least one certificate");
    for (const host of new Set(this.certificates.flatMap(({ hosts }) => hosts))) {
      if (host.startsWith("*.")) this.#wildcard.set(host.slice(1), firstOfEachKind(all, host));
      else this.#exact.set(host, firstOfEachKind(all, host));
    }
    const host = first.certificate.hosts[0];
    this.#default = host === undefined ? [first] : firstOfEachKind(all, host);
    const certificates = this.#default.map(({ certificate }) => certificate);
    this.defaultOptions = { ...shared, ...contextOptions(certificates) };
  }

  /**
   * The context for a server name as the client sent it; undefined leaves it to the default.
   *
   * @param signatures what the client can verify, best first, as `getSharedSigalgs` lists it. A
   * context chosen by name can bring only one certificate in Node, so that choice is made here.
   */
  select(serverName: string, signatures: readonly string[]): SecureContext | undefined {
    const found = this.#find(serverName);
    if (found === undefined || sameCertificates(found, this.#default)) return undefined;
    if (found.length > 1) {
      for (const signature of signatures) {
        for (const { certificate, context } of found) {
          if (canSign(certificate.keyType, signature)) return context;
        }
      }
    }
    return found[0]?.context;
  }

  #find(serverName: string): readonly Loaded[] | undefined {
    let name = serverName.toLowerCase();
    if (name.endsWith(".")) name = name.slice(0, -1);
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf(".");
    return dot > 0 ? this.#wildcard.get(name.slice(dot)) : undefined;
  }
}

function load(certificate: Certificate, shared: SecureContextOptions): Loaded {
  try {
    const context = createSecureContext({ ...shared, ...contextOptions([certificate]) });
    return { certificate, context };
  } catch (error) {
    throw new Error(`${certificate.label}: ${(error as Error).message}`, { cause: error });
  }
}

function firstOfEachKind(all: readonly Loaded[], host: string): Loaded[] {
  const byKeyType = new Map<string, Loaded>();
  for (const loaded of all) {
    const { hosts, keyType } = loaded.certificate;
    if (hosts.includes(host) && !byKeyType.has(keyType)) byKeyType.set(keyType, loaded);
  }
  return [...byKeyType.values()];
}

function sameCertificates(some: readonly Loaded[], others: readonly Loaded[]): boolean {
  return some.length === others.length && some.every((loaded, index) => loaded === others[index]);
}

/** @param signature for instance `ECDSA+SHA256` or `RSA-PSS+SHA256`. */
function canSign(keyType: string, signature: string): boolean {
  switch (keyType) {
    case "ec":
      return signature.startsWith("ECDSA+");
    case "rsa":
      return signature.startsWith("RSA+") || signature.startsWith("RSA-PSS+");
    default:
      return signature.toLowerCase().startsWith(`${keyType}+`);
  }
}

function contextOptions(certificates: readonly Certificate[]): SecureContextOptions {
  return {
    cert: certificates.map(({ source }) => source.cert),
    key: certificates.map(({ source }) =>
      source.passphrase === undefined
        ? { pem: source.key }
        : { pem: source.key, passphrase: source.passphrase },
    ),
  };
}
