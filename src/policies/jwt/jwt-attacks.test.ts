/** What an attacker would try with tokens. */
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { TokenScene } from "../../../test/support/token-scene.ts";
import { TestIssuer, publicJwk, testKey } from "../../testing/test-issuer.ts";
import jwt from "./jwt.ts";

const ISSUER = "https://id.example.com";
const JWKS = `${ISSUER}/keys`;
const rsa = testKey("rsa", "RS256");
const ec = testKey("ec", "ES256");
const jwks = { keys: [await publicJwk(rsa), await publicJwk(ec)] };

function sceneOf() {
  const scene = new TokenScene();
  scene.outbound.on(JWKS, { body: jwks });
  const issuer = new TestIssuer(ISSUER, [rsa, ec], () => scene.clock.now());
  const policy = scene.compile(jwt, { jwks: JWKS, issuer: ISSUER });
  return { scene, issuer, policy };
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** The parts of a token that is fine, to be put together otherwise. */
async function partsOf(issuer: TestIssuer, key = rsa): Promise<[string, string, string]> {
  return (await issuer.sign({}, { key })).split(".") as [string, string, string];
}

test("jwt attacks: `none` is no algorithm, however it is spelled", async () => {
  const { issuer, policy } = sceneOf();
  const [, payload, signature] = await partsOf(issuer);
  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    " none",
    "none ",
    null,
    0,
    [],
    ["RS256"],
  ]) {
    for (const end of ["", signature]) {
      const { result } = await policy.ask(`${encode({ alg, kid: "rsa" })}.${payload}.${end}`);
      assert.ok(
        result === "algorithm" || result === "token-malformed",
        `${String(alg)}: ${result}`,
      );
    }
  }
  const { result } = await policy.ask(`${encode({ kid: "rsa" })}.${payload}.${signature}`);
  assert.equal(result, "algorithm");
});

test("jwt attacks: names of Object's members are no algorithms", async () => {
  const { issuer, policy } = sceneOf();
  const [, payload, signature] = await partsOf(issuer);
  for (const alg of ["constructor", "__proto__", "toString", "rs256"]) {
    const { result } = await policy.ask(`${encode({ alg })}.${payload}.${signature}`);
    assert.equal(result, "algorithm", alg);
  }
});

test("jwt attacks: a public key is no shared secret", async () => {
  const { scene, issuer, policy } = sceneOf();
  const secret = "0123456789abcdef0123456789abcdef";
  const both = scene.compile(jwt, {
    keys: [{ jwk: jwks.keys[0]! }, { secret, kid: "shared" }],
  });
  const [, payload] = await partsOf(issuer);
  const spki = (format: "pem" | "der") => rsa.publicKey.export({ type: "spki", format });
  const pkcs1 = rsa.publicKey.export({ type: "pkcs1", format: "pem" });
  const secrets = [spki("pem"), String(spki("pem")).trim(), spki("der"), pkcs1, jwks.keys[0]!.n!];
  for (const one of secrets) {
    for (const kid of ["rsa", "shared", undefined]) {
      const signed = `${encode({ alg: "HS256", kid })}.${payload}`;
      const token = `${signed}.${createHmac("sha256", one).update(signed).digest("base64url")}`;
      assert.notEqual((await policy.ask(token)).result, "ok");
      assert.notEqual((await both.ask(token)).result, "ok");
    }
  }
});

test("jwt attacks: a key is used with the algorithms of its type only", async () => {
  const { issuer, policy } = sceneOf();
  const [, payload] = await partsOf(issuer);
  const pss = { key: rsa.privateKey, padding: 6, saltLength: 32 };
  // The set says that the key is for RS256, so it is not for PS256 and RS512 either.
  for (const [alg, hash, with_] of [
    ["PS256", "sha256", pss],
    ["RS512", "sha512", rsa.privateKey],
  ] as const) {
    const signed = `${encode({ alg, kid: "rsa" })}.${payload}`;
    const signature = sign(hash, Buffer.from(signed), with_).toString("base64url");
    assert.equal((await policy.ask(`${signed}.${signature}`)).result, "algorithm", alg);
  }
  const signed = `${encode({ alg: "ES256", kid: "rsa" })}.${payload}`;
  const signature = sign("sha256", Buffer.from(signed), rsa.privateKey).toString("base64url");
  assert.equal((await policy.ask(`${signed}.${signature}`)).result, "algorithm");
});

