import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CookieJar } from "../../../test/support/cookie-jar.ts";
import { FakeOpenidProvider } from "../../../test/support/fake-openid-provider.ts";
import {
  navigation,
  oidcOptions,
  OidcScene,
  SESSION,
  type OidcInput,
} from "../../../test/support/oidc-scene.ts";
import { TestClock, testGateway, testPolicy } from "../../testing/index.ts";
import oidc from "./oidc.ts";

describe("oidc: signing in", () => {
  test("a browser without a session is led to the provider, with PKCE, state and nonce", async () => {
    await using scene = await OidcScene.open({ parameters: { prompt: "login" } });
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
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
    await scene.signIn();
    scene.jar.cookies.set("theme", "dark");
    scene.jar.cookies.set(`${SESSION}-login.abc`, "left over");
    const { sent } = await scene.visit("/");
    assert.equal(sent?.headers["cookie"], "theme=dark");
  });

  test("over HTTP/2 it is the same", async () => {
    await using scene = await OidcScene.open();
    const invitation = await scene.visit("/a", { protocol: "HTTP/2" });
    const url = scene.provider.grant(invitation.headers["location"]!);
    const back = await scene.visit(url.pathname + url.search, { protocol: "HTTP/2" });
    assert.equal(back.headers["location"], "/a");
    const { sent } = await scene.visit("/a", { protocol: "HTTP/2" });
    assert.equal(sent?.headers["x-identity-subject"], "ann");
  });

  test("programs, scripts, changes, prefetches and WebSockets get a 401 and no redirect", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open({ unauthenticated: "refuse" });
    assert.equal((await scene.visit("/a")).status, 401);
    const invitation = await scene.visit("/oauth/login?return_to=/a%3Fb");
    assert.equal(invitation.status, 302);
    const back = await scene.comeBack(scene.provider.grant(invitation.headers["location"]!));
    assert.equal(back.headers["location"], "/a?b");
  });

  test("several tabs may sign in at once, up to a bound", async () => {
    await using scene = await OidcScene.open();
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
    const scene = new OidcScene(provider, await testPolicy(oidc, oidcOptions, { outbound, clock }));
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
    await using scene = await OidcScene.open({ endpoints });
    scene.provider.outbound.away(`${url}/.well-known/openid-configuration`);
    assert.equal((await scene.signIn("/x")).headers["location"], "/x");
    assert.equal((await scene.visit("/oauth/logout")).headers["location"], "https://gateway.test/");
  });

  test("what the user is known by may come from userinfo too", async () => {
    await using scene = await OidcScene.open({ userinfo: true });
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
    await using scene = await OidcScene.open({ consumer }, { document });
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
    await using scene = await OidcScene.open();
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
          policies: [{ "any-of": ["api-key", { oidc: oidcOptions }, "anonymous"] }],
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
    const mistakesOf = (options: OidcInput): string[] => {
      const parsed = oidc.schema.parse({ ...oidcOptions, ...options });
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
