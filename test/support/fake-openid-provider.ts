/**
 * fake-openid-provider: what an OpenID provider answers to the gateway, in memory; what it shows to browsers
 * is skipped: whoever is led there comes back with a code. A named fake; the real one is in the e2e tests.
 */
import { createHash } from "node:crypto";
import { TestIssuer } from "../../src/testing/test-issuer.ts";
import { TestOutbound, type TestAnswer } from "../../src/testing/test-outbound.ts";

interface Granted {
  readonly nonce: string;
  readonly challenge: string;
  readonly redirectUri: string;
}

export class FakeOpenidProvider {
  readonly issuer = new TestIssuer("https://id.test");
  readonly outbound = new TestOutbound();
  subject = "ann";
  lifetimeS = 3600;
  givesRefreshToken = true;
  /** Replaces claims of ID tokens. */
  claims: Readonly<Record<string, unknown>> = {};
  /** Replaces the answer to the next requests for tokens. */
  tokenAnswer: (() => TestAnswer | Promise<TestAnswer>) | null = null;
  /** What was asked of the token endpoint, in order. */
  readonly asked: URLSearchParams[] = [];
  private readonly codes = new Map<string, Granted>();
  private count = 0;

  constructor() {
    this.start();
  }

  start(): void {
    const { outbound, issuer } = this;
    const url = issuer.issuer;
    const json = { "content-type": "application/json" };
    const metadata = {
      issuer: url,
      authorization_endpoint: `${url}/auth`,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/jwks`,
      userinfo_endpoint: `${url}/me`,
      end_session_endpoint: `${url}/end`,
      revocation_endpoint: `${url}/revoke`,
      response_types_supported: ["code"],
      id_token_signing_alg_values_supported: ["ES256"],
      authorization_response_iss_parameter_supported: true,
    };
    outbound.on(`${url}/.well-known/openid-configuration`, { headers: json, body: metadata });
    outbound.on(`${url}/jwks`, async () => ({ headers: json, body: await issuer.jwks() }));
    outbound.on(`${url}/me`, () => ({
      headers: json,
      body: { sub: this.subject, email: "ann@example.com" },
    }));
    outbound.on(`${url}/revoke`, { body: "" });
    outbound.on(`${url}/token`, async ({ body }) => {
      const form = new URLSearchParams(body);
      this.asked.push(form);
      return this.tokenAnswer === null ? await this.tokens(form) : await this.tokenAnswer();
    });
  }

  /** Nobody listens any more. */
  stop(): void {
    for (const path of ["/.well-known/openid-configuration", "/jwks", "/me", "/revoke", "/token"]) {
      this.outbound.away(this.issuer.issuer + path);
    }
  }

  /** The user has signed in: where the browser is sent back to. */
  grant(authorizationUrl: string): URL {
    const asked = new URL(authorizationUrl).searchParams;
    const code = `code-${++this.count}`;
    this.codes.set(code, {
      nonce: asked.get("nonce")!,
      challenge: asked.get("code_challenge")!,
      redirectUri: asked.get("redirect_uri")!,
    });
    return backTo(asked, { code, iss: this.issuer.issuer });
  }

  /** The user has not. */
  refuse(authorizationUrl: string, error = "access_denied"): URL {
    const asked = new URL(authorizationUrl).searchParams;
    return backTo(asked, { error, error_description: "<b>secret</b>", iss: this.issuer.issuer });
  }

  private async tokens(form: URLSearchParams): Promise<TestAnswer> {
    let nonce = {};
    if (form.get("grant_type") === "authorization_code") {
      const granted = this.codes.get(form.get("code")!);
      this.codes.delete(form.get("code")!);
      const verifier = form.get("code_verifier") ?? "";
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      if (granted?.challenge !== challenge || granted.redirectUri !== form.get("redirect_uri")) {
        return oauthError("invalid_grant");
      }
      nonce = { nonce: granted.nonce };
    }
    const number = ++this.count;
    const claims = { sub: this.subject, aud: "shop", ...nonce, ...this.claims };
    return {
      headers: { "content-type": "application/json" },
      body: {
        token_type: "Bearer",
        access_token: `access-${number}`,
        ...(this.givesRefreshToken ? { refresh_token: `refresh-${number}` } : {}),
        expires_in: this.lifetimeS,
        scope: "openid email",
        id_token: await this.issuer.sign(claims),
      },
    };
  }
}

export function oauthError(error: string): TestAnswer {
  return { status: 400, headers: { "content-type": "application/json" }, body: { error } };
}

function backTo(asked: URLSearchParams, parameters: Readonly<Record<string, string>>): URL {
  const url = new URL(asked.get("redirect_uri")!);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  url.searchParams.set("state", asked.get("state")!);
  return url;
}
