import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { TokenScene } from "../../../test/support/token-scene.ts";
import type { Consumer } from "../../policy/consumers.ts";
import type { OutboundRequest } from "../../policy/outbound.ts";
import { checkIntrospection } from "./introspection-options.ts";
import type { TestAnswer } from "../../testing/test-outbound.ts";
import introspection from "./oauth2-introspection.ts";

const ENDPOINT = "https://id.example.com/introspect";
const plain = { endpoint: ENDPOINT, client: { id: "gateway", secret: "s3cret" } };

type Claims = Record<string, unknown>;
type Options = Partial<z.input<typeof introspection.schema>>;

/** A scene with a server that knows the tokens in `active`. */
function sceneOf(options: Options = {}) {
  const scene = new TokenScene();
  const active = new Map<string, Claims>();
  const serve = ({ body = "" }: OutboundRequest): TestAnswer => {
    const claims = active.get(new URLSearchParams(body).get("token")!);
    return { body: claims === undefined ? { active: false } : { active: true, ...claims } };
  };
  scene.outbound.on(ENDPOINT, serve);
  const policy = scene.compile(introspection, { ...plain, ...options });
  return {
    scene,
    active,
    policy,
    serve,
    count: () => scene.outbound.count(ENDPOINT),
    result: async (token: string) => (await policy.ask(token)).result,
  };
}

test("introspection: what the server says of a token says who is calling", async () => {
  const { scene, active, policy } = sceneOf({
    audience: "orders",
    issuer: "https://id.example.com",
  });
  const exp = scene.nowS + 300;
  active.set("opaque", {
    sub: "alice",
    scope: "read write",
    aud: ["orders"],
    exp,
    client_id: "app",
  });
  const { result, identity, sent } = await policy.ask("opaque");
  assert.equal(result, "ok");
  assert.equal(identity!.method, "oauth2-introspection");
  assert.equal(identity!.subject, "alice");
  assert.equal(identity!.issuer, "https://id.example.com");
  assert.deepEqual(identity!.scopes, ["read", "write"]);
  assert.equal(identity!.claims["client_id"], "app");
  assert.equal(identity!.expiresAtMs, exp * 1000 + 30_000);
  assert.deepEqual(sent, ["authorization: Bearer opaque"]);
});

test("introspection: the question is that of RFC 7662, and the credentials those of RFC 6749", async () => {
  const client = { id: "a:b", secret: "ä &=%" };
  const { scene, policy } = sceneOf({ client });
  await policy.ask("a+/=b");
  const { method, headers = {}, body, timeoutMs } = scene.outbound.requests[0]!;
  assert.deepEqual([method, timeoutMs], ["POST", 2000]);
  assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(body, "token=a%2B%2F%3Db&token_type_hint=access_token");
  const pair = Buffer.from(headers["authorization"]!.slice("Basic ".length), "base64").toString();
  assert.equal(pair, "a%3Ab:%C3%A4+%26%3D%25");

  const post = sceneOf({ client: { ...client, method: "post" } });
  await post.policy.ask("x");
  const sent = post.scene.outbound.requests[0]!;
  assert.equal(sent.headers!["authorization"], undefined);
  const fields = Object.fromEntries(new URLSearchParams(sent.body));
  assert.equal(fields["client_id"], "a:b");
  assert.equal(fields["client_secret"], "ä &=%");
});

test("introspection: a token that is not active is refused, also where `active` is no true", async () => {
  const { scene, policy } = sceneOf();
  const refused = await policy.ask("unknown");
  assert.deepEqual([refused.result, refused.status], ["inactive", 401]);
  assert.match(refused.challenge, /^Bearer realm="api", error="invalid_token", error_description=/);
  for (const active of ["true", 1, null, {}]) {
    scene.outbound.on(ENDPOINT, { body: { active, sub: "alice" } });
    scene.clock.advance(60_000);
    assert.equal((await policy.ask("unknown")).result, "introspection-unavailable");
  }
});

