import type * as OpenidClient from "openid-client";
import type { Clock, PolicyEnvironment } from "../../policy/environment.ts";
import { ProviderFailure } from "./provider-failure.ts";

const TIMEOUT_MS = 5000;
/** After a failure nobody asks again for so long: a provider in trouble is not helped by a crowd. */
const RETRY_MS = 1000;
/** Metadata older than that are fetched anew, while the old ones serve. */
const METADATA_MS = 3_600_000;

export interface ProviderEndpoints {
  readonly authorization: string;
  readonly token: string;
  readonly jwks: string;
  readonly userinfo?: string | undefined;
  readonly endSession?: string | undefined;
  readonly revocation?: string | undefined;
}

export interface ProviderSettings {
  readonly issuer: string;
  /** null: asked of the issuer. */
  readonly endpoints: ProviderEndpoints | null;
  readonly clientId: string;
  /** "" for a public client. */
  readonly clientSecret: string;
  readonly clientAuth: "basic" | "post";
  readonly leewayMs: number;
  readonly allowsHttp: boolean;
}

/** What the provider gives; tokens that it did not give are "". */
export interface Tokens {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** 0 where it was not said. */
  readonly accessLifeMs: number;
  readonly scope: string;
  /** Of the ID token; null without one. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

export interface CodeChecks {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** What is known of the provider once it has been asked. */
interface Known {
  readonly client: typeof OpenidClient;
  readonly config: OpenidClient.Configuration;
  readonly metadata: OpenidClient.ServerMetadata;
  readonly atMs: number;
}

/**
 * An OpenID provider, seen by its client. The one place that knows the library. Nothing is asked before the
 * first sign-in, so that a gateway starts also while its provider is down.
 */
export class OpenidProvider implements Disposable {
  private readonly settings: ProviderSettings;
  private readonly environment: Pick<PolicyEnvironment, "fetch"> & { readonly clock: Clock };
  private known: Known | null = null;
  private asking: Promise<void> | null = null;
  private failure: ProviderFailure | null = null;
  private failedAtMs = 0;

  constructor(
    settings: ProviderSettings,
    environment: Pick<PolicyEnvironment, "fetch"> & { readonly clock: Clock },
  ) {
    this.settings = settings;
    this.environment = environment;
  }

  /** The methods that need no promise may be called. */
  get isReady(): boolean {
    const { known } = this;
    if (known === null) return false;
    if (this.environment.clock.now() - known.atMs > METADATA_MS) this.ask().catch(() => {});
    return true;
  }

  /** @throws ProviderFailure */
  async ready(): Promise<void> {
    if (this.isReady) return;
    await this.ask();
  }

  /** Only once it is ready. */
  authorizationUrl(parameters: Readonly<Record<string, string>>): string {
    const { client, config } = this.known!;
    return client.buildAuthorizationUrl(config, { ...parameters }).href;
  }

  /** null where the provider has no such page, or is not known yet. */
  endSessionUrl(parameters: Readonly<Record<string, string>>): string | null {
    const { known } = this;
    if (known === null || known.metadata.end_session_endpoint === undefined) return null;
    return known.client.buildEndSessionUrl(known.config, { ...parameters }).href;
  }

  /**
   * Makes tokens of the answer to an authorization request (RFC 6749 section 4.1, RFC 7636, RFC 9207,
   * OpenID Connect Core section 3.1.3.7).
   *
   * @param url with which the browser came back
   * @throws ProviderFailure
   */
  async tokensFor(url: string, checks: CodeChecks): Promise<Tokens> {
    return await this.run(async ({ client, config }) => {
      const answer = await client.authorizationCodeGrant(config, new URL(url), {
        expectedState: checks.state,
        expectedNonce: checks.nonce,
        pkceCodeVerifier: checks.codeVerifier,
        idTokenExpected: true,
      });
      return tokensIn(answer);
    });
  }

  /** @throws ProviderFailure */
  async renewedTokens(refreshToken: string): Promise<Tokens> {
    return await this.run(async ({ client, config }) =>
      tokensIn(await client.refreshTokenGrant(config, refreshToken)),
    );
  }

  /** @throws ProviderFailure also when it is about another `subject` */
  async userinfo(accessToken: string, subject: string): Promise<Readonly<Record<string, unknown>>> {
    return await this.run(({ client, config }) =>
      client.fetchUserInfo(config, accessToken, subject),
    );
  }

  /** Where the provider takes tokens back (RFC 7009); else nothing. @throws ProviderFailure */
  async revoke(token: string): Promise<void> {
    await this.run(async ({ client, config, metadata }) => {
      if (metadata.revocation_endpoint === undefined) return;
      await client.tokenRevocation(config, token, { token_type_hint: "refresh_token" });
    });
  }

  [Symbol.dispose](): void {}

  private async run<Result>(ask: (known: Known) => Promise<Result>): Promise<Result> {
    await this.ready();
    const known = this.known!;
    try {
      return await ask(known);
    } catch (error) {
      throw failureOf(error, known.client);
    }
  }

