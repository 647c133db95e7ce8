/** Verification beside that of jose, which signs, and says itself what holds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { jwtVerify, SignJWT } from "jose";
import { publicJwk, testKey } from "../../testing/test-issuer.ts";
import { algorithmNames, type AlgorithmName } from "./algorithms.ts";
import { parseToken, type ParsedToken } from "./parse-token.ts";
import { keyFromJwk, keyFromSecret } from "./verification-key.ts";

const asymmetric = algorithmNames.filter((name) => !name.startsWith("HS") && name !== "Ed448");

function parsed(token: string): ParsedToken {
  const result = parseToken(token);
  if (typeof result === "string") assert.fail(result);
  return result;
}

/** The same token with one bit of its signature or of what it is about changed. */
function* damaged({ signed, signature }: ParsedToken): Generator<[string, Buffer]> {
  for (const index of [0, signature.length >> 1, signature.length - 1]) {
    const other = Buffer.from(signature);
    other[index]! ^= 1;
    yield [signed, other];
  }
  yield [`${signed}A`, signature];
  yield [signed, Buffer.alloc(signature.length)];
  yield [signed, Buffer.alloc(signature.length, 0xff)];
  yield [signed, Buffer.alloc(0)];
}

async function joseAccepts(signed: string, signature: Buffer, key: object): Promise<boolean> {
  const token = `${signed}.${signature.toString("base64url")}`;
  return await jwtVerify(token, key as CryptoKey).then(
    () => true,
    () => false,
  );
}

for (const alg of asymmetric) {
  test(`verification: ${alg} as jose has it`, async () => {
    const pair = testKey("k", alg);
    const jwk = await publicJwk(pair);
    const key = keyFromJwk({ ...jwk });
    const token = parsed(
      await new SignJWT({ a: 1 }).setProtectedHeader({ alg }).sign(pair.privateKey),
    );
    assert.deepEqual([...key.algorithms], [alg]);
    assert.equal(key.verifies(alg, token.signed, token.signature), true);
    for (const [signed, signature] of damaged(token)) {
      assert.equal(key.verifies(alg, signed, signature), false);
      assert.equal(await joseAccepts(signed, signature, pair.publicKey), false);
    }
    for (const other of algorithmNames) {
      if (other !== alg) assert.equal(key.verifies(other, token.signed, token.signature), false);
    }
  });
}

for (const alg of ["HS256", "HS384", "HS512"] as const) {
  test(`verification: ${alg} as jose has it`, async () => {
    const secret = Buffer.alloc(64, "secret ");
    const key = keyFromSecret(secret, "", alg);
    const token = parsed(await new SignJWT({ a: 1 }).setProtectedHeader({ alg }).sign(secret));
    assert.equal(key.verifies(alg, token.signed, token.signature), true);
    for (const [signed, signature] of damaged(token)) {
      assert.equal(key.verifies(alg, signed, signature), false);
      assert.equal(await joseAccepts(signed, signature, secret), false);
    }
  });
}

test("verification: a key without `alg` serves all algorithms of its type, and no other", async () => {
  const cases: [string, AlgorithmName[]][] = [
    ["RS256", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
    ["ES256", ["ES256"]],
    ["ES384", ["ES384"]],
    ["ES512", ["ES512"]],
    ["EdDSA", ["EdDSA", "Ed25519"]],
  ];
  for (const [alg, allowed] of cases) {
    const { alg: _, ...jwk } = await publicJwk(testKey("k", alg));
    assert.deepEqual([...keyFromJwk(jwk).algorithms], allowed);
  }
});