test("introspection: an answer holds for a while, at most until the token expires", async () => {
  const { scene, active, policy, count, result } = sceneOf({ leeway: "0s" });
  active.set("long", { sub: "a" });
  active.set("short", { sub: "a", exp: scene.nowS + 20 });
  const first = await policy.ask("long");
  assert.equal(await result("short"), "ok");
  scene.clock.advance(19_999);
  assert.equal(policy.isImmediate("long"), true);
  assert.equal((await policy.ask("long")).identity, first.identity);
  assert.equal(policy.isImmediate("short"), true);
  assert.equal(count(), 2);
  scene.clock.advance(1);
  assert.equal(await result("short"), "expired");
  assert.equal(count(), 3);
  active.delete("long");
  scene.clock.advance(39_999);
  assert.equal(await result("long"), "ok");
  scene.clock.advance(1);
  assert.equal(await result("long"), "inactive");
});

test("introspection: that a token is not active holds for a shorter while", async () => {
  const { scene, active, count, result } = sceneOf();
  assert.equal(await result("new"), "inactive");
  active.set("new", { sub: "a" });
  scene.clock.advance(9999);
  assert.equal(await result("new"), "inactive");
  assert.equal(count(), 1);
  scene.clock.advance(1);
  assert.equal(await result("new"), "ok");
});

test("introspection: without a cache every request asks", async () => {
  const { active, count, result } = sceneOf({ cache: { ttl: "0s", inactive: "0s" } });
  active.set("a", { sub: "a" });
  for (const token of ["a", "a", "b", "b"]) await result(token);
  assert.equal(count(), 4);
});

test("introspection: requests with the same token at the same time ask once", async () => {
  const { active, count, result } = sceneOf({ cache: { ttl: "0s" } });
  active.set("a", { sub: "a" });
  const results = await Promise.all(["a", "a", "b", "a"].map(result));
  assert.deepEqual(results, ["ok", "ok", "inactive", "ok"]);
  assert.equal(count(), 2);
});

test("introspection: made-up tokens do not push out those that are known", async () => {
  const { active, count, policy, result } = sceneOf({ remember: 100 });
  active.set("a", { sub: "a" });
  await result("a");
  for (let index = 0; index < 1000; index++) await result(`x${index}`);
  assert.equal(policy.isImmediate("a"), true);
  assert.equal(count(), 1001);
});

test("introspection: more questions at a time than the server can take are not asked", async () => {
  const { scene, result } = sceneOf();
  const { promise, resolve } = Promise.withResolvers<TestAnswer>();
  scene.outbound.on(ENDPOINT, () => promise);
  const asked = Array.from({ length: 210 }, (_, index) => result(`x${index}`));
  assert.equal(await asked[209], "introspection-unavailable");
  resolve({ body: { active: false } });
  const results = await Promise.all(asked);
  assert.equal(results.filter((one) => one === "inactive").length, 200);
});

test("introspection: while the server is away new tokens are answered 503", async () => {
  const { scene, active, policy, result } = sceneOf();
  active.set("a", { sub: "a" });
  await result("a");
  for (const answer of [
    undefined,
    { status: 401 },
    { body: "<html>" },
    { body: {} },
    { body: "[]" },
  ]) {
    if (answer === undefined) scene.outbound.away(ENDPOINT);
    else scene.outbound.on(ENDPOINT, answer);
    const refused = await policy.ask("b");
    assert.deepEqual([refused.result, refused.status], ["introspection-unavailable", 503]);
    assert.equal(await result("a"), "ok", "still fresh");
  }
  scene.clock.advance(60_000);
  assert.equal(await result("a"), "introspection-unavailable");
});

test("introspection: the last answer serves through an outage where that is wanted", async () => {
  const { scene, active, policy, count, serve, result } = sceneOf({ outage: "10m" });
  active.set("a", { sub: "a" });
  active.set("short", { sub: "a", exp: scene.nowS + 120 });
  await result("a");
  await result("short");
  scene.outbound.away(ENDPOINT);
  scene.clock.advance(60_000);
  assert.equal(await result("a"), "ok");
  // Not everyone has to find out anew that nobody answers.
  assert.equal(policy.isImmediate("a"), true);
  assert.equal(policy.isImmediate("short"), true);
  assert.equal(count(), 3);
  scene.clock.advance(90_000);
  assert.equal(await result("short"), "introspection-unavailable");
  scene.clock.advance(500_000);
  assert.equal(await result("a"), "ok");
  scene.clock.advance(10_000);
  assert.equal(await result("a"), "introspection-unavailable");
  scene.outbound.on(ENDPOINT, serve);
  active.delete("a");
  assert.equal(await result("a"), "inactive");
});

