import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { requestOf, runPolicy, type PolicyScene } from "../../../test/support/policy-run.ts";
import { Fault } from "../../base/faults.ts";
import { Identity } from "../../policy/identity.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import csrf from "./csrf.ts";
import { CsrfTokens } from "./csrf-token.ts";

type Options = Parameters<typeof csrf.schema.parse>[0];
const secret = "0123456789abcdef0123456789abcdef";

/** "" where the request passed, else the code of the refusal. */
async function verdictOf(scene: PolicyScene, options?: Options): Promise<string> {
  const { verdict } = await runPolicy(csrf, options as never, { method: "POST", ...scene });
  if (verdict === undefined) return "";
  assert.ok(verdict instanceof Fault);
  assert.equal(verdict.name, "cross-site-request");
  assert.equal(verdict.status, 403);
  return verdict.code;
}

const own = "http://a.example";
const foreign = "https://evil.example";

test("csrf: what changes nothing passes, whoever made the browser send it", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    const headers = { origin: foreign, "sec-fetch-site": "cross-site" };
    assert.equal(await verdictOf({ method, headers }), "", method);
  }
});

test("csrf: a browser that says who is asking is believed", async () => {
  const sites = {
    "same-origin": "",
    none: "",
    "same-site": "cross-site",
    "cross-site": "cross-site",
  };
  for (const [site, expected] of Object.entries(sites)) {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "TRACE", "post", "PURGE"]) {
      const headers = { "sec-fetch-site": site };
      assert.equal(await verdictOf({ method, headers }), expected, `${method} ${site}`);
    }
  }
});

test("csrf: a site that is said twice, or is not known, is none", async () => {
  for (const site of [["same-origin", "cross-site"], "Same-Origin", "", "same-origin, none"]) {
    assert.equal(await verdictOf({ headers: { "sec-fetch-site": site } }), "cross-site");
  }
});

test("csrf: without Sec-Fetch-Site the origin has to be the own one, to the letter", async () => {
  assert.equal(await verdictOf({ headers: { origin: own } }), "");
  const others = [
    ...["null", "https://a.example", "http://a.example:8080", "http://sub.a.example", ""],
    ...["http://a.example.evil.example", "http://evil-a.example", "http://a.example@evil.example"],
    ...["http://a.example/", "http://A.example", "http://a.example, http://evil.example"],
  ];
  for (const origin of others)
    assert.equal(await verdictOf({ headers: { origin } }), "origin", origin);
  assert.equal(await verdictOf({ headers: { origin: [own, foreign] } }), "origin");
});

test("csrf: where there is no origin the page's address says it", async () => {
  assert.equal(await verdictOf({ headers: { referer: `${own}/page?x` } }), "");
  for (const referer of [
    ...[
      foreign,
      "http://a.example.evil.example/",
      `${foreign}/?${own}/`,
      "about:blank",
      "a.example",
    ],
    ...["http://a.example@evil.example/", "data:text/html,http://a.example/", ""],
  ]) {
    assert.equal(await verdictOf({ headers: { referer } }), "origin", referer);
  }
});

test("csrf: an origin of another site is not outdone by a page's address", async () => {
  assert.equal(await verdictOf({ headers: { origin: "null", referer: `${own}/` } }), "origin");
});

test("csrf: a request that says nothing of where it comes from is refused", async () => {
  assert.equal(await verdictOf({}), "origin-missing");
  assert.equal(await verdictOf({ headers: { cookie: "a=1" } }), "origin-missing");
});

test("csrf: without cookies such a request may pass where that is wanted, cookies or not gone since", async () => {
  const options = { cookiesOnly: true };
  assert.equal(await verdictOf({}, options), "");
  assert.equal(await verdictOf({ headers: { cookie: "a=1" } }, options), "origin-missing");
  const hooks = csrf.compile(csrf.schema.parse(options), environment());
  const exchange = requestOf({ method: "POST", headers: { cookie: "a=1" } });
  exchange.request.fields.remove("cookie");
  assert.ok((await hooks.onRequest!(exchange)) instanceof Fault);
});

