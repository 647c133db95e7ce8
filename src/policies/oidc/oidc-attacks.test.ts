import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeOpenidProvider, oauthError } from "../../../test/support/fake-openid-provider.ts";
import { OidcScene, SESSION } from "../../../test/support/oidc-scene.ts";

describe("oidc: attacks", () => {
  test("an answer that this browser has not asked for is refused: login CSRF, fixation", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
    await scene.signIn();
    const before = scene.jar.cookies.get(SESSION)!;
    const again = await scene.visit("/oauth/login");
    await scene.comeBack(scene.provider.grant(again.headers["location"]!));
    assert.notEqual(scene.jar.cookies.get(SESSION), before);
    scene.jar.cookies.set(SESSION, before);
    assert.equal((await scene.visit("/")).status, 302);
  });

  test("an answer is good once", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
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
    await using one = await OidcScene.open();
    await one.signIn();
    for (const options of [{ clientId: "bank" }, { secret: "x".repeat(32) }]) {
      await using other = await OidcScene.open(options);
      other.jar.cookies.set(SESSION, one.jar.cookies.get(SESSION)!);
      assert.equal((await other.visit("/")).status, 302);
    }
  });

  test("a session that was changed anywhere is none", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
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
    await using usual = await OidcScene.open();
    usual.provider.claims = expired;
    assert.equal((await usual.signIn()).status, 303);
    await using strict = await OidcScene.open({ leeway: "0ms" });
    strict.provider.claims = expired;
    assert.equal((await strict.signIn()).status, 400);
  });

  test("a token signed by somebody else signs nobody in", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
    for (const iss of ["https://evil.example", null]) {
      const url = scene.provider.grant((await scene.visit("/")).headers["location"]!);
      if (iss === null) url.searchParams.delete("iss");
      else url.searchParams.set("iss", iss);
      assert.equal((await scene.comeBack(url)).problem?.code, "invalid-answer");
    }
    assert.equal(scene.provider.asked.length, 0);
  });

  test("a code that was slipped in does not fit the verifier", async () => {
    await using scene = await OidcScene.open();
    const stolen = scene.provider.grant((await scene.visit("/")).headers["location"]!);
    const own = scene.provider.grant((await scene.visit("/")).headers["location"]!);
    own.searchParams.set("code", stolen.searchParams.get("code")!);
    assert.equal((await scene.comeBack(own)).problem?.code, "invalid-answer");
  });

  test("parameters that stand twice, or are missing or odd, are refused", async () => {
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
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
    await using scene = await OidcScene.open();
    const { status, problem } = await scene.visit("/", { tls: false });
    assert.equal(status, 403);
    assert.equal(problem?.name, "sign-in-needs-https");
    await scene.signIn();
    assert.equal((await scene.visit("/", { tls: false })).status, 403);
    await using local = await OidcScene.open({ allowHttp: true });
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
    await using scene = await OidcScene.open({ forward: "access-token" });
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