  private ask(): Promise<void> {
    const { failure } = this;
    const now = this.environment.clock.now();
    if (failure !== null && now - this.failedAtMs < RETRY_MS) return Promise.reject(failure);
    this.asking ??= this.find().then(
      (known) => {
        this.asking = null;
        this.failure = null;
        this.known = known;
      },
      (error: unknown) => {
        this.asking = null;
        this.failedAtMs = this.environment.clock.now();
        this.failure = failureOf(error, null);
        throw this.failure;
      },
    );
    return this.asking;
  }

  private async find(): Promise<Known> {
    const client = await import("openid-client");
    const { settings } = this;
    const { issuer, endpoints, clientId, allowsHttp, leewayMs } = settings;
    const clientMetadata = { [client.clockTolerance]: leewayMs / 1000 };
    const execute = [client.enableNonRepudiationChecks];
    if (allowsHttp) execute.push(client.allowInsecureRequests);
    const fetch = (url: string, options: OpenidClient.CustomFetchOptions): Promise<Response> =>
      this.fetch(url, options);
    let config: OpenidClient.Configuration;
    if (endpoints === null) {
      const options = { [client.customFetch]: fetch, execute, timeout: TIMEOUT_MS / 1000 };
      const auth = authOf(client, settings);
      config = await client.discovery(new URL(issuer), clientId, clientMetadata, auth, options);
    } else {
      const metadata = metadataOf(issuer, endpoints);
      config = new client.Configuration(
        metadata,
        clientId,
        clientMetadata,
        authOf(client, settings),
      );
      config[client.customFetch] = fetch;
      config.timeout = TIMEOUT_MS / 1000;
      for (const extension of execute) extension(config);
    }
    const atMs = this.environment.clock.now();
    return { client, config, metadata: config.serverMetadata(), atMs };
  }

  private async fetch(url: string, options: OpenidClient.CustomFetchOptions): Promise<Response> {
    const { method, headers, body } = options;
    const isText = typeof body === "string" || body instanceof URLSearchParams;
    let answer;
    try {
      answer = await this.environment.fetch({
        url,
        method,
        headers,
        ...(isText ? { body: body.toString() } : {}),
        timeoutMs: TIMEOUT_MS,
      });
    } catch (error) {
      throw new Away(error instanceof Error ? error.message : "no answer");
    }
    const { status } = answer;
    if (status >= 500 || status === 429) {
      throw new Away(`${new URL(url).host} answered ${status}`);
    }
    const kept: Record<string, string> = {};
    for (const name of ["content-type", "www-authenticate"]) {
      const value = answer.header(name);
      if (value !== undefined) kept[name] = value;
    }
    const isBodiless = status === 204 || status === 205 || status === 304;
    return new Response(isBodiless ? null : new Uint8Array(answer.body), { status, headers: kept });
  }
}

/** A TypeError, because the library lets only those through as they are. */
class Away extends TypeError {}

function authOf(
  client: typeof OpenidClient,
  { clientSecret, clientAuth }: ProviderSettings,
): OpenidClient.ClientAuth {
  if (clientSecret === "") return client.None();
  return clientAuth === "post"
    ? client.ClientSecretPost(clientSecret)
    : client.ClientSecretBasic(clientSecret);
}

const SIGNING_ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

function metadataOf(issuer: string, endpoints: ProviderEndpoints): OpenidClient.ServerMetadata {
  const { authorization, token, jwks, userinfo, endSession, revocation } = endpoints;
  return {
    issuer,
    authorization_endpoint: authorization,
    token_endpoint: token,
    jwks_uri: jwks,
    // It has not said which it uses; else the library would take RS256 alone.
    id_token_signing_alg_values_supported: SIGNING_ALGORITHMS,
    ...(userinfo === undefined ? {} : { userinfo_endpoint: userinfo }),
    ...(endSession === undefined ? {} : { end_session_endpoint: endSession }),
    ...(revocation === undefined ? {} : { revocation_endpoint: revocation }),
  };
}

function tokensIn(answer: Awaited<ReturnType<typeof OpenidClient.authorizationCodeGrant>>): Tokens {
  return {
    idToken: answer.id_token ?? "",
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? "",
    accessLifeMs: (answer.expires_in ?? 0) * 1000,
    scope: answer.scope ?? "",
    claims: answer.claims() ?? null,
  };
}

/** What the library throws may hold whole answers; no more than a name and a sentence is taken from it. */
function failureOf(error: unknown, client: typeof OpenidClient | null): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  if (error instanceof Away) return new ProviderFailure("away", "unreachable", error.message);
  if (client !== null) {
    const { ResponseBodyError, AuthorizationResponseError } = client;
    if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
      return new ProviderFailure("refused", error.error.slice(0, 100), "the provider said no");
    }
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  const name = typeof code === "string" ? code : "UNKNOWN";
  return new ProviderFailure("invalid", name, typeof message === "string" ? message : "");
}
