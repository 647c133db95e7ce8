/** Keys behind a URL, over time: fetched when needed, renewed, revoked, and kept through an outage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenScene } from "../../../test/support/token-scene.ts";
import type { TestAnswer } from "../../testing/test-outbound.ts";
import { TestIssuer, testKey } from "../../testing/test-issuer.ts";
import jwt from "./jwt.ts";

const ISSUER = "https://id.example.com";
const JWKS = `${ISSUER}/keys`;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const first = testKey("first");
const second = testKey("second");

interface Options {
  fetch?: Record<string, string>;
  headers?: Record<string, string>;
}

function sceneOf({ fetch = {}, headers = {} }: Options = {}) {
  const scene = new TokenScene();
  const issuer = new TestIssuer(ISSUER, [first], () => scene.clock.now());
  const serve = async (): Promise<TestAnswer> => ({ body: await issuer.jwks(), headers });
  scene.outbound.on(JWKS, serve);
  const options = { jwks: JWKS, issuer: ISSUER, audience: "a", fetch };
  const policy = scene.compile(jwt, options);
  const signWith = async (key = first) =>
    await issuer.sign({ aud: "a", exp: scene.nowS + 1e6 }, { key });
  /** Lets fetches that nobody waits for come to their end. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    await new Promise(setImmediate);
  };
  return {
    scene,
    issuer,
    policy,
    options,
    serve,
    signWith,
    settle,
    count: () => scene.outbound.count(JWKS),
    move: (ms: number) => scene.clock.advance(ms),
    away: () => scene.outbound.away(JWKS),
    back: () => scene.outbound.on(JWKS, serve),
    result: async (token: string) => (await policy.ask(token)).result,
  };
}

test("keys: are fetched when the first token needs them, once for all who wait", async () => {
  const { count, signWith, result } = sceneOf();
  assert.equal(count(), 0);
  const tokens = await Promise.all([signWith(), signWith(), signWith()]);
  assert.deepEqual(await Promise.all(tokens.map(result)), ["ok", "ok", "ok"]);
  assert.equal(count(), 1);
});

test("keys: a token of another kind waits for nobody while they are fetched", async () => {
  const { scene, policy, signWith } = sceneOf();
  const { promise, resolve } = Promise.withResolvers<TestAnswer>();
  scene.outbound.on(JWKS, () => promise);
  assert.equal(policy.isImmediate(await signWith()), false);
  assert.equal(policy.isImmediate("nonsense"), true);
  resolve({});
});

test("keys: are renewed in the background, and serve meanwhile", async () => {
  const { policy, count, signWith, settle, move } = sceneOf();
  const token = await signWith();
  await policy.ask(token);
  move(10 * MINUTE_MS - 1);
  assert.equal(policy.isImmediate(token), true);
  assert.equal(count(), 1);
  move(1);
  assert.equal(policy.isImmediate(token), true);
  assert.equal(policy.isImmediate(await signWith()), true);
  assert.equal(count(), 2);
  await settle();
  assert.equal(policy.isImmediate(token), true);
  assert.equal(count(), 2);
});

test("keys: a request after a long silence waits for fresh ones", async () => {
  const { policy, issuer, count, signWith, move, result } = sceneOf();
  const token = await signWith();
  await policy.ask(token);
  issuer.keys = [second];
  move(20 * MINUTE_MS);
  assert.equal(policy.isImmediate(token), false);
  assert.equal(await result(token), "unknown-key");
  assert.equal(count(), 2);
});

test("keys: Cache-Control says how long they are fresh, from a minute to an hour", async () => {
  const cases: [string, number][] = [
    ["public, max-age=1200", 20 * MINUTE_MS],
    ["max-age=5", MINUTE_MS],
    ["no-store, max-age=1200", MINUTE_MS],
    ["max-age=604800", HOUR_MS],
    ["private", 10 * MINUTE_MS],
  ];
  for (const [control, freshMs] of cases) {
    const { policy, count, signWith, move } = sceneOf({ headers: { "cache-control": control } });
    const token = await signWith();
    await policy.ask(token);
    move(freshMs - 1);
    policy.isImmediate(token);
    assert.equal(count(), 1, control);
    move(1);
    policy.isImmediate(token);
    assert.equal(count(), 2, control);
  }
});

test("keys: time that the answer spent in a cache counts", async () => {
  const headers = { "cache-control": "max-age=1200", age: "600" };
  const { policy, count, signWith, move } = sceneOf({ headers });
  const token = await signWith();
  await policy.ask(token);
  move(10 * MINUTE_MS);
  policy.isImmediate(token);
  assert.equal(count(), 2);
});

test("keys: a new key is picked up by the first token that names it", async () => {
  const { policy, issuer, count, signWith, move, result } = sceneOf();
  await policy.ask(await signWith());
  issuer.keys = [second, first];
  // Shortly after a fetch another one is not worth it.
  move(29_999);
  assert.equal(await result(await signWith(second)), "unknown-key");
  assert.equal(count(), 1);
  move(1);
  const results = await Promise.all(
    [signWith(second), signWith(), signWith(second)].map(async (token) => result(await token)),
  );
  assert.deepEqual(results, ["ok", "ok", "ok"]);
  assert.equal(count(), 2);
});

test("keys: a token that names a new key waits for a renewal that is under way", async () => {
  const { policy, issuer, count, signWith, move, result } = sceneOf({ fetch: { refresh: "10s" } });
  await policy.ask(await signWith());
  issuer.keys = [second];
  move(10_000);
  assert.equal(await result(await signWith(second)), "ok");
  assert.equal(count(), 2);
});

test("keys: what a revoked key has proved holds no longer, and the rest does", async () => {
  const { policy, issuer, signWith, settle, move, result } = sceneOf();
  issuer.keys = [first, second];
  const [old, other] = [await signWith(first), await signWith(second)];
  const { identity } = await policy.ask(other);
  assert.equal(await result(old), "ok");
  issuer.keys = [second];
  move(10 * MINUTE_MS);
  assert.equal(await result(old), "ok", "serves while the keys are fetched");
  await settle();
  assert.equal(await result(old), "unknown-key");
  const after = await policy.ask(other);
  assert.equal(after.identity, identity, "still remembered");
});

test("keys: another key under the same id replaces the first", async () => {
  const { issuer, signWith, settle, move, result } = sceneOf();
  const token = await signWith();
  await result(token);
  issuer.keys = [testKey("first")];
  move(10 * MINUTE_MS);
  await result(token);
  await settle();
  assert.equal(await result(token), "signature");
});

test("keys: at the start their server may be away: 503, and at growing distances another try", async () => {
  const { policy, count, signWith, move, away, back, result } = sceneOf();
  away();
  const token = await signWith();
  const refused = await policy.ask(token);
  assert.deepEqual([refused.result, refused.status], ["keys-unavailable", 503]);
  assert.equal(policy.isImmediate(token), true);
  assert.equal(await result(token), "keys-unavailable");
  assert.equal(count(), 1);
  const triedAfterS: number[] = [];
  for (let passedS = 1; passedS <= 120; passedS++) {
    move(1000);
    const before = count();
    await result(token);
    if (count() > before) triedAfterS.push(passedS);
  }
  assert.deepEqual(triedAfterS, [1, 3, 7, 15, 31, 61, 91]);
  back();
  move(30_000);
  assert.equal(await result(token), "ok");
});

test("keys: the last good ones serve through an outage, until it has lasted too long", async () => {
  const { policy, count, signWith, settle, move, away, back, result } = sceneOf({
    fetch: { outage: "2h" },
  });
  const token = await signWith();
  await result(token);
  away();
  move(10 * MINUTE_MS);
  assert.equal(policy.isImmediate(token), true);
  await settle();
  for (let minutes = 11; minutes < 120; minutes++) {
    move(MINUTE_MS);
    // Neither the known token nor a new one waits.
    assert.equal(policy.isImmediate(token), true);
    assert.equal(await result(token), "ok", `after ${minutes} minutes`);
    assert.equal(policy.isImmediate(await signWith()), true);
    await settle();
  }
  assert.ok(count() <= 111, String(count()));
  move(MINUTE_MS);
  assert.equal(await result(token), "keys-unavailable");
  back();
  move(30_000);
  assert.equal(await result(token), "ok");
});

test("keys: a rotation during an outage costs the new tokens a 503, not a 401, until it is over", async () => {
  const { policy, issuer, signWith, settle, move, away, back, result } = sceneOf();
  const old = await signWith();
  await result(old);
  away();
  issuer.keys = [second, first];
  move(30_000);
  const next = await signWith(second);
  const refused = await policy.ask(next);
  assert.deepEqual([refused.result, refused.status], ["keys-unavailable", 503]);
  assert.equal(await result(next), "keys-unavailable");
  assert.equal(await result(old), "ok");
  back();
  move(1000);
  assert.equal(await result(next), "ok");
  assert.equal(await result(old), "ok");
  await settle();
});

test("keys: an answer that is no key set is an outage", async () => {
  const others = await new TestIssuer(ISSUER, [second]).jwks();
  const answers: TestAnswer[] = [
    { status: 500, body: others },
    { status: 302, headers: { location: "https://evil.example.com" } },
    { body: "<html>" },
    { body: { keys: [] } },
    { body: { keys: [{ kty: "oct", k: "c2VjcmV0", kid: "first" }] } },
    { body: { keys: Array.from({ length: 101 }, () => ({})) } },
    { body: "[]" },
  ];
  const { scene, signWith, settle, move, result } = sceneOf();
  const token = await signWith();
  await result(token);
  for (const answer of answers) {
    scene.outbound.on(JWKS, answer);
    move(10 * MINUTE_MS);
    assert.equal(await result(token), "ok");
    await settle();
    assert.equal(await result(token), "ok", JSON.stringify(answer));
  }
});

test("keys: members of a set that are of no use are passed over", async () => {
  const { scene, issuer, signWith, result } = sceneOf();
  const { keys } = await issuer.jwks();
  const others = [{ kty: "OKP", crv: "X25519", x: "AA" }, { kty: "new" }, null, 1, { kty: "RSA" }];
  scene.outbound.on(JWKS, { body: { keys: [...others, ...keys] } });
  assert.equal(await result(await signWith()), "ok");
});

test("keys: outlive a reload, and are shared by all who fetch them alike", async () => {
  const { scene, options, count, signWith, result } = sceneOf();
  const token = await signWith();
  await result(token);
  const reloaded = scene.compile(jwt, options);
  assert.equal(reloaded.isImmediate(token), true);
  const elsewhere = scene.compile(jwt, { jwks: JWKS, issuer: ISSUER }, "another route");
  assert.equal((await elsewhere.ask(token)).result, "ok");
  assert.equal(count(), 1);
  const otherwise = scene.compile(jwt, { ...options, fetch: { cooldown: "1m" } });
  assert.equal((await otherwise.ask(token)).result, "ok");
  assert.equal(count(), 2);
});

test("keys: the authorities of the options vouch for their server", async () => {
  const { scene, signWith } = sceneOf();
  scene.files = { "ca.pem": "an authority" };
  const policy = scene.compile(jwt, { jwks: JWKS, fetch: { ca: "ca.pem", timeout: "2s" } });
  await policy.ask(await signWith());
  const { ca, timeoutMs } = scene.outbound.requests[0]!;
  assert.deepEqual([ca, timeoutMs], ["an authority", 2000]);
  assert.deepEqual(jwt.files!(jwt.schema.parse({ keys: { file: "a.pem" }, fetch: { ca: "b" } })), [
    "a.pem",
    "b",
  ]);
});