test("jwt attacks: a token does not bring or name the key that proves it", async () => {
  const { scene, issuer, policy } = sceneOf();
  const own = testKey("own", "RS256");
  const jwk = await publicJwk(own);
  const evil = "https://evil.example.com/keys";
  scene.outbound.on(evil, { body: { keys: [jwk] } });
  const x5c = [own.publicKey.export({ type: "spki", format: "der" }).toString("base64")];
  for (const kid of ["rsa", "own"]) {
    for (const header of [{ jwk }, { jku: evil }, { x5u: evil }, { x5c }, { x5t: "a" }]) {
      const { result } = await policy.ask(
        await issuer.sign({}, { key: own, header: { ...header, kid } }),
      );
      assert.equal(result, kid === "rsa" ? "signature" : "unknown-key");
    }
  }
  assert.equal(scene.outbound.count(evil), 0);
  assert.ok(scene.outbound.count(JWKS) <= 2);
});

test("jwt attacks: a key id is compared and never opened", async () => {
  const { scene, issuer, policy } = sceneOf();
  await policy.ask(await issuer.sign());
  for (const kid of [
    "../../../../dev/null",
    "/etc/passwd",
    "x' UNION SELECT 'key",
    "|id",
    "https://evil.example.com/key",
    "__proto__",
    "rsa\0",
    "RSA",
    " rsa",
  ]) {
    const { result } = await policy.ask(await issuer.sign({}, { header: { kid } }));
    assert.equal(result, "unknown-key", kid);
  }
  for (const kid of ["x".repeat(513), 1, ["rsa"], { rsa: 1 }]) {
    const { result } = await policy.ask(await issuer.sign({}, { header: { kid } }));
    assert.equal(result, "token-malformed");
  }
  assert.deepEqual(new Set(scene.outbound.requests.map(({ url }) => url)), new Set([JWKS]));
});

test("jwt attacks: extensions that would have to be understood are refused", async () => {
  const { issuer, policy } = sceneOf();
  const [, payload, signature] = await partsOf(issuer);
  for (const more of [
    { crit: ["exp"] },
    { crit: [] },
    { b64: false, crit: ["b64"] },
    { b64: true },
  ]) {
    const header = encode({ alg: "RS256", kid: "rsa", ...more });
    const { result } = await policy.ask(`${header}.${payload}.${signature}`);
    assert.equal(result, "critical-header");
  }
});

test("jwt attacks: what was changed after it was signed is refused", async () => {
  const { scene, issuer, policy } = sceneOf();
  for (const key of [rsa, ec]) {
    const [header, payload, signature] = await partsOf(issuer, key);
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
    const forged = [
      `${header}.${encode({ ...claims, sub: "admin" })}.${signature}`,
      `${encode({ alg: key.alg, kid: key.kid, x: 1 })}.${payload}.${signature}`,
      `${header}.${payload}.${encode(Buffer.alloc(64).toString("latin1"))}`,
      `${header}.${payload}.AA`,
    ];
    for (const token of forged) assert.equal((await policy.ask(token)).result, "signature");
    assert.equal((await policy.ask(`${header}.${payload}.`)).result, "token-malformed");
    assert.equal((await policy.ask(`${header}.${payload}`)).result, "token-malformed");
  }
  assert.equal(scene.outbound.count(JWKS), 1);
});

test("jwt attacks: a signature is accepted in one form and one spelling", async () => {
  const { issuer, policy } = sceneOf();
  const [header, payload, signature] = await partsOf(issuer, ec);
  const raw = Buffer.from(signature, "base64url");
  const der = sign("sha256", Buffer.from(`${header}.${payload}`), ec.privateKey);
  const others = [
    der,
    Buffer.concat([raw, Buffer.alloc(2)]),
    raw.subarray(0, 63),
    Buffer.alloc(64),
  ];
  for (const bytes of others) {
    const token = `${header}.${payload}.${bytes.toString("base64url")}`;
    assert.equal((await policy.ask(token)).result, "signature");
  }
  const swapped = signature.replaceAll("-", "+").replaceAll("_", "/");
  const last = signature.at(-1)!;
  // 64 bytes leave four bits in the last character; Buffer.from ignores them.
  const next = String.fromCharCode(last.charCodeAt(0) + 1);
  for (const spelling of [`${signature}==`, `${signature}=`, signature.slice(0, -1) + next]) {
    const { result } = await policy.ask(`${header}.${payload}.${spelling}`);
    assert.notEqual(result, "ok", spelling);
  }
  if (swapped !== signature) {
    assert.equal((await policy.ask(`${header}.${payload}.${swapped}`)).result, "token-malformed");
  }
  assert.equal((await policy.ask(`${header}.${payload}.${signature}`)).result, "ok");
});

