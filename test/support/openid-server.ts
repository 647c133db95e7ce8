/** openid-server: a real OpenID provider, `oidc-provider`, on a free port of loopback. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cleanup } from "./cleanup.ts";

export interface OpenidServerOptions {
  readonly clients: readonly Readonly<Record<string, unknown>>[];
  /** Seconds. */
  readonly accessTokenTtl?: number;
  /** Claims of each user beside `sub`, which is the name that was typed in. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const LIBRARY: string = "oidc-provider";

/** What tests need of the library, which has no types of its own. */
interface Library {
  callback(): RequestListener;
  on(event: string, listener: (context: LibraryContext) => void): void;
  Grant: new (facts: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
}

interface LibraryContext {
  readonly oidc: {
    readonly params: Readonly<Record<string, unknown>>;
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
    readonly provider: Library;
  };
}

export interface OpenidServer {
  readonly issuer: string;
  /** Clients and kinds of grants for which tokens were given, in order: `shop refresh_token`. */
  readonly grants: string[];
  /** From now on nobody is answered, until `open`. */
  close(): void;
  open(): void;
}

/** Starts it; its login page takes any name and password, and asks for no consent. */
export async function startOpenidServer(
  t: Cleanup,
  { clients, accessTokenTtl = 3600, claims = {} }: OpenidServerOptions,
): Promise<OpenidServer> {
  let listener: RequestListener = (_, response) => response.end();
  let isOpen = true;
  const server = createServer((request, response) => {
    if (isOpen) listener(request, response);
    else request.socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = await quietly(async () => {
    // Named by a variable: it has no types.
    const { default: Provider } = (await import(LIBRARY)) as {
      default: new (issuer: string, settings: object) => Library;
    };
    return new Provider(issuer, {
      clients,
      cookies: { keys: ["only for tests"] },
      claims: { openid: ["sub", ...Object.keys(claims)], email: ["email"], profile: ["name"] },
      conformIdTokenClaims: false,
      features: {
        devInteractions: { enabled: true },
        revocation: { enabled: true, allowedPolicy: () => true },
      },
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@example.com`, ...claims }),
      }),
      issueRefreshToken: () => true,
      // A second use of a refresh token ends everything that came of it.
      rotateRefreshToken: () => true,
      loadExistingGrant: grantAll,
      pkce: { required: () => true },
      ttl: {
        AccessToken: accessTokenTtl,
        Grant: 3600,
        IdToken: 3600,
        Interaction: 3600,
        RefreshToken: 3600,
        Session: 3600,
      },
    });
  });
  listener = provider.callback();
  const grants: string[] = [];
  provider.on("grant.success", ({ oidc }) => {
    grants.push(`${oidc.client.clientId} ${String(oidc.params["grant_type"])}`);
  });
  return { issuer, grants, close: () => (isOpen = false), open: () => (isOpen = true) };
}

async function grantAll({ oidc }: LibraryContext): Promise<object> {
  const { client, session, provider } = oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid email profile offline_access");
  await grant.save();
  return grant;
}

/** It warns of what a test means to do: keys, pages and a store that nobody should go live with. */
async function quietly<Made>(make: () => Promise<Made>): Promise<Made> {
  const { warn, info } = console;
  console.warn = console.info = () => {};
  try {
    return await make();
  } finally {
    console.warn = warn;
    console.info = info;
  }
}
