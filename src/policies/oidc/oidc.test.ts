import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { z } from "zod";
import { CookieJar } from "../../../test/support/cookie-jar.ts";
import { FakeOpenidProvider, oauthError } from "../../../test/support/fake-openid-provider.ts";
import {
  TestClock,
  testGateway,
  testPolicy,
  type PolicySubject,
  type TestPolicyRequest,
  type TestPolicySettings,
} from "../../testing/index.ts";
import type { oidcSchema } from "./oidc-options.ts";
import oidc from "./oidc.ts";

const SESSION = "__Host-gateward-session";
const base = {
  issuer: "https://id.test",
  clientId: "shop",
  clientSecret: "between us",
  secret: "a secret of at least thirty-two characters",
} as const;
const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-site": "none", accept: "text/html" };

type Options = Partial<z.input<typeof oidcSchema>>;

/** A gateway with the policy, a provider, and a browser that keeps cookies. */
class Scene implements AsyncDisposable {
  readonly provider: FakeOpenidProvider;
  readonly subject: PolicySubject;
  readonly jar = new CookieJar();

  constructor(provider: FakeOpenidProvider, subject: PolicySubject) {
    this.provider = provider;
    this.subject = subject;
  }

  static async open(options: Options = {}, settings: TestPolicySettings = {}): Promise<Scene> {
    const provider = new FakeOpenidProvider();
    const { outbound } = provider;
    const clock = new TestClock(Date.now());
    const all = { ...base, ...options } as never;
    return new Scene(provider, await testPolicy(oidc, all, { outbound, clock, ...settings }));
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

describe("oidc: signing in", () => {
  test("a browser without a session is led to the provider, with PKCE, state and nonce", async () => {
    await using scene = await Scene.open({ parameters: { prompt: "login" } });
    const { status, headers, setCookies } = await scene.visit("/orders/7?x=1");
    assert.equal(status, 302);
    assert.equal(headers["cache-control"], "no-store");
    const url = new URL(headers["location"]!);
    assert.equal(url.origin + url.pathname, "https://id.test/auth");
    const asked = Object.fromEntries(url.searchParams);
    for (const name of ["state", "nonce", "code_challenge"])
      assert.match(asked[name]!, /^[\w-]{43}$/);
    assert.equal(asked["code_challenge_method"], "S256");
    assert.equal(asked["redirect_uri"], "https://gateway.test/oauth/callback");
    assert.equal(asked["scope"], "openid profile email");
    assert.equal(asked["prompt"], "login");
    assert.equal(setCookies.length, 1);
    const attributes = /^__Host-gateward-session-login\.[\w-]{12}=[\w-]+(;.*)$/.exec(
      setCookies[0]!,
    )![1];
    assert.equal(attributes, "; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=900");
  });

  test("coming back begins a session and leads to the page that was asked for", async () => {
    await using scene = await Scene.open();
    const { status, headers, setCookies, results } = await scene.signIn("/orders/7?x=1&y=%20");
    assert.equal(status, 303);
    assert.equal(headers["location"], "/orders/7?x=1&y=%20");
    assert.deepEqual(scene.jar.names(), [SESSION]);
    const session = setCookies.find((line) => line.startsWith(`${SESSION}=`))!;
    assert.match(session, /; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    assert.deepEqual(results, { "signed-in": 1 });
    const { sent, results: later, outcome } = await scene.visit("/orders/7");
    assert.equal(outcome.identity?.subject, "ann");
    assert.equal(outcome.identity?.issuer, "https://id.test");
    assert.deepEqual(outcome.identity?.scopes, ["openid", "email"]);
    assert.deepEqual(later, { accepted: 1 });
    assert.equal(sent?.headers["x-identity-subject"], "ann");
    assert.equal(sent?.headers["cookie"], undefined);
  });

  test("services get other cookies, and never the gateway's", async () => {
    await using scene = await Scene.open();
    await scene.signIn();
    scene.jar.cookies.set("theme", "dark");
    scene.jar.cookies.set(`${SESSION}-login.abc`, "left over");
    const { sent } = await scene.visit("/");
    assert.equal(sent?.headers["cookie"], "theme=dark");
  });

  test("over HTTP/2 it is the same", async () => {
    await using scene = await Scene.open();
    const invitation = await scene.visit("/a", { protocol: "HTTP/2" });
    const url = scene.provider.grant(invitation.headers["location"]!);
    const back = await scene.visit(url.pathname + url.search, { protocol: "HTTP/2" });
    assert.equal(back.headers["location"], "/a");
    const { sent } = await scene.visit("/a", { protocol: "HTTP/2" });
    assert.equal(sent?.headers["x-identity-subject"], "ann");
  });

  test("programs, scripts, changes, prefetches and WebSockets get a 401 and no redirect", async () => {
    await using scene = await Scene.open();
    for (const more of [
      { headers: { "sec-fetch-mode": "cors" } },
      { headers: { "sec-fetch-mode": "websocket", connection: "upgrade", upgrade: "websocket" } },
      { headers: { "sec-purpose": "prefetch" } },
      { method: "POST" },
      { method: "HEAD" },
    ]) {
      const { status, problem, headers, setCookies } = await scene.visit("/", more);
      assert.equal(status, 401);
      if (more.method !== "HEAD") assert.equal(problem?.name, "authentication-required");
      assert.equal(headers["www-authenticate"], `Cookie realm="sign-in", cookie-name="${SESSION}"`);
      assert.deepEqual(setCookies, []);
    }
    const { status } = await scene.subject.request({ tls: true, headers: { accept: "*/*" } });
    assert.equal(status, 401);
    const old = await scene.subject.request({ tls: true, headers: { accept: "text/html" } });
    assert.equal(old.status, 302);
  });

  test("where it is wished nobody is led to the login, but the login has its own path", async () => {
    await using scene = await Scene.open({ unauthenticated: "refuse" });
    assert.equal((await scene.visit("/a")).status, 401);
    const invitation = await scene.visit("/oauth/login?return_to=/a%3Fb");
    assert.equal(invitation.status, 302);
    const back = await scene.comeBack(scene.provider.grant(invitation.headers["location"]!));
    assert.equal(back.headers["location"], "/a?b");
  });

  test("several tabs may sign in at once, up to a bound", async () => {
    await using scene = await Scene.open();
    const tabs = ["/a", "/b", "/c"];
    const invitations = [];
    for (const path of tabs) invitations.push((await scene.visit(path)).headers["location"]!);
    for (const [index, path] of tabs.entries()) {
      const { headers } = await scene.comeBack(scene.provider.grant(invitations[index]!));
      assert.equal(headers["location"], path);
    }
    assert.deepEqual(scene.jar.names(), [SESSION]);
    scene.jar.cookies.clear();
    const first = (await scene.visit("/first")).headers["location"]!;
    for (let count = 0; count < 8; count++) {
      scene.subject.clock.advance(1000);
      await scene.visit("/more");
    }
    assert.equal(scene.jar.cookies.size, 5);
    assert.equal((await scene.comeBack(scene.provider.grant(first))).problem?.code, "not-begun");
  });

  test("a provider that is down answers for itself alone: 503 at the login, and all is well later", async () => {
    const provider = new FakeOpenidProvider();
    provider.stop();
    const { outbound } = provider;
    const clock = new TestClock(Date.now());
    const scene = new Scene(provider, await testPolicy(oidc, base, { outbound, clock }));
    await using _ = scene;
    const { status, problem, headers } = await scene.visit("/");
    assert.equal(status, 503);
    assert.equal(problem?.name, "sign-in-unavailable");
    assert.ok(headers["retry-after"] !== undefined);
    const asked = outbound.requests.length;
    await scene.visit("/");
    assert.equal(outbound.requests.length, asked, "it is not asked again at once");
    provider.start();
    clock.advance(1500);
    assert.equal((await scene.signIn("/x")).headers["location"], "/x");
  });

  test("with addresses of its own, nothing is asked beforehand", async () => {
    const url = "https://id.test";
    const endpoints = { authorization: `${url}/auth`, token: `${url}/token`, jwks: `${url}/jwks` };
    await using scene = await Scene.open({ endpoints });
    scene.provider.outbound.away(`${url}/.well-known/openid-configuration`);
    assert.equal((await scene.signIn("/x")).headers["location"], "/x");
    assert.equal((await scene.visit("/oauth/logout")).headers["location"], "https://gateway.test/");
  });

  test("what the user is known by may come from userinfo too", async () => {
    await using scene = await Scene.open({ userinfo: true });
    await scene.signIn();
    const { outcome } = await scene.visit("/");
    assert.equal(outcome.identity?.claims["email"], "ann@example.com");
    scene.provider.subject = "bob";
    scene.provider.claims = { sub: "ann" };
    scene.jar.cookies.clear();
    assert.equal((await scene.signIn()).status, 400, "userinfo about somebody else");
  });

  test("roles, groups and the consumer come from claims", async () => {
    const document = { consumers: { acme: { groups: ["partners"] } } } as never;
    const consumer = { claim: "org", required: true };
    await using scene = await Scene.open({ consumer }, { document });
    scene.provider.claims = { org: "acme", roles: ["admin"], groups: ["staff"] };
    await scene.signIn();
    const { identity } = (await scene.visit("/")).outcome;
    assert.equal(identity?.consumer?.name, "acme");
    assert.deepEqual(identity?.roles, ["admin"]);
    assert.deepEqual(identity?.groups, ["staff", "partners"]);
    scene.jar.cookies.clear();
    scene.provider.claims = { org: "nobody" };
    await scene.signIn();
    const { status, problem } = await scene.visit("/");
    assert.equal(status, 403);
    assert.equal(problem?.code, "consumer-unknown");
  });

  test("of long tokens several cookies are made, and gone again with shorter ones", async () => {
    await using scene = await Scene.open();
    scene.provider.claims = { long: "x".repeat(6000) };
    await scene.signIn();
    assert.deepEqual(scene.jar.names(), [SESSION, `${SESSION}.1`, `${SESSION}.2`]);
    assert.equal((await scene.visit("/")).sent?.headers["x-identity-subject"], "ann");
    scene.provider.claims = {};
    const again = await scene.visit("/oauth/login");
    await scene.comeBack(scene.provider.grant(again.headers["location"]!));
    assert.deepEqual(scene.jar.names(), [SESSION]);
    scene.provider.claims = { long: "x".repeat(20_000) };
    const more = await scene.visit("/oauth/login");
    const { problem } = await scene.comeBack(scene.provider.grant(more.headers["location"]!));
    assert.equal(problem?.name, "session-too-large");
  });
});

describe("oidc: attacks", () => {
  test("an answer that this browser has not asked for is refused: login CSRF, fixation", async () => {
    await using scene = await Scene.open();
    const attackers = (await scene.visit("/")).headers["location"]!;
    scene.jar.cookies.clear();
    const url = scene.provider.grant(attackers);
    for (const wait of [false, true]) {
      if (wait) await scene.visit("/");
      const { status, problem, setCookies, results } = await scene.comeBack(url);
      assert.equal(status, 400);
      assert.equal(problem?.name, "sign-in-failed");
      assert.equal(problem?.code, "not-begun");
      assert.deepEqual(setCookies, []);
      assert.deepEqual(results, { refused: 1, "sign-in-failed": 1 });
    }
    assert.equal(scene.provider.asked.length, 0, "the code is not even tried");
  });

  test("a session is a new one after each sign-in, and the one before is over", async () => {
    await using scene = await Scene.open();
    await scene.signIn();
    const before = scene.jar.cookies.get(SESSION)!;
    const again = await scene.visit("/oauth/login");
    await scene.comeBack(scene.provider.grant(again.headers["location"]!));
    assert.notEqual(scene.jar.cookies.get(SESSION), before);
    scene.jar.cookies.set(SESSION, before);
    assert.equal((await scene.visit("/")).status, 302);
  });

  test("an answer is good once", async () => {
    await using scene = await Scene.open();
    const invitation = await scene.visit("/");
    const cookies = new Map(scene.jar.cookies);
    const url = scene.provider.grant(invitation.headers["location"]!);
    assert.equal((await scene.comeBack(url)).status, 303);
    assert.equal((await scene.comeBack(url)).problem?.code, "not-begun");
    // Whoever has copied the cookie meets the provider, which takes a code once.
    for (const [name, value] of cookies) scene.jar.cookies.set(name, value);
    assert.equal((await scene.comeBack(url)).problem?.code, "invalid-answer");
  });

  test("a cookie of one sign-in serves no other, and no cookie serves as another", async () => {
    await using scene = await Scene.open();
    const one = await scene.visit("/");
    const [loginName = ""] = scene.jar.names();
    const sealed = scene.jar.cookies.get(loginName)!;
    const other = scene.provider.grant((await scene.visit("/")).headers["location"]!);
    const otherName = scene.jar.names().at(-1)!;
    scene.jar.cookies.set(otherName, sealed);
    assert.equal((await scene.comeBack(other)).problem?.code, "not-begun");
    scene.jar.cookies.set(SESSION, `1.${sealed}`);
    assert.equal((await scene.visit("/")).status, 302);
    scene.jar.cookies.delete(SESSION);
    await scene.comeBack(scene.provider.grant(one.headers["location"]!));
    const session = scene.jar.cookies.get(SESSION)!.slice(2);
    const next = scene.provider.grant((await scene.visit("/oauth/login")).headers["location"]!);
    scene.jar.cookies.set(scene.jar.names().at(-1)!, session);
    assert.equal((await scene.comeBack(next)).problem?.code, "not-begun");
  });

  test("a session of another application is none here, though the secret is the same", async () => {
    await using one = await Scene.open();
    await one.signIn();
    for (const options of [{ clientId: "bank" }, { secret: "x".repeat(32) }]) {
      await using other = await Scene.open(options);
      other.jar.cookies.set(SESSION, one.jar.cookies.get(SESSION)!);
      assert.equal((await other.visit("/")).status, 302);
    }
  });

  test("a session that was changed anywhere is none", async () => {
    await using scene = await Scene.open();
    await scene.signIn();
    const good = scene.jar.cookies.get(SESSION)!;
    for (let index = 0; index < good.length - 1; index += 37) {
      const changed = good[index] === "A" ? "B" : "A";
      scene.jar.cookies.set(SESSION, good.slice(0, index) + changed + good.slice(index + 1));
      assert.equal((await scene.visit("/")).status, 302, `${index}`);
    }
    scene.jar.cookies.set(SESSION, good);
    assert.equal((await scene.visit("/")).status, 200);
  });

  test("after signing in nobody is led to another site", async () => {
    await using scene = await Scene.open();
    for (const to of [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "/%0d%0ax",
      "/oauth/logout",
    ]) {
      const invitation = await scene.visit(`/oauth/login?return_to=${encodeURIComponent(to)}`);
      const back = await scene.comeBack(scene.provider.grant(invitation.headers["location"]!));
      assert.equal(back.headers["location"], to === "/%0d%0ax" ? to : "/", to);
    }
    const invitation = await scene.visit("//evil.example/x");
    if (invitation.status === 302) {
      const back = await scene.comeBack(scene.provider.grant(invitation.headers["location"]!));
      assert.ok(!back.headers["location"]!.startsWith("//"));
    }
  });

  test("an ID token that does not hold signs nobody in", async () => {
    await using scene = await Scene.open();
    const nowS = Math.floor(Date.now() / 1000);
    for (const claims of [
      { nonce: "another" },
      { aud: "bank" },
      { iss: "https://evil.example" },
      { exp: nowS - 60 },
      { iat: nowS + 3600, nbf: nowS + 3600 },
      { aud: ["shop", "bank"], azp: "bank" },
      { sub: undefined },
    ]) {
      scene.provider.claims = claims;
      const { status, problem, setCookies } = await scene.signIn();
      assert.equal(status, 400, JSON.stringify(claims));
      assert.equal(problem?.code, "invalid-answer");
      assert.ok(!setCookies.some((line) => line.startsWith(`${SESSION}=`)));
    }
  });

  test("clocks may differ by the leeway", async () => {
    const expired = { exp: Math.floor(Date.now() / 1000) - 20 };
    await using usual = await Scene.open();
    usual.provider.claims = expired;
    assert.equal((await usual.signIn()).status, 303);
    await using strict = await Scene.open({ leeway: "0ms" });
    strict.provider.claims = expired;
    assert.equal((await strict.signIn()).status, 400);
  });

  test("a token signed by somebody else signs nobody in", async () => {
    await using scene = await Scene.open();
    const { issuer } = new FakeOpenidProvider();
    const own = scene.provider.issuer;
    scene.provider.outbound.on("https://id.test/jwks", async () => ({
      headers: { "content-type": "application/json" },
      body: await issuer.jwks(),
    }));
    assert.notEqual(own.keys[0], issuer.keys[0]);
    assert.equal((await scene.signIn()).problem?.code, "invalid-answer");
  });

  test("an answer of another provider is refused (RFC 9207), and so is one without a provider", async () => {
    await using scene = await Scene.open();
    for (const iss of ["https://evil.example", null]) {
      const url = scene.provider.grant((await scene.visit("/")).headers["location"]!);
      if (iss === null) url.searchParams.delete("iss");
      else url.searchParams.set("iss", iss);
      assert.equal((await scene.comeBack(url)).problem?.code, "invalid-answer");
    }
    assert.equal(scene.provider.asked.length, 0);
  });

  test("a code that was slipped in does not fit the verifier", async () => {
    await using scene = await Scene.open();
    const stolen = scene.provider.grant((await scene.visit("/")).headers["location"]!);
    const own = scene.provider.grant((await scene.visit("/")).headers["location"]!);
    own.searchParams.set("code", stolen.searchParams.get("code")!);
    assert.equal((await scene.comeBack(own)).problem?.code, "invalid-answer");
  });

  test("parameters that stand twice, or are missing or odd, are refused", async () => {
    await using scene = await Scene.open();
    const url = scene.provider.grant((await scene.visit("/")).headers["location"]!);
    url.searchParams.append("code", "another");
    assert.equal((await scene.comeBack(url)).status, 400);
    for (const path of ["", "?", "?state=", `?state=${"a".repeat(43)}`, "?code=x", "?state=%00"]) {
      assert.equal((await scene.visit(`/oauth/callback${path}`)).problem?.code, "not-begun", path);
    }
    const other = scene.provider.grant((await scene.visit("/")).headers["location"]!);
    other.searchParams.set("state", `${other.searchParams.get("state")!.slice(0, 40)}abc`);
    assert.equal((await scene.comeBack(other)).problem?.code, "not-begun");
    const post = await scene.visit(`/oauth/callback${url.search}`, { method: "POST" });
    assert.equal(post.problem?.code, "not-begun");
  });

  test("a refusal of the provider is told without its words", async () => {
    await using scene = await Scene.open();
    for (const [error, status, code] of [
      ["access_denied", 403, "access_denied"],
      ["login_required", 403, "login_required"],
      ["<script>", 400, "invalid-answer"],
    ] as const) {
      const asked = (await scene.visit("/")).headers["location"]!;
      const answer = await scene.comeBack(scene.provider.refuse(asked, error));
      assert.equal(answer.status, status);
      assert.equal(answer.problem?.code, code);
      assert.doesNotMatch(answer.body, /secret|script/);
    }
  });

  test("over plain http there is no login, and a session counts for nothing", async () => {
    await using scene = await Scene.open();
    const { status, problem } = await scene.visit("/", { tls: false });
    assert.equal(status, 403);
    assert.equal(problem?.name, "sign-in-needs-https");
    await scene.signIn();
    assert.equal((await scene.visit("/", { tls: false })).status, 403);
    await using local = await Scene.open({ allowHttp: true });
    assert.equal((await local.visit("/", { tls: false })).status, 403, "not on this machine");
    for (const host of ["localhost:8080", "127.0.0.1", "[::1]:80", "app.localhost"]) {
      const { headers, setCookies } = await local.visit("/", { tls: false, headers: { host } });
      const uri = new URL(headers["location"]!).searchParams.get("redirect_uri");
      assert.equal(uri, `http://${host.replace(/:80$/, "")}/oauth/callback`);
      assert.match(
        setCookies[0]!,
        /^gateward-session-login\.[\w-]{12}=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=900$/,
      );
    }
    for (const host of [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "xlocalhost",
    ]) {
      assert.equal((await local.visit("/", { tls: false, headers: { host } })).status, 403, host);
    }
  });

  test("tokens, codes and secrets are in no log", async () => {
    await using scene = await Scene.open({ forward: "access-token" });
    await scene.signIn();
    scene.provider.claims = { nonce: "another" };
    await scene.signIn("/oauth/login");
    scene.provider.tokenAnswer = () => oauthError("invalid_client");
    await scene.signIn("/oauth/login");
    const { log } = scene.subject.gateway;
    assert.ok(log.length >= 2);
    assert.doesNotMatch(
      JSON.stringify(log),
      /access-\d|refresh-\d|code-\d|eyJ|between us|thirty-two/,
    );
  });
});

describe("oidc: sessions", () => {
  test("one ends when its time is up, or nobody has used it", async () => {
    await using scene = await Scene.open({ session: { ttl: "2h", idle: "30m" } });
    await scene.signIn();
    const { clock } = scene.subject;
    for (let minute = 0; minute < 110; minute += 10) {
      assert.equal((await scene.visit("/")).status, 200, `${minute}`);
      clock.advance(600_000);
    }
    assert.equal((await scene.visit("/")).status, 200);
    clock.advance(600_001);
    assert.equal((await scene.visit("/")).status, 302, "two hours");
    await scene.signIn();
    clock.advance(31 * 60_000);
    assert.equal((await scene.visit("/")).status, 302, "half an hour without a request");
  });

  test("its end is put off by a new cookie now and then, which no cache may keep", async () => {
    const service = () => ({ headers: { "cache-control": "public, max-age=60" } });
    await using scene = await Scene.open({ session: { idle: "30m" } }, { service });
    await scene.signIn();
    const first = await scene.visit("/");
    assert.deepEqual(first.setCookies, []);
    assert.equal(first.headers["cache-control"], "public, max-age=60");
    scene.subject.clock.advance(4 * 60_000);
    const second = await scene.visit("/");
    assert.equal(second.setCookies.length, 1);
    assert.equal(second.headers["cache-control"], "no-store");
  });

  test("tokens are renewed shortly before they end", async () => {
    await using scene = await Scene.open({ forward: "access-token" });
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    const { clock } = scene.subject;
    const first = (await scene.visit("/")).sent?.headers["authorization"];
    assert.match(first!, /^Bearer access-\d+$/);
    clock.advance(200_000);
    assert.equal((await scene.visit("/")).sent?.headers["authorization"], first);
    clock.advance(50_000);
    const renewed = await scene.visit("/");
    assert.match(renewed.sent!.headers["authorization"]!, /^Bearer access-\d+$/);
    assert.notEqual(renewed.sent!.headers["authorization"], first);
    assert.deepEqual(renewed.results, { accepted: 1, renewed: 1 });
    const form = scene.provider.asked.at(-1)!;
    assert.equal(form.get("grant_type"), "refresh_token");
    assert.equal(
      (await scene.visit("/")).sent?.headers["authorization"],
      renewed.sent!.headers["authorization"],
    );
  });

  test("of requests at once one renews, and the others go on; the cookie of before still serves", async () => {
    await using scene = await Scene.open({ forward: "access-token" });
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    const asked = scene.provider.asked.length;
    const before = scene.jar.header;
    for (const elapsedMs of [250_000, 250_000]) {
      scene.subject.clock.advance(elapsedMs);
      const headers = { ...navigation, cookie: before };
      const one = { tls: true, headers };
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => scene.subject.request(one)),
      );
      assert.ok(answers.every(({ status }) => status === 200));
    }
    assert.equal(scene.provider.asked.length, asked + 2);
    const late = await scene.subject.request({
      tls: true,
      headers: { ...navigation, cookie: before },
    });
    const number = Number(/access-(\d+)/.exec(late.sent!.headers["authorization"]!)![1]);
    assert.equal(number, 4, "the tokens of the second renewal");
    assert.equal(late.setCookies.length, 1);
  });

  test("a provider that is away leaves a session alone until its token has ended, and then says so", async () => {
    await using scene = await Scene.open();
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    const { clock } = scene.subject;
    scene.provider.stop();
    clock.advance(250_000);
    for (let count = 0; count < 5; count++) assert.equal((await scene.visit("/")).status, 200);
    const asked = scene.provider.outbound.requests.filter(({ url }) => url.endsWith("/token"));
    assert.equal(asked.length, 2, "it is left alone for a while");
    clock.advance(60_000);
    const { status, problem } = await scene.visit("/");
    assert.equal(status, 503);
    assert.equal(problem?.name, "sign-in-unavailable");
    assert.ok(scene.jar.cookies.has(SESSION));
    scene.provider.start();
    clock.advance(3000);
    assert.equal((await scene.visit("/")).status, 200, "nobody has to sign in again");
  });

  test("a provider that is misconfigured ends no session", async () => {
    await using scene = await Scene.open();
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    scene.provider.tokenAnswer = () => oauthError("invalid_client");
    scene.subject.clock.advance(250_000);
    assert.equal((await scene.visit("/")).status, 200);
  });

  test("where the provider takes the grant back the session is over", async () => {
    await using scene = await Scene.open();
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    const before = scene.jar.cookies.get(SESSION)!;
    scene.provider.tokenAnswer = () => oauthError("invalid_grant");
    scene.subject.clock.advance(250_000);
    const { status, results } = await scene.visit("/");
    assert.equal(status, 302);
    assert.equal(results["renewal-failed"], 1);
    assert.ok(!scene.jar.cookies.has(SESSION));
    scene.provider.tokenAnswer = null;
    scene.jar.cookies.set(SESSION, before);
    assert.equal((await scene.visit("/")).status, 302, "also with the cookie of before");
  });

  test("renewed tokens about somebody else end the session", async () => {
    await using scene = await Scene.open();
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    scene.provider.subject = "bob";
    scene.subject.clock.advance(250_000);
    assert.equal((await scene.visit("/")).status, 302);
  });

  test("without a refresh token a session lasts, but not one whose access token is passed on", async () => {
    for (const [options, status] of [
      [{}, 200],
      [{ forward: "access-token" }, 302],
    ] as const) {
      await using scene = await Scene.open(options);
      scene.provider.givesRefreshToken = false;
      scene.provider.lifetimeS = 300;
      await scene.signIn();
      scene.subject.clock.advance(400_000);
      assert.equal((await scene.visit("/")).status, status);
    }
  });

  test("services get the tokens that they are meant to get, and none that clients write", async () => {
    const forward = { accessToken: "x-access", idToken: "x-id" };
    await using scene = await Scene.open({ forward });
    await scene.signIn();
    const forged = { "X-Access": "mine", "X-Id": "mine" };
    const { sent } = await scene.visit("/", { headers: forged });
    assert.match(sent!.headers["x-access"]!, /^access-\d+$/);
    assert.match(sent!.headers["x-id"]!, /^eyJ/);
    await using none = await Scene.open();
    await none.signIn();
    const plain = await none.visit("/", { headers: { authorization: "Basic abc" } });
    assert.equal(plain.sent?.headers["authorization"], "Basic abc");
  });

  test("cookies that are to last say until when; Strict ones begin with a page of their own", async () => {
    const cookie = { persistent: true, sameSite: "strict" } as const;
    await using scene = await Scene.open({ session: { ttl: "1h", idle: "none", cookie } });
    const { status, body, headers, setCookies } = await scene.signIn("/a?b=1&c='\"><script>");
    assert.equal(status, 200);
    assert.match(headers["content-type"]!, /^text\/html/);
    assert.match(body, /content="0; url=\/a\?b=1&amp;c=%27%22%3E%3Cscript%3E"/);
    assert.doesNotMatch(body, /<script/);
    assert.match(setCookies.at(-1)!, /; SameSite=Strict; Secure; Max-Age=3600$/);
  });
});

describe("oidc: signing out", () => {
  test("ends the session here and at the provider, also for copies of the cookie", async () => {
    await using scene = await Scene.open({ afterLogout: "/bye" });
    await scene.signIn();
    const copy = scene.jar.cookies.get(SESSION)!;
    const { status, headers, results } = await scene.visit("/oauth/logout");
    assert.equal(status, 303);
    assert.equal(results["signed-out"], 1);
    const url = new URL(headers["location"]!);
    assert.equal(url.origin + url.pathname, "https://id.test/end");
    assert.match(url.searchParams.get("id_token_hint")!, /^eyJ/);
    assert.equal(url.searchParams.get("post_logout_redirect_uri"), "https://gateway.test/bye");
    assert.deepEqual(scene.jar.names(), []);
    scene.jar.cookies.set(SESSION, copy);
    assert.equal((await scene.visit("/")).status, 302);
    assert.equal(scene.provider.outbound.count("https://id.test/revoke"), 1);
  });

  test("works without a session, and without a page at the provider", async () => {
    await using scene = await Scene.open({ providerLogout: false });
    assert.equal((await scene.visit("/oauth/logout")).headers["location"], "https://gateway.test/");
    await scene.signIn();
    assert.equal((await scene.visit("/oauth/logout")).headers["location"], "https://gateway.test/");
  });

  test("a page of another site cannot do it", async () => {
    await using scene = await Scene.open();
    await scene.signIn();
    for (const [method, headers] of [
      ["GET", { "sec-fetch-site": "cross-site" }],
      ["POST", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
      ["POST", { "sec-fetch-site": "same-site", origin: "https://sub.gateway.test" }],
    ] as const) {
      const { status, problem } = await scene.visit("/oauth/logout", { method, headers });
      assert.equal(status, 403);
      assert.equal(problem?.name, "cross-site-request");
    }
    assert.ok(scene.jar.cookies.has(SESSION));
    const own = { "sec-fetch-site": "same-origin" };
    assert.equal(
      (await scene.visit("/oauth/logout", { method: "POST", headers: own })).status,
      303,
    );
  });

  test("a renewal under way when the user signs out brings nothing back", async () => {
    await using scene = await Scene.open();
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    const cookie = scene.jar.header;
    scene.subject.clock.advance(250_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    scene.provider.tokenAnswer = async () => {
      asked.resolve();
      await promise;
      return {
        headers: { "content-type": "application/json" },
        body: {
          token_type: "Bearer",
          access_token: "late",
          refresh_token: "late",
          expires_in: 300,
        },
      };
    };
    const waiting = scene.subject.request({ tls: true, headers: { ...navigation, cookie } });
    await asked.promise;
    await scene.visit("/oauth/logout");
    resolve();
    const { status, setCookies } = await waiting;
    assert.equal(status, 302);
    assert.ok(!setCookies.some((line) => line.startsWith(`${SESSION}=1.`)));
    assert.equal((await scene.visit("/", { headers: { cookie } })).status, 302);
  });
});

describe("oidc: with other authenticators", () => {
  test("whoever is let in by another, or by none, leaves no cookie of the gateway's to services", async () => {
    const provider = new FakeOpenidProvider();
    const { outbound } = provider;
    const key = "0123456789abcdef0123456789abcdef";
    const document = {
      consumers: { ci: { keys: [{ value: key }] } },
      services: { shop: "http://shop.test" },
      routes: [
        {
          match: "/*",
          service: "shop",
          policies: [{ "any-of": ["api-key", { oidc: base }, "anonymous"] }],
        },
      ],
    };
    await using gateway = await testGateway(document, {
      outbound,
      clock: new TestClock(Date.now()),
    });
    const jar = new CookieJar();
    const ask = async (path: string, headers: Record<string, string> = {}) => {
      const response = await gateway.request({
        tls: true,
        path,
        headers: { ...navigation, ...headers, cookie: `a=1; ${jar.header}` },
      });
      jar.take(response.setCookies);
      return { ...response, sent: gateway.calls.at(-1) };
    };
    const anonymous = await ask("/");
    assert.equal(anonymous.status, 200);
    const invitation = await ask("/oauth/login");
    const url = provider.grant(invitation.headers["location"]!);
    assert.equal((await ask(url.pathname + url.search)).status, 303);
    assert.deepEqual(jar.names(), [SESSION]);
    const known = await ask("/");
    assert.equal(known.sent?.headers["x-identity-subject"], "ann");
    assert.equal(known.sent?.headers["cookie"], "a=1");
    const program = await ask("/", { "x-api-key": key });
    assert.equal(program.sent?.headers["x-consumer"], "ci");
    assert.equal(program.sent?.headers["cookie"], "a=1");
    jar.cookies.set(SESSION, "1.broken");
    const nobody = await ask("/");
    assert.equal(nobody.sent?.headers["x-identity-subject"], undefined);
    assert.equal(nobody.sent?.headers["cookie"], "a=1");
  });
});

describe("oidc: options", () => {
  test("senseless settings are refused with a place", async () => {
    const surroundings = {
      place: "gateway",
      earlier: [],
      services: [],
      consumers: [],
      plans: [],
      hasRedis: false,
    } as const;
    const mistakesOf = (options: Options): string[] => {
      const parsed = oidc.schema.parse({ ...base, ...options });
      return oidc.check!(parsed, surroundings).map(({ path = [] }) => path.join("."));
    };
    assert.deepEqual(mistakesOf({}), []);
    assert.deepEqual(mistakesOf({ issuer: "http://id.test" }), ["issuer"]);
    assert.deepEqual(mistakesOf({ issuer: "http://id.test", allowHttp: true }), []);
    assert.deepEqual(mistakesOf({ issuer: "accounts" }), ["issuer"]);
    assert.deepEqual(mistakesOf({ scopes: ["profile"] }), ["scopes"]);
    assert.deepEqual(mistakesOf({ parameters: { state: "x" } }), ["parameters.state"]);
    assert.deepEqual(mistakesOf({ session: { store: "redis" } }), ["session.store"]);
    assert.deepEqual(mistakesOf({ session: { idle: "13h" } }), ["session.idle"]);
    assert.deepEqual(mistakesOf({ loginPath: "/x", logoutPath: "/x" }), [""]);
    const cookie = { name: "__Host-s", path: "/app" };
    assert.deepEqual(mistakesOf({ session: { cookie } }), [
      "session.cookie.name",
      "session.cookie.path",
    ]);
    const endpoints = {
      authorization: "http://a.test",
      token: "https://a.test",
      jwks: "https://a.test",
    };
    assert.deepEqual(mistakesOf({ endpoints }), ["endpoints.authorization"]);
  });
});