test("csrf: listed origins may send requests, their neighbours may not", async () => {
  const options = { origins: ["https://App.example:443"] };
  const origin = "https://app.example";
  for (const site of [{}, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) {
    assert.equal(await verdictOf({ headers: { origin, ...site } }, options), "");
  }
  for (const other of [
    "https://sub.app.example",
    "http://app.example",
    "https://app.example:8443",
  ]) {
    assert.equal(await verdictOf({ headers: { origin: other } }, options), "origin");
  }
  assert.equal(await verdictOf({ headers: { referer: `${origin}/x` } }, options), "");
  assert.equal(csrf.schema.safeParse({ origins: ["https://*.example"] }).success, false);
});

test("csrf: behind a trusted proxy the own origin is what the browser asked for", async () => {
  const forwarded = { "x-forwarded-host": "app.example" };
  const headers = { origin: "http://app.example", ...forwarded };
  assert.equal(await verdictOf({ headers }), "origin");
  assert.equal(await verdictOf({ headers, isTrusted: true }), "");
});

test("csrf: a method in disguise, and the handshake of a WebSocket, change something", async () => {
  const headers = { "sec-fetch-site": "cross-site" };
  for (const name of ["X-HTTP-Method-Override", "x-http-method", "X-METHOD-OVERRIDE"]) {
    assert.equal(
      await verdictOf({ method: "GET", headers: { ...headers, [name]: "DELETE" } }),
      "cross-site",
    );
  }
  for (const target of ["/?_method=DELETE", "/?a=1&%5fmethod=put"]) {
    assert.equal(await verdictOf({ method: "GET", target, headers }), "cross-site", target);
  }
  const upgrade = { connection: "upgrade", upgrade: "websocket" };
  assert.equal(
    await verdictOf({ method: "GET", headers: { ...upgrade, origin: foreign } }),
    "origin",
  );
  assert.equal(await verdictOf({ method: "GET", headers: { ...upgrade, origin: own } }), "");
});

const withToken = { token: { secret, session: "sid" } };
const fromHere = { "sec-fetch-site": "same-origin" };

function tokenScene(token: string, sent: string, sid = "one"): PolicyScene {
  return {
    headers: { ...fromHere, cookie: `sid=${sid}; csrf-token=${token}`, "x-csrf-token": sent },
  };
}

test("csrf token: the one of the session passes, in cookie and header alike", async () => {
  const token = new CsrfTokens([secret]).issue("cookie\none");
  assert.equal(await verdictOf(tokenScene(token, token), withToken), "");
  assert.equal(await verdictOf(tokenScene(token, token, "two"), withToken), "token");
  assert.equal(await verdictOf(tokenScene(token, `${token}x`), withToken), "token");
  assert.equal(await verdictOf({ headers: fromHere }, withToken), "token");
  const planted = "A".repeat(64);
  assert.equal(await verdictOf(tokenScene(planted, planted), withToken), "token");
});

test("csrf token: it does not take the place of the origin", async () => {
  const token = new CsrfTokens([secret]).issue("cookie\none");
  const scene = tokenScene(token, token);
  const headers = { ...scene.headers, "sec-fetch-site": "cross-site" };
  assert.equal(await verdictOf({ headers }, withToken), "cross-site");
});

test("csrf token: older secrets still verify, others do not", () => {
  const older = "z".repeat(32);
  const token = new CsrfTokens([older]).issue("s");
  assert.equal(new CsrfTokens([secret, older]).isFor(token, "s"), true);
  assert.equal(new CsrfTokens([secret]).isFor(token, "s"), false);
});

test("csrf token: a page gets one in a cookie, unless it has one or others would share it", async () => {
  const scene = { method: "GET", headers: { cookie: "sid=one" } };
  const { answered } = await runPolicy(csrf, withToken, scene);
  const [, token = ""] = /^set-cookie: csrf-token=([\w-]{64}); Path=\/; SameSite=Lax$/.exec(
    answered[0]!,
  )!;
  assert.equal(await verdictOf(tokenScene(token, token), withToken), "");
  const known = { method: "GET", headers: { cookie: `sid=one; csrf-token=${token}` } };
  assert.deepEqual((await runPolicy(csrf, withToken, known)).answered, []);
  const responseHeaders = { "cache-control": "public, max-age=60" };
  const shared = await runPolicy(csrf, withToken, { ...scene, responseHeaders });
  assert.equal(shared.answered.length, 1);
});

test("csrf token: without a session's cookie it is for whom an earlier policy has identified", async () => {
  const options = csrf.schema.parse({ token: { secret } });
  assert.deepEqual(csrf.needs!(options), ["identity"]);
  const hooks = csrf.compile(options, environment());
  const token = new CsrfTokens([secret]).issue("identity\nhttps://id.example\nann\n");
  for (const [subject, passes] of [
    ["ann", true],
    ["bob", false],
  ] as const) {
    const exchange = requestOf({ method: "POST", ...tokenScene(token, token) });
    exchange.identify(new Identity({ method: "oidc", issuer: "https://id.example", subject }));
    assert.equal((await hooks.onRequest!(exchange)) === undefined, passes, subject);
  }
});

test("csrf token: over https the cookie is for https alone", async () => {
  const hooks = csrf.compile(csrf.schema.parse(withToken), environment());
  const exchange = requestOf({});
  exchange.scheme = "https";
  await hooks.onResponse!(exchange);
  assert.match(exchange.response.fields.get("set-cookie")!, /; Path=\/; SameSite=Lax; Secure$/);
});

test("csrf: a short secret is refused, and never repeated", () => {
  const { error } = csrf.schema.safeParse({ token: { secret: "hunter2" } });
  const message = z.prettifyError(error!);
  assert.match(message, /at least 32 characters/);
  assert.doesNotMatch(message, /hunter2/);
});

function environment() {
  return testEnvironment(csrf);
}