test("jwt attacks: claims that two readers could take differently are refused", async () => {
  const { issuer, policy } = sceneOf();
  const [header] = await partsOf(issuer);
  const signClaims = (text: string): string => {
    const signed = `${header}.${encode(text)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), rsa.privateKey).toString("base64url")}`;
  };
  const rest = `"iss":"${ISSUER}","exp":99999999999`;
  assert.equal((await policy.ask(signClaims(`{"sub":"a",${rest}}`))).result, "ok");
  for (const text of [
    `{"sub":"a","sub":"admin",${rest}}`,
    `{"sub":"a","\\u0073ub":"admin",${rest}}`,
    `{"sub":"a","__proto__":{"roles":["admin"]},${rest}}`,
    `{"sub":"a","x":${"[".repeat(50)}${"]".repeat(50)},${rest}}`,
    `["sub"]`,
    `"sub"`,
    `{"sub":"a",${rest}} `.replace("}", "},"),
  ]) {
    assert.equal((await policy.ask(signClaims(text))).result, "token-malformed", text);
  }
  const twice = `${encode('{"alg":"none","alg":"RS256"}')}.${encode("{}")}.AA`;
  assert.equal((await policy.ask(twice)).result, "token-malformed");
});

test("jwt attacks: a token that is too long is not looked at", async () => {
  const { scene, issuer } = sceneOf();
  const policy = scene.compile(jwt, { jwks: JWKS, issuer: ISSUER, tokenBytes: "1kb" });
  const token = await issuer.sign({ pad: "x".repeat(1000) });
  assert.equal((await policy.ask(token)).result, "token-too-long");
  assert.equal(scene.outbound.requests.length, 0);
});

test("jwt attacks: an encrypted token, or one with too many parts, is none", async () => {
  const { policy } = sceneOf();
  for (const token of [
    "a.b.c.d.e",
    "..",
    ".",
    "a",
    "a..c",
    ".b.c",
    "....",
    "%00.%00.%00",
    "é.é.é",
  ]) {
    const { result } = await policy.askWith({ authorization: `Bearer ${token}` });
    assert.equal(result, "token-malformed", token);
  }
});

test("jwt attacks: random key ids cannot be made a flood at the identity provider", async () => {
  const { scene, issuer, policy } = sceneOf();
  await policy.ask(await issuer.sign());
  scene.clock.advance(30_000);
  const ask = async (kid: string) =>
    (await policy.ask(await issuer.sign({}, { header: { kid } }))).result;
  const results = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`a${index}`)));
  assert.deepEqual(new Set(results), new Set(["unknown-key"]));
  for (let second = 0; second < 29; second++) {
    scene.clock.advance(1000);
    assert.equal(await ask(`b${second}`), "unknown-key");
  }
  assert.equal(scene.outbound.count(JWKS), 2);
});

test("jwt attacks: what one use of the policy remembers is nothing to another", async () => {
  const { scene, issuer } = sceneOf();
  const orders = scene.compile(jwt, { jwks: JWKS, issuer: ISSUER, audience: "orders" }, "orders");
  const billing = scene.compile(
    jwt,
    { jwks: JWKS, issuer: ISSUER, audience: "billing" },
    "billing",
  );
  const again = scene.compile(jwt, { jwks: JWKS, issuer: ISSUER, audience: "other" }, "orders");
  const token = await issuer.sign({ aud: "orders" });
  assert.equal((await orders.ask(token)).result, "ok");
  assert.equal((await orders.ask(token)).result, "ok");
  assert.equal((await billing.ask(token)).result, "audience");
  assert.equal((await again.ask(token)).result, "audience");
});

test("jwt attacks: a forged token is not taken for a remembered one", async () => {
  const { issuer, policy } = sceneOf();
  const token = await issuer.sign();
  assert.equal((await policy.ask(token)).result, "ok");
  const [header, payload, signature] = token.split(".") as [string, string, string];
  const other = (await issuer.sign({ sub: "bob" })).split(".")[1]!;
  assert.equal((await policy.ask(`${header}.${other}.${signature}`)).result, "signature");
  const cut = `${header}.${payload}.${signature.slice(0, -4)}`;
  assert.notEqual((await policy.ask(cut)).result, "ok");
});

test("jwt attacks: keys that are too short are not used", async () => {
  const scene = new TokenScene();
  const short = {
    kid: "short",
    alg: "RS256",
    ...generateKeyPairSync("rsa", { modulusLength: 1024 }),
  };
  scene.outbound.on(JWKS, { body: { keys: [await publicJwk(short), await publicJwk(ec)] } });
  const policy = scene.compile(jwt, { jwks: JWKS });
  const issuer = new TestIssuer(ISSUER, [ec], () => scene.clock.now());
  assert.equal((await policy.ask(await issuer.sign())).result, "ok");
  const [, payload] = await partsOf(issuer, ec);
  const signed = `${encode({ alg: "RS256", kid: "short" })}.${payload}`;
  const signature = sign("sha256", Buffer.from(signed), short.privateKey).toString("base64url");
  assert.equal((await policy.ask(`${signed}.${signature}`)).result, "unknown-key");
});
