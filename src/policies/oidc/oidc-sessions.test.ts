import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { oauthError } from "../../../test/support/fake-openid-provider.ts";
import { navigation, OidcScene, SESSION } from "../../../test/support/oidc-scene.ts";

describe("oidc: sessions", () => {
  test("one ends when its time is up, or nobody has used it", async () => {
    await using scene = await OidcScene.open({ session: { ttl: "2h", idle: "30m" } });
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
    await using scene = await OidcScene.open({ session: { idle: "30m" } }, { service });
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
    await using scene = await OidcScene.open({ forward: "access-token" });
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
    await using scene = await OidcScene.open({ forward: "access-token" });
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
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
    scene.provider.lifetimeS = 300;
    await scene.signIn();
    scene.provider.tokenAnswer = () => oauthError("invalid_client");
    scene.subject.clock.advance(250_000);
    assert.equal((await scene.visit("/")).status, 200);
  });

  test("where the provider takes the grant back the session is over", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
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
      await using scene = await OidcScene.open(options);
      scene.provider.givesRefreshToken = false;
      scene.provider.lifetimeS = 300;
      await scene.signIn();
      scene.subject.clock.advance(400_000);
      assert.equal((await scene.visit("/")).status, status);
    }
  });

  test("services get the tokens that they are meant to get, and none that clients write", async () => {
    const forward = { accessToken: "x-access", idToken: "x-id" };
    await using scene = await OidcScene.open({ forward });
    await scene.signIn();
    const forged = { "X-Access": "mine", "X-Id": "mine" };
    const { sent } = await scene.visit("/", { headers: forged });
    assert.match(sent!.headers["x-access"]!, /^access-\d+$/);
    assert.match(sent!.headers["x-id"]!, /^eyJ/);
    await using none = await OidcScene.open();
    await none.signIn();
    const plain = await none.visit("/", { headers: { authorization: "Basic abc" } });
    assert.equal(plain.sent?.headers["authorization"], "Basic abc");
  });

  test("cookies that are to last say until when; Strict ones begin with a page of their own", async () => {
    const cookie = { persistent: true, sameSite: "strict" } as const;
    await using scene = await OidcScene.open({ session: { ttl: "1h", idle: "none", cookie } });
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
    await using scene = await OidcScene.open({ afterLogout: "/bye" });
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
    await using scene = await OidcScene.open({ providerLogout: false });
    assert.equal((await scene.visit("/oauth/logout")).headers["location"], "https://gateway.test/");
    await scene.signIn();
    assert.equal((await scene.visit("/oauth/logout")).headers["location"], "https://gateway.test/");
  });

  test("a page of another site cannot do it", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
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
