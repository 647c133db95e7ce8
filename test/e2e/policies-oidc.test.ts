/** Signing in with a real provider, in a real browser. */
import assert from "node:assert/strict";
import { createServer, get, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { before, describe, test, type TestContext } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startBrowser } from "../support/browser.ts";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startOpenidServer, type OpenidServer } from "../support/openid-server.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();
/** Short enough to be waited for; the last fifth is when it is renewed. */
const ACCESS_TOKEN_TTL_S = 2;

describe("oidc", { skip: requires("openssl", "chromium", "redis-server"), timeout: 60_000 }, () => {
  let provider: OpenidServer;
  let redis: RedisServer;
  let gateway: Gateway;
  let browser: Browser;
  /** Of the gateway, over https. */
  let origin: string;
  let evil: string;

  before(async () => {
    const port = await freePort();
    const plainPort = await freePort();
    origin = `https://localhost:${port}`;
    const client = (name: string, path: string) => ({
      client_id: name,
      client_secret: `secret of ${name}`,
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [origin, `http://localhost:${plainPort}`].map(
        (own) => `${own}${path}/oauth/callback`,
      ),
      post_logout_redirect_uris: [`${origin}/bye`],
    });
    [provider, redis, browser, evil] = await Promise.all([
      startOpenidServer(shared, {
        clients: [client("shop", ""), client("club", "/club")],
        accessTokenTtl: ACCESS_TOKEN_TTL_S,
        claims: { roles: ["buyer"] },
      }),
      startRedis(shared),
      startBrowser(shared),
      startEvilSite(),
    ]);
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    const common = {
      issuer: provider.issuer,
      secret: "a secret of at least thirty-two characters",
      allowHttp: true,
      forward: "access-token",
      afterLogout: "/bye",
    };
    const shop = { ...common, clientId: "shop", clientSecret: "secret of shop" };
    const club = {
      ...common,
      clientId: "club",
      clientSecret: "secret of club",
      callbackPath: "/club/oauth/callback",
      loginPath: "/club/oauth/login",
      logoutPath: "/club/oauth/logout",
      session: { store: "redis", cookie: { name: "club-session" } },
    };
    gateway = await startGateway(shared, {
      listen: [
        { host: "127.0.0.1", port, tls: { cert, key } },
        { host: "127.0.0.1", port: plainPort },
      ],
      workers: 2,
      redis: redis.url,
      services: { echo: await startEcho() },
      routes: [
        { match: "/*", service: "echo", policies: [{ oidc: shop }] },
        { match: "/club/*", service: "echo", policies: [{ oidc: club }] },
        { match: "/bye", respond: { status: 200, body: "bye" } },
      ],
    });
  });

  async function newBrowser(t: TestContext): Promise<BrowserContext> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    context.setDefaultTimeout(10_000);
    t.after(() => context.close());
    return context;
  }

  /** Fills in the provider's form, and comes back. */
  async function signIn(page: Page, name = "ann"): Promise<void> {
    await page.waitForURL(`${provider.issuer}/**`);
    await page.fill("input[name=login]", name);
    await page.fill("input[name=password]", "any");
    await page.click("button[type=submit]");
    await page.waitForURL(`${origin}/**`);
  }

  test("a user signs in, returns to the page asked for, and the service knows who it is", async (t) => {
    const context = await newBrowser(t);
    const page = await context.newPage();
    await page.goto(`${origin}/orders/7?sort=date&x=%2F`);
    await signIn(page);
    assert.equal(page.url(), `${origin}/orders/7?sort=date&x=%2F`);
    const seen = await seenIn(page);
    assert.equal(seen.headers["x-identity-subject"], "ann");
    assert.equal(seen.headers["x-identity-roles"], "buyer");
    assert.match(seen.headers["authorization"]!, /^Bearer [\w-]{20,}$/);
    assert.equal(seen.headers["cookie"], undefined);
    const cookies = (await context.cookies(origin)).filter(({ name }) =>
      name.startsWith("__Host-"),
    );
    assert.equal(cookies.length, 1);
    const { name, httpOnly, secure, sameSite, path } = cookies[0]!;
    assert.deepEqual(
      { name, httpOnly, secure, sameSite, path },
      { name: "__Host-gateward-session", httpOnly: true, secure: true, sameSite: "Lax", path: "/" },
    );
    const second = await context.newPage();
    await second.goto(`${origin}/second`);
    assert.equal(second.url(), `${origin}/second`);
    assert.equal((await seenIn(second)).headers["x-identity-subject"], "ann");
    assert.equal(await second.evaluate("document.cookie"), "");
  });

  test("two tabs may sign in at the same time, each back to its own page", async (t) => {
    const context = await newBrowser(t);
    const [one, other] = [await context.newPage(), await context.newPage()];
    await one.goto(`${origin}/one`);
    await other.goto(`${origin}/other`);
    await signIn(other);
    assert.equal(other.url(), `${origin}/other`);
    await signIn(one);
    assert.equal(one.url(), `${origin}/one`);
  });

  test("scripts get a 401 without a session, and go on by themselves with one", async (t) => {
    const context = await newBrowser(t);
    const page = await context.newPage();
    await page.goto(`${origin}/bye`);
    const ask = () =>
      page.evaluate(async () => {
        const { status, headers, redirected } = await fetch("/api/orders");
        return { status, type: headers.get("content-type"), redirected };
      });
    const type = "application/problem+json";
    assert.deepEqual(await ask(), { status: 401, type, redirected: false });
    await page.goto(`${origin}/oauth/login?return_to=/bye`);
    await signIn(page);
    assert.equal(page.url(), `${origin}/bye`);
    assert.equal((await ask()).status, 200);
  });

  test("tokens are renewed once for many requests at once, with sessions in cookies and in Redis", async (t) => {
    await Promise.all([renewals(t, "shop", ""), renewals(t, "club", "/club")]);
  });

  async function renewals(t: TestContext, client: string, base: string): Promise<void> {
    const page = await (await newBrowser(t)).newPage();
    await page.goto(`${origin}${base}/`);
    await signIn(page);
    const count = provider.grants.length;
    const asked = new Set([(await seenIn(page)).headers["authorization"]!]);
    const deadline = Date.now() + ACCESS_TOKEN_TTL_S * 1000;
    // Past the token's end, with many requests under way as it is renewed.
    while (Date.now() < deadline || asked.size < 2) {
      const answers = await page.evaluate(async (path) => {
        const one = async () => {
          const response = await fetch(path);
          return response.ok ? ((await response.json()) as SeenRequest).headers : response.status;
        };
        return await Promise.all(Array.from({ length: 12 }, one));
      }, `${base}/api`);
      for (const headers of answers) {
        assert.ok(typeof headers === "object", JSON.stringify(headers));
        asked.add(headers["authorization"]!);
      }
    }
    const own = provider.grants.slice(count).filter((grant) => grant.startsWith(client));
    const one = `${client} refresh_token`;
    assert.deepEqual(
      own,
      Array.from({ length: asked.size - 1 }, () => one),
    );
  }

  test("signing out ends it here and at the provider", async (t) => {
    const context = await newBrowser(t);
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await signIn(page);
    const cookies = await context.cookies(origin);
    const session = cookies.find(({ name }) => name === "__Host-gateward-session");
    await page.evaluate(`document.body.innerHTML =
      '<form method="post" action="/oauth/logout"><button>Sign out</button></form>'`);
    await page.click("button");
    await page.waitForURL(`${provider.issuer}/session/end?**`);
    await page.click("button[value=yes]");
    await page.waitForURL(`${origin}/bye`);
    const left = (await context.cookies(origin)).map(({ name }) => name);
    assert.ok(!left.includes("__Host-gateward-session"), left.join());
    await page.goto(`${origin}/again`);
    assert.ok(page.url().startsWith(provider.issuer), "the provider asks for the password again");
    // A copy of the cookie that somebody has kept.
    await context.addCookies([session!]);
    await page.goto(`${origin}/stolen`);
    assert.ok(page.url().startsWith(provider.issuer));
  });

  test("a page of another site signs nobody out, and makes no use of the session", async (t) => {
    const context = await newBrowser(t);
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await signIn(page);
    const attacker = await context.newPage();
    const url = `${origin}/oauth/logout`;
    const visit = (attack: string) => attacker.goto(`${evil}/${attack}?${encodeURIComponent(url)}`);
    // What was answered is no image, and the browser tells nobody of it.
    const ended = attacker.waitForEvent("requestfailed", (request) => request.url() === url);
    await Promise.all([ended, visit("image")]);
    for (const attack of ["form", "link"]) {
      const answered = attacker.waitForResponse(url);
      const [response] = await Promise.all([answered, visit(attack).catch(() => {})]);
      assert.equal(response.status(), 403, attack);
    }
    await page.goto(`${origin}/still`);
    assert.equal(page.url(), `${origin}/still`);
  });

  test("a sign-in that somebody else has begun is refused", async (t) => {
    const [theirs, mine] = [await newBrowser(t), await newBrowser(t)];
    const attacker = await theirs.newPage();
    await attacker.goto(`${origin}/`);
    const [callback] = await Promise.all([
      attacker.waitForRequest((request) => request.url().startsWith(`${origin}/oauth/callback?`)),
      signIn(attacker, "mallory"),
    ]);
    const victim = await mine.newPage();
    const response = await victim.goto(callback.url());
    assert.equal(response!.status(), 400);
    assert.equal(((await response!.json()) as { code: string }).code, "not-begun");
    assert.deepEqual(await mine.cookies(origin), []);
  });

  test("over plain http on this machine, where that is allowed, HTTP/1.1 does it too", async () => {
    const plain = `http://localhost:${gateway.ports[1]}`;
    const headers = { accept: "text/html" };
    const [invitation] = (await once(get(`${plain}/deep`, { headers }), "response")) as [
      IncomingMessage,
    ];
    invitation.resume();
    assert.equal(invitation.statusCode, 302);
    const location = new URL(invitation.headers.location!);
    assert.equal(location.searchParams.get("redirect_uri"), `${plain}/oauth/callback`);
    const [cookie = ""] = invitation.headers["set-cookie"]!;
    assert.match(cookie, /^gateward-session-login\./);
    assert.doesNotMatch(cookie, /Secure/);
  });

  test("a provider that is down hurts nobody who has signed in, and answers logins with a 503", async (t) => {
    const context = await newBrowser(t);
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await signIn(page);
    provider.close();
    t.after(() => provider.open());
    const response = await page.goto(`${origin}/later`);
    assert.equal(response!.status(), 200);
    // Where it leads to is known; what it says of tokens is not.
    const deadline = Date.now() + ACCESS_TOKEN_TTL_S * 1000 + 2000;
    let status = 200;
    while (status === 200 && Date.now() < deadline) {
      status = await page.evaluate(async () => (await fetch("/api")).status);
    }
    assert.equal(status, 503);
    provider.open();
    while (status === 503 && Date.now() < deadline + 5000) {
      status = await page.evaluate(async () => (await fetch("/api")).status);
    }
    assert.equal(status, 200, "nobody has to sign in again");
  });

  test("while Redis does not answer, its sessions get a 503, and go on afterwards", async (t) => {
    const page = await (await newBrowser(t)).newPage();
    await page.goto(`${origin}/club/`);
    await signIn(page);
    redis.pause();
    t.after(() => redis.resume());
    const response = await page.goto(`${origin}/club/`);
    assert.equal(response!.status(), 503);
    assert.equal(((await response!.json()) as { code: string }).code, "store");
    redis.resume();
    let status = 503;
    const deadline = Date.now() + 5000;
    while (status === 503 && Date.now() < deadline) status = (await page.reload())!.status();
    assert.equal(status, 200);
  });

  test("tokens and secrets are in no log", () => {
    assert.doesNotMatch(gateway.output, /eyJ|secret of|code=|thirty-two/);
  });

  /** A site that nobody should visit: it makes browsers send requests. */
  async function startEvilSite(): Promise<string> {
    const server = createServer((request, response) => {
      const url = decodeURIComponent(request.url!.split("?")[1] ?? "");
      const attacks: Record<string, string> = {
        "/image": `<img src="${url}">`,
        "/form": `<form method="post" action="${url}"></form><script>document.forms[0].submit()</script>`,
        "/link": `<script>location.href = "${url}"</script>`,
      };
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html>${attacks[request.url!.split("?")[0]!] ?? ""}`);
    });
    return await listen(server);
  }

  /** Answers with what it was sent. */
  async function startEcho(): Promise<string> {
    const server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ url: request.url, headers: request.headers }));
    });
    return await listen(server);
  }
});

interface SeenRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the echo of the page that is shown has seen. */
async function seenIn(page: Page): Promise<SeenRequest> {
  return JSON.parse(await page.innerText("body")) as SeenRequest;
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  shared.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
