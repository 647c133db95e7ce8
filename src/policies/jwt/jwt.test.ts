import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenScene } from "../../../test/support/token-scene.ts";
import type { Consumer, Consumers, Credential } from "../../policy/consumers.ts";
import { TestIssuer, publicJwk, testKey } from "../../testing/test-issuer.ts";
import { checkJwt } from "./jwt-options.ts";
import jwt from "./jwt.ts";

const ISSUER = "https://id.example.com";
const JWKS = `${ISSUER}/keys`;

/** Keys take a moment to make; tests that change none share these. */
const key = testKey("k1");
const secret = "0123456789abcdef0123456789abcdef";
const jwk = await publicJwk(key);

function sceneOf() {
  const scene = new TokenScene();
  const issuer = new TestIssuer(ISSUER, [key], () => scene.clock.now());
  return { scene, issuer };
}

test("jwt: a token of the issuer says who is calling", async () => {
  const { scene, issuer } = sceneOf();
  scene.outbound.on(JWKS, { body: await issuer.jwks() });
  const policy = scene.compile(jwt, { jwks: JWKS, issuer: ISSUER, audience: "orders" });
  const claims = {
    aud: ["billing", "orders"],
    scope: "read write",
    roles: ["admin"],
    realm_access: { roles: ["user", 7] },
    groups: "staff",
    tenant: "acme",
  };
  const token = await issuer.sign(claims);
  const { result, identity, sent } = await policy.ask(token);
  assert.equal(result, "ok");
  assert.equal(identity!.method, "jwt");
  assert.equal(identity!.subject, "alice");
  assert.equal(identity!.issuer, ISSUER);
  assert.equal(identity!.consumer, null);
  assert.deepEqual(identity!.scopes, ["read", "write"]);
  assert.deepEqual(identity!.roles, ["admin", "user"]);
  assert.deepEqual(identity!.groups, ["staff"]);
  assert.equal(identity!.claims["tenant"], "acme");
  assert.equal(identity!.expiresAtMs, scene.clock.now() + 330_000);
  assert.deepEqual(sent, [`authorization: Bearer ${token}`]);
});

test("jwt: a known token is accepted at once, by the same identity", async () => {
  const { scene, issuer } = sceneOf();
  scene.outbound.on(JWKS, { body: await issuer.jwks() });
  const policy = scene.compile(jwt, { jwks: JWKS, issuer: ISSUER });
  const token = await issuer.sign();
  assert.equal(policy.isImmediate(token), false);
  const first = await policy.ask(token);
  assert.equal(policy.isImmediate(token), true);
  assert.equal((await policy.ask(token)).identity, first.identity);
  // Another token needs no promise either, once the keys are there.
  assert.equal(policy.isImmediate(await issuer.sign({ sub: "bob" })), true);
});

test("jwt: a request without a token is told what would do", async () => {
  const { scene } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk }, realm: "orders" });
  const headers = [{}, { authorization: "Basic YTpi" }, { authorization: "Bearerx y" }];
  for (const each of headers) {
    const { result, status, challenge } = await policy.askWith(each);
    assert.deepEqual([result, status], ["authentication-required", 401]);
    assert.equal(challenge, 'Bearer realm="orders"');
  }
});

test("jwt: a refusal says why, as RFC 6750 wants it", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk } });
  const { status, challenge } = await policy.ask(await issuer.sign({ exp: 1 }));
  assert.equal(status, 401);
  assert.equal(
    challenge,
    'Bearer realm="api", error="invalid_token", error_description="The token has expired."',
  );
});

test("jwt: the scheme is read in any case", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk } });
  const token = await issuer.sign();
  for (const scheme of ["bearer ", "BEARER ", "Bearer   "]) {
    assert.equal((await policy.askWith({ authorization: scheme + token })).result, "ok", scheme);
  }
  for (const value of ["Bearer", "bearer ", `Bearer ${token} x`, `Bearer x ${token}`]) {
    const { result } = await policy.askWith({ authorization: value });
    assert.equal(result, "token-malformed", value);
  }
});