test("introspection: issuer, audience, times and claims are checked beside `active`", async () => {
  const { scene, active, result } = sceneOf({
    issuer: "me",
    audience: "orders",
    requiredClaims: { tenant: "acme" },
  });
  const good = { sub: "a", aud: "orders", tenant: "acme" };
  const cases: [Claims, string][] = [
    [good, "ok"],
    [{ ...good, iss: "me" }, "ok"],
    [{ ...good, iss: "other" }, "issuer"],
    [{ ...good, aud: "other" }, "audience"],
    [{ ...good, aud: undefined }, "audience"],
    [{ ...good, tenant: undefined }, "claim-missing"],
    [{ ...good, exp: scene.nowS - 31 }, "expired"],
    [{ ...good, nbf: scene.nowS + 31 }, "not-yet-valid"],
    [{ ...good, exp: "soon" }, "claim-malformed"],
    [{ ...good, sub: undefined }, "subject-missing"],
    [{ ...good, sub: undefined, client_id: "ci" }, "ok"],
  ];
  for (const [index, [claims, expected]] of cases.entries()) {
    active.set(`t${index}`, claims);
    assert.equal(await result(`t${index}`), expected, JSON.stringify(claims));
  }
});

test("introspection: what is remembered outlives a reload, and is nothing to another route", async () => {
  const { scene, active, policy, count } = sceneOf({ audience: "a" });
  active.set("t", { sub: "a", aud: "a" });
  await policy.ask("t");
  const reloaded = scene.compile(introspection, { ...plain, audience: "a" });
  assert.equal(reloaded.isImmediate("t"), true);
  const elsewhere = scene.compile(introspection, { ...plain, audience: "b" }, "elsewhere");
  assert.equal((await elsewhere.ask("t")).result, "audience");
  assert.equal(count(), 2);
});

test("introspection: a change of the consumers is seen although the token is remembered", async () => {
  const scene = new TokenScene();
  const shop: Consumer = {
    name: "shop",
    groups: [],
    roles: [],
    scopes: [],
    metadata: {},
    plan: "",
  };
  let known: Consumer | undefined = shop;
  let version = 1;
  scene.consumers = {
    get version() {
      return version;
    },
    byName: () => known,
    find: () => undefined,
  };
  scene.outbound.on(ENDPOINT, { body: { active: true, sub: "a", client_id: "shop" } });
  const consumer = { claim: "client_id", required: true };
  const policy = scene.compile(introspection, { ...plain, consumer });
  assert.equal((await policy.ask("t")).identity!.consumer, shop);
  known = undefined;
  version++;
  assert.equal(policy.isImmediate("t"), true);
  assert.equal((await policy.ask("t")).result, "consumer-unknown");
});

test("introspection: a token with anything but visible characters is not asked about", async () => {
  const { count, policy } = sceneOf({ tokenBytes: 100 });
  for (const value of ["Bearer \xe9", "Bearer a\tb", "Bearer a b"]) {
    const { result } = await policy.askWith({ authorization: value });
    assert.equal(result, "token-malformed", value);
  }
  assert.equal((await policy.ask("x".repeat(101))).result, "token-too-long");
  assert.equal(count(), 0);
});

test("introspection: senseless options are told", () => {
  const mistakesOf = (options: Options) =>
    checkIntrospection(introspection.schema.parse({ ...plain, ...options })).map(
      ({ message, isWarning }) => `${isWarning}: ${message}`,
    );
  assert.deepEqual(mistakesOf({ audience: "a" }), []);
  assert.deepEqual(mistakesOf({ audience: "a", endpoint: "http://localhost:1/x" }), []);
  assert.deepEqual(mistakesOf({ endpoint: "http://id.example.com/x" }), [
    "true: tokens that were made for other services are accepted",
    "true: tokens and the client's secret can be read on their way without TLS",
  ]);
  assert.equal(introspection.schema.safeParse({ ...plain, endpoint: "ftp://a" }).success, false);
});
