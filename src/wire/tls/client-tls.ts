/**
 * client-tls: how connections to the targets of one service are secured.
 */
import { checkServerIdentity, createSecureContext } from "node:tls";
import type {
  ConnectionOptions,
  PeerCertificate,
  SecureContext,
  SecureContextOptions,
} from "node:tls";
import { isIP } from "node:net";
import { parseCertificate } from "./certificate.ts";
import { material } from "./tls-server-options.ts";

/** The normalised `tls` section of a service. */
export interface ClientTlsConfig {
  /** Names an entry of the materials; else the authorities that Node trusts. */
  readonly ca?: string | undefined;
  /** The name to ask for and to check; else the host of the target. */
  readonly serverName?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  /** False accepts any certificate. */
  readonly verify: boolean;
}

/** Sessions kept for each service; a target beyond that makes full handshakes. */
const sessionsMax = 1024;

/**
 * Owned by what outlives a snapshot, looked up by equal config: the sessions it keeps were verified
 * under that config and must not serve another.
 */
export class ClientTls {
  readonly #context: SecureContext;
  readonly #serverName: string | undefined;
  readonly #verify: boolean;
  readonly #protocols: string[];
  /** Latest session by target; the least recently renewed comes first. */
  readonly #sessions = new Map<string, Buffer>();

  /**
   * @param http2 offer only `h2`, else only `http/1.1`.
   * @throws Error that names the file when one is missing or cannot be used.
   */
  constructor(
    config: ClientTlsConfig,
    materials: Readonly<Record<string, string>>,
    http2: boolean,
  ) {
    this.#serverName = config.serverName;
    this.#verify = config.verify;
    this.#protocols = http2 ? ["h2"] : ["http/1.1"];
    this.#context = createSecureContext(contextOptions(config, materials));
  }

  /**
   * Options for `tls.connect`, to be completed with where to connect (`host` and `port`, `path` or
   * `socket`). The caller must check `alpnProtocol` when it wants HTTP/2.
   *
   * @param target identity of the target, under which its session is kept.
   * @param host the target's host as configured: a name or an address, without brackets.
   */
  connectOptions(target: string, host: string): ConnectionOptions {
    const name = this.#serverName ?? host;
    const options: ConnectionOptions = {
      secureContext: this.#context,
      ALPNProtocols: this.#protocols,
      rejectUnauthorized: this.#verify,
      // An address is no server name (RFC 6066, section 3), but it is checked all the same.
      servername: isIP(name) === 0 ? name : "",
      checkServerIdentity: (_: string, certificate: PeerCertificate) =>
        checkServerIdentity(name, certificate),
    };
    const session = this.#sessions.get(target);
    if (session !== undefined) options.session = session;
    return options;
  }

  /** To be called with each `session` event of a connection to the target. */
  keepSession(target: string, session: Buffer): void {
    this.#sessions.delete(target);
    if (this.#sessions.size >= sessionsMax) {
      for (const oldest of this.#sessions.keys()) {
        this.#sessions.delete(oldest);
        break;
      }
    }
    this.#sessions.set(target, session);
  }

  /** To be called when a handshake with the target fails, and when the target is gone. */
  dropSession(target: string): void {
    this.#sessions.delete(target);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }
}

function contextOptions(
  config: ClientTlsConfig,
  materials: Readonly<Record<string, string>>,
): SecureContextOptions {
  const options: SecureContextOptions = { minVersion: "TLSv1.2" };
  if (config.ca !== undefined) options.ca = material(materials, config.ca);
  if (config.cert !== undefined && config.key !== undefined) {
    const { cert, passphrase } = config;
    const source = { cert: material(materials, cert), key: material(materials, config.key) };
    parseCertificate({ ...source, passphrase, label: cert });
    Object.assign(options, source);
    if (passphrase !== undefined) options.passphrase = passphrase;
  }
  return options;
}