test("jwt: keys are found by OpenID discovery where only the issuer is known", async () => {
  const { scene, issuer } = sceneOf();
  const metadata = `${ISSUER}/.well-known/openid-configuration`;
  scene.outbound.on(JWKS, { body: await issuer.jwks() });
  scene.outbound.on(metadata, { body: { issuer: ISSUER, jwks_uri: JWKS } });
  const policy = scene.compile(jwt, { issuer: ISSUER });
  assert.equal((await policy.ask(await issuer.sign())).result, "ok");
  for (const said of [
    { issuer: "https://other.example.com", jwks_uri: JWKS },
    { issuer: ISSUER },
    { issuer: ISSUER, jwks_uri: JWKS.replace("https:", "http:") },
  ]) {
    const other = sceneOf().scene;
    other.outbound.on(JWKS, { body: await issuer.jwks() }).on(metadata, { body: said });
    const refused = await other.compile(jwt, { issuer: ISSUER }).ask(await issuer.sign());
    assert.deepEqual([refused.result, refused.status], ["keys-unavailable", 503]);
  }
});

test("jwt: several issuers have their own keys and audiences", async () => {
  const { scene, issuer } = sceneOf();
  const partner = new TestIssuer("partner", [testKey("k1")], () => scene.clock.now());
  scene.outbound.on(JWKS, { body: await issuer.jwks() });
  const policy = scene.compile(jwt, {
    issuers: [
      { issuer: ISSUER, jwks: JWKS, audience: "orders" },
      { issuer: "partner", keys: { jwk: await publicJwk(partner.keys[0]!) }, audience: "partners" },
    ],
  });
  const ask = async (token: Promise<string>) => (await policy.ask(await token)).result;
  assert.equal(await ask(issuer.sign({ aud: "orders" })), "ok");
  assert.equal(await ask(partner.sign({ aud: "partners" })), "ok");
  assert.equal(await ask(partner.sign({ aud: "orders" })), "audience");
  assert.equal(await ask(issuer.sign({ aud: "partners" })), "audience");
  // One issuer's key proves nothing about the other, though it has the same id.
  assert.equal(await ask(partner.sign({ iss: ISSUER, aud: "orders" })), "signature");
  assert.equal(await ask(issuer.sign({ iss: "nobody" })), "issuer");
  assert.equal(await ask(issuer.sign({ iss: undefined })), "issuer");
});

test("jwt: times are kept to the second, with leeway on both sides", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk }, leeway: "10s", maxAge: "1h" });
  const now = scene.nowS;
  const cases: [claims: Record<string, unknown>, result: string][] = [
    [{ exp: now - 9 }, "ok"],
    [{ exp: now - 10 }, "expired"],
    [{ nbf: now + 10 }, "ok"],
    [{ nbf: now + 11 }, "not-yet-valid"],
    [{ iat: now + 10 }, "ok"],
    [{ iat: now + 11 }, "issued-in-future"],
    [{ iat: now - 3609 }, "ok"],
    [{ iat: now - 3610 }, "too-old"],
    [{ iat: undefined }, "claim-missing"],
    [{ exp: undefined }, "expiry-missing"],
    [{ exp: now + 0.5 }, "ok"],
    [{ exp: String(now + 100) }, "claim-malformed"],
    [{ nbf: null }, "claim-malformed"],
    [{ iat: [now] }, "claim-malformed"],
  ];
  for (const [claims, result] of cases) {
    const token = await issuer.sign(claims);
    assert.equal((await policy.ask(token)).result, result, JSON.stringify(claims));
  }
});

test("jwt: a token is forgotten the moment it expires", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk }, leeway: "0s" });
  const token = await issuer.sign();
  assert.equal((await policy.ask(token)).result, "ok");
  scene.clock.advance(299_999);
  assert.equal((await policy.ask(token)).result, "ok");
  scene.clock.advance(1);
  assert.equal((await policy.ask(token)).result, "expired");
});

