/** oidc-scene: the `oidc` policy between a provider and a browser, all in memory. */
import assert from "node:assert/strict";
import type { z } from "zod";
import type { oidcSchema } from "../../src/policies/oidc/oidc-options.ts";
import oidc from "../../src/policies/oidc/oidc.ts";
import {
  TestClock,
  testPolicy,
  type PolicySubject,
  type TestPolicyRequest,
  type TestPolicySettings,
} from "../../src/testing/index.ts";
import { CookieJar } from "./cookie-jar.ts";
import { FakeOpenidProvider } from "./fake-openid-provider.ts";

/** Name of the session's cookie. */
export const SESSION = "__Host-gateward-session";
export const oidcOptions = {
  issuer: "https://id.test",
  clientId: "shop",
  clientSecret: "between us",
  secret: "a secret of at least thirty-two characters",
} as const;
/** Headers of a browser whose user has typed an address. */
export const navigation = {
  "sec-fetch-mode": "navigate",
  "sec-fetch-site": "none",
  accept: "text/html",
};

export type OidcInput = Partial<z.input<typeof oidcSchema>>;

/** A gateway with the policy, a provider, and a browser that keeps cookies. */
export class OidcScene implements AsyncDisposable {
  readonly provider: FakeOpenidProvider;
  readonly subject: PolicySubject;
  readonly jar = new CookieJar();

  constructor(provider: FakeOpenidProvider, subject: PolicySubject) {
    this.provider = provider;
    this.subject = subject;
  }

  static async open(
    options: OidcInput = {},
    settings: TestPolicySettings = {},
  ): Promise<OidcScene> {
    const provider = new FakeOpenidProvider();
    const { outbound } = provider;
    const clock = new TestClock(Date.now());
    const all = { ...oidcOptions, ...options } as never;
    return new OidcScene(provider, await testPolicy(oidc, all, { outbound, clock, ...settings }));
  }

  /** A request of the browser's, over https. */
  async visit(path: string, more: TestPolicyRequest = {}) {
    const cookie = this.jar.header;
    const headers = { ...navigation, ...more.headers, ...(cookie === "" ? {} : { cookie }) };
    const response = await this.subject.request({ tls: true, ...more, path, headers });
    this.jar.take(response.setCookies);
    return response;
  }

  /** Asks for a page, signs in, and comes back. @returns the answer to the coming back */
  async signIn(path = "/") {
    const invitation = await this.visit(path);
    assert.equal(invitation.status, 302);
    return await this.comeBack(this.provider.grant(invitation.headers["location"]!));
  }

  async comeBack(url: URL) {
    return await this.visit(url.pathname + url.search);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.subject.close();
  }
}
