import type { ServiceConfig } from "../config/config.ts";
import { ClientTls } from "../wire/tls/client-tls.ts";

export interface Security {
  tls: ClientTls;
  /** Everything that decides whom a connection trusts and as whom it speaks. */
  identity: string;
}

/** Contexts kept: as many as there are services with TLS of their own, and those of the last reload. */
const KEPT_MAX = 256;

/** TLS towards services, by what was configured: equal settings share contexts and sessions. */
export class ClientSecurity {
  private readonly kept = new Map<string, Security>();

  /** @throws Error that names the file when certificate, key or authorities cannot be used. */
  of(config: ServiceConfig, materials: Readonly<Record<string, string>>): Security {
    const { ca, cert, key } = config.tls;
    const contents = [ca, cert, key].map((path) => (path === undefined ? "" : materials[path]));
    const identity = JSON.stringify([config.tls, config.http2, contents]);
    let security = this.kept.get(identity);
    if (security === undefined) {
      security = { tls: new ClientTls(config.tls, materials, config.http2), identity };
    } else {
      this.kept.delete(identity);
    }
    this.kept.set(identity, security);
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value!);
    return security;
  }
}