test("jwt: a token without an end is accepted where that is wanted", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk }, requireExpiry: false });
  const token = await issuer.sign({ exp: undefined });
  assert.equal((await policy.ask(token)).identity!.expiresAtMs, Infinity);
});

test("jwt: claims that are required have to be there, with the value asked for", async () => {
  const { scene, issuer } = sceneOf();
  const requiredClaims = { tenant: ["acme", "umbrella"], "app.level": 3, email_verified: true };
  const policy = scene.compile(jwt, { keys: { jwk }, requiredClaims });
  const good = { tenant: "acme", app: { level: [2, 3] }, email_verified: true };
  assert.equal((await policy.ask(await issuer.sign(good))).result, "ok");
  for (const claims of [
    { ...good, tenant: "other" },
    { ...good, app: { level: "3" } },
    { ...good, email_verified: undefined },
    { ...good, email_verified: "true" },
  ]) {
    assert.equal((await policy.ask(await issuer.sign(claims))).result, "claim-missing");
  }
  const names = scene.compile(jwt, { keys: { jwk }, requiredClaims: ["tenant", "constructor"] });
  assert.equal((await names.ask(await issuer.sign(good))).result, "claim-missing");
});

test("jwt: the type of a token is checked", async () => {
  const { scene, issuer } = sceneOf();
  const any = scene.compile(jwt, { keys: { jwk } });
  const access = scene.compile(jwt, { keys: { jwk }, types: "at+jwt" });
  const typed = async (typ: unknown) => await issuer.sign({}, { header: { typ } });
  for (const typ of ["JWT", "jwt", "at+jwt", "application/at+jwt"]) {
    assert.equal((await any.ask(await typed(typ))).result, "ok", typ);
  }
  for (const typ of ["logout+jwt", "dpop+jwt"]) {
    assert.equal((await any.ask(await typed(typ))).result, "token-type", typ);
  }
  assert.equal((await access.ask(await typed("application/AT+jwt"))).result, "ok");
  assert.equal((await access.ask(await typed("JWT"))).result, "token-type");
  assert.equal((await access.ask(await issuer.sign())).result, "token-type");
});

test("jwt: tokens are read where the options say, and from one place only", async () => {
  const { scene, issuer } = sceneOf();
  const places = ["authorization", { header: "X-Token" }, { cookie: "token" }, { query: "t" }];
  const policy = scene.compile(jwt, { keys: { jwk }, in: places as never, strip: true });
  const token = await issuer.sign();
  const cookie = `a=1; token=${token}; b=2`;
  const cases = [
    [{ authorization: `Bearer ${token}`, accept: "x" }, "/", ["accept: x"]],
    [{ "x-token": token }, "/", []],
    [{ "x-token": `bearer ${token}` }, "/", []],
    [{ cookie }, "/", ["cookie: a=1; b=2"]],
    [{}, `/?a=1&t=${token}&b`, []],
  ] as const;
  for (const [headers, target, sent] of cases) {
    const outcome = await policy.askWith(headers, { target });
    assert.equal(outcome.result, "ok", JSON.stringify(headers));
    assert.deepEqual(outcome.sent, sent);
    assert.ok(!outcome.query.includes(token));
  }
  for (const [headers, target] of [
    [{ cookie: `token=${token}; token=evil` }, "/"],
    [{}, `/?t=${token}&t=evil`],
    [{}, `/?t=${token}&%74=evil`],
  ] as const) {
    assert.equal((await policy.askWith(headers, { target })).result, "several-tokens");
  }
  const two = await policy.askWith({ "x-token": token, cookie });
  assert.equal(two.result, "several-tokens");
  assert.match(two.challenge, /error="invalid_request"/);
  const twice = await policy.askWith({ authorization: [`Bearer ${token}`, `Bearer ${token}`] });
  assert.equal(twice.result, "token-malformed");
});

