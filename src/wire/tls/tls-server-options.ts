/**
 * tls-server-options: from a listener's `tls` section to the options of a `node:tls` server.
 */
import { constants, createHash } from "node:crypto";
import type {
  SecureContext,
  SecureContextOptions,
  SecureVersion,
  TLSSocket,
  TlsOptions,
} from "node:tls";
import { CertificateStore } from "./certificate-store.ts";
import type { CertificateSource } from "./certificate.ts";

/** The normalised `tls` section of a listener. */
export interface TlsListenerConfig {
  /** `cert` and `key` name entries of the materials. */
  readonly certificates: readonly {
    readonly cert: string;
    readonly key: string;
    readonly passphrase?: string | undefined;
    readonly hosts?: readonly string[] | undefined;
  }[];
  readonly minVersion: "1.2" | "1.3";
  readonly clientAuth: "none" | "request" | "require";
  /** Names an entry of the materials: the authorities that client certificates come from. */
  readonly ca?: string | undefined;
  readonly ciphers?: string | undefined;
}

export interface TlsServerSettings {
  /** PEM by the name (the path) the config uses for it. */
  readonly materials: Readonly<Record<string, string>>;
  /**
   * 48 random bytes, the same in every worker, so that a session that one worker began can be
   * resumed on another. Node holds one key at a time: when it changes, clients that come back with
   * an older ticket make a full handshake.
   */
  readonly ticketKeys: Uint8Array;
  /** Offer `h2` before `http/1.1`. */
  readonly http2: boolean;
  readonly handshakeTimeoutMs: number;
}

/** Length of `ticketKeys`, a number that node:tls prescribes. */
export const ticketKeysBytes = 48;

/**
 * The store and the options for `tls.createServer`; equal for every certificate of the listener,
 * so all of them ask for client certificates, versions and ciphers alike.
 *
 * A client certificate that is not trusted ends the handshake with `require`; with `request` the
 * connection goes on and its `authorized` is false.
 *
 * @throws Error that names the file when one is missing, unreadable or does not fit its key.
 */
export function tlsServerOptions(
  config: TlsListenerConfig,
  settings: TlsServerSettings,
): { options: TlsOptions; store: CertificateStore } {
  const wantsClientCertificate = config.clientAuth !== "none";
  if (wantsClientCertificate && config.ca === undefined) {
    throw new Error("client certificates cannot be checked without `ca`");
  }
  const shared = sharedContextOptions(config, settings);
  const store = new CertificateStore(sourcesOf(config, settings.materials), shared);
  const options: TlsOptions = {
    ...store.defaultOptions,
    ALPNProtocols: settings.http2 ? ["h2", "http/1.1"] : ["http/1.1"],
    requestCert: wantsClientCertificate,
    rejectUnauthorized: config.clientAuth === "require",
    handshakeTimeout: settings.handshakeTimeoutMs,
    SNICallback: sniCallback(store),
  };
  return { options, store };
}

/** Looks up PEM by the name the config uses. */
export function material(materials: Readonly<Record<string, string>>, name: string): string {
  const pem = Object.hasOwn(materials, name) ? materials[name] : undefined;
  if (pem === undefined) throw new Error(`${name}: not loaded`);
  return pem;
}

function sniCallback(store: CertificateStore) {
  // Node calls it as a method of the connection, though it does not say so in its documentation:
  // without that, the first of several certificates for a name is as good as any.
  return function selectByName(
    this: TLSSocket | undefined,
    serverName: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): void {
    done(null, store.select(serverName, this?.getSharedSigalgs() ?? []));
  };
}

function sourcesOf(
  config: TlsListenerConfig,
  materials: Readonly<Record<string, string>>,
): CertificateSource[] {
  return config.certificates.map(({ cert, key, passphrase, hosts }) => ({
    cert: material(materials, cert),
    key: material(materials, key),
    passphrase,
    hosts,
    label: cert,
  }));
}

function sharedContextOptions(
  config: TlsListenerConfig,
  settings: TlsServerSettings,
): SecureContextOptions {
  const ca = config.ca === undefined ? undefined : material(settings.materials, config.ca);
  const options: SecureContextOptions = {
    minVersion: `TLSv${config.minVersion}` satisfies SecureVersion,
    // The client knows whether it has AES in hardware; all offered ciphers are good.
    honorCipherOrder: false,
    // Renegotiation (TLS 1.2) lets a client demand handshakes at will, and no HTTP client needs it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: sessionIdContext(config, ca),
    ticketKeys: Buffer.from(settings.ticketKeys),
  };
  if (ca !== undefined) options.ca = ca;
  if (config.ciphers !== undefined) options.ciphers = config.ciphers;
  return options;
}

/**
 * A session is resumed only under the same demands on the client: a resumed one does not show its
 * certificate again, so a ticket from before `ca` changed must not carry over.
 */
function sessionIdContext(config: TlsListenerConfig, ca: string | undefined): string {
  const demands = `${config.clientAuth}\n${config.minVersion}\n${ca ?? ""}`;
  return createHash("sha256").update(demands).digest("hex").slice(0, 32);
}