test("jwt: a place has one name", () => {
  for (const place of [{}, { header: "a", cookie: "b" }, [], { header: "a b" }, "cookie"]) {
    assert.equal(jwt.schema.safeParse({ in: place }).success, false, JSON.stringify(place));
  }
});

test("jwt: by default no cookie and no query is looked at", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk } });
  const token = await issuer.sign();
  const outcome = await policy.askWith(
    { cookie: `access_token=${token}` },
    { target: `/?access_token=${token}` },
  );
  assert.equal(outcome.result, "authentication-required");
});

test("jwt: keys of all kinds stand in the configuration", async () => {
  const { scene, issuer } = sceneOf();
  const pem = key.publicKey.export({ type: "spki", format: "pem" });
  scene.files = { "keys/a.pem": pem };
  const shared = { kid: "s", alg: "HS256", privateKey: Buffer.from(secret) as never };
  const byPem = scene.compile(jwt, { keys: [{ pem }] });
  const byFile = scene.compile(jwt, { keys: [{ file: "keys/a.pem", kid: "k1" }] });
  const bySecret = scene.compile(jwt, { keys: [{ secret }] });
  const byBase64 = scene.compile(jwt, {
    keys: [{ secret: Buffer.from(secret).toString("base64"), encoding: "base64" }],
  });
  const signed = await issuer.sign();
  const shortened = await issuer.sign({}, { key: shared as never });
  assert.equal((await byPem.ask(signed)).result, "ok");
  assert.equal((await byFile.ask(signed)).result, "ok");
  assert.equal((await bySecret.ask(shortened)).result, "ok");
  assert.equal((await byBase64.ask(shortened)).result, "ok");
  assert.notEqual((await bySecret.ask(signed)).result, "ok");
});

test("jwt: a file that holds no key is named when the policy is compiled", () => {
  const { scene } = sceneOf();
  scene.files = { "a.pem": "nothing" };
  assert.throws(() => scene.compile(jwt, { keys: [{ file: "a.pem" }] }), /^Refusal: a\.pem: not a/);
});

test("jwt: keys that prove nothing are refused where they are written", () => {
  const privatePem = key.privateKey.export({ type: "pkcs8", format: "pem" });
  const publicPem = key.publicKey.export({ type: "spki", format: "pem" });
  const refused: [object, RegExp][] = [
    [{ secret: "too short" }, /a secret of 9 bytes can be guessed/],
    [{ secret, alg: "HS512" }, /a secret of 32 bytes/],
    [{ secret: publicPem }, /a key or certificate as a secret/],
    [{ secret, alg: "RS256" }, /RS256 needs a public key/],
    [{ pem: privatePem }, /a private key/],
    [{ pem: publicPem, alg: "RS256" }, /does not go with RS256/],
    [{ pem: publicPem, alg: "HS256" }, /does not go with HS256/],
    [{ pem: "x" }, /not a public key/],
    [{ jwk: { kty: "oct", k: "c2VjcmV0" } }, /keys of type oct/],
    [{ jwk: { ...jwk, use: "enc" } }, /a key for "enc"/],
    [{ pem: publicPem, secret }, /pem and secret in one key/],
    [{}, /no key/],
  ];
  for (const [one, message] of refused) {
    const { error } = jwt.schema.safeParse({ keys: [one] });
    assert.match(error?.issues.map((issue) => issue.message).join() ?? "", message);
  }
});

test("jwt: senseless options are told", () => {
  const mistakesOf = (options: object) =>
    checkJwt(jwt.schema.parse(options)).map(({ message, isWarning = false }) => {
      return (isWarning ? "warning: " : "") + message;
    });
  const fine = { issuer: ISSUER, audience: "a" };
  assert.deepEqual(mistakesOf(fine), []);
  assert.deepEqual(mistakesOf({}), ["trusts no key, so every token would be refused"]);
  assert.deepEqual(mistakesOf({ ...fine, jwks: JWKS, keys: { jwk } }), ["keys beside jwks"]);
  assert.deepEqual(mistakesOf({ issuer: "me", audience: "a" }), ["no keys can be found there"]);
  assert.deepEqual(mistakesOf({ ...fine, algorithms: "HS256" }), [
    "only algorithms of secrets, which no server publishes",
  ]);
  assert.deepEqual(mistakesOf({ jwks: "http://id.example.com/keys" }), [
    "warning: any issuer that the keys vouch for is accepted",
    "warning: tokens that were made for other services are accepted",
    "warning: keys that come without TLS can be replaced on their way",
  ]);
  const issuers = [fine, fine, { jwks: JWKS, audience: "a" }];
  assert.deepEqual(mistakesOf({ issuers, audience: "b" }), [
    "audience beside issuers",
    `${ISSUER} stands there already`,
    "any issuer that the keys vouch for is accepted",
  ]);
});

test("jwt: where nothing is trusted, nobody passes", async () => {
  const { scene, issuer } = sceneOf();
  assert.equal((await scene.compile(jwt, {}).ask(await issuer.sign())).result, "issuer");
});

test("jwt: the consumer is the one that lists the issuer and subject", async () => {
  const { scene, issuer } = sceneOf();
  const { consumers, move } = consumersOf({ [`${ISSUER}\nalice`]: consumer("shop") });
  scene.consumers = consumers;
  const policy = scene.compile(jwt, { keys: { jwk }, consumer: { required: true } });
  const token = await issuer.sign({ scope: "read" });
  const { identity } = await policy.ask(token);
  assert.equal(identity!.consumer!.name, "shop");
  assert.equal(identity!.subject, "alice");
  assert.equal((await policy.ask(await issuer.sign({ sub: "eve" }))).result, "consumer-unknown");
  // A change is seen although the token is remembered.
  move({ [`\nalice`]: consumer("other") });
  assert.equal((await policy.ask(token)).identity!.consumer!.name, "other");
  move({});
  assert.equal((await policy.ask(token)).result, "consumer-unknown");
  move({ [`\nalice`]: consumer("other", scene.clock.now()) });
  assert.equal((await policy.ask(token)).result, "consumer-unknown");
});

test("jwt: the consumer is the one that a claim names", async () => {
  const { scene, issuer } = sceneOf();
  scene.consumers = consumersOf({ x: consumer("shop") }).consumers;
  const policy = scene.compile(jwt, { keys: { jwk }, consumer: { claim: "azp" } });
  const known = await policy.ask(await issuer.sign({ azp: "shop" }));
  assert.equal(known.identity!.consumer!.name, "shop");
  const unknown = await policy.ask(await issuer.sign({ azp: "other" }));
  assert.equal(unknown.identity!.consumer, null);
});

test("jwt: a token says whom it is about, or is refused", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { keys: { jwk } });
  const machine = await policy.ask(await issuer.sign({ sub: undefined, client_id: "ci" }));
  assert.equal(machine.identity!.subject, "ci");
  const nobody = await policy.ask(await issuer.sign({ sub: undefined }));
  assert.equal(nobody.result, "subject-missing");
});

function consumer(name: string, expiresAtMs = Infinity): Credential {
  const empty: readonly string[] = [];
  const one: Consumer = {
    name,
    groups: empty,
    roles: empty,
    scopes: empty,
    metadata: {},
    plan: "",
  };
  return { kind: "token", consumer: one, name: "", secret: "", expiresAtMs, scopes: empty };
}

/** Consumers by what their tokens are looked up by; `move` replaces them. */
function consumersOf(first: Record<string, Credential>) {
  let known = first;
  let version = 1;
  const consumers: Consumers = {
    get version() {
      return version;
    },
    byName: (name) => Object.values(known).find((one) => one.consumer.name === name)?.consumer,
    find: (kind, id) => (kind === "token" ? known[id] : undefined),
  };
  const move = (next: Record<string, Credential>): void => {
    known = next;
    version++;
  };
  return { consumers, move };
}
