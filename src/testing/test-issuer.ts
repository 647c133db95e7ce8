/**
 * test-issuer: signs tokens as an identity provider would, for tests of what stands behind the `jwt`
 * policy.
 */
import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { SignJWT, exportJWK, type JWK } from "jose";

/** A key pair of an issuer. */
export interface TestKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface TestTokenOptions {
  /** Default: the first key. */
  readonly key?: TestKey;
  /** Beside `alg` and `kid`. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Epoch milliseconds from which `iat` and `exp` are counted; default: those of the clock given. */
  readonly nowMs?: number;
}

/** Of tokens that say nothing of it. */
const LIFETIME_S = 300;

export class TestIssuer {
  readonly issuer: string;
  keys: TestKey[];
  private readonly now: () => number;

  /** @param now epoch milliseconds; default: the clock of the machine. */
  constructor(issuer: string, keys: TestKey[] = [testKey("k1")], now: () => number = Date.now) {
    this.issuer = issuer;
    this.keys = keys;
    this.now = now;
  }

  /** Signs `claims`, to which `iss`, `sub`, `iat` and `exp` are added; undefined leaves one of them out. */
  async sign(
    claims: Readonly<Record<string, unknown>> = {},
    options: TestTokenOptions = {},
  ): Promise<string> {
    const { key = this.keys[0]!, header = {}, nowMs = this.now() } = options;
    const iat = Math.floor(nowMs / 1000);
    const payload = { iss: this.issuer, sub: "alice", iat, exp: iat + LIFETIME_S, ...claims };
    return await new SignJWT(payload)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey);
  }

  /** The key set as its URL would serve it. */
  async jwks(): Promise<{ keys: JWK[] }> {
    return { keys: await Promise.all(this.keys.map(publicJwk)) };
  }
}

/** The public half, as it stands in a key set. */
export async function publicJwk({ publicKey, kid, alg }: TestKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
}

/** Makes a key pair. Those for RSA take a moment. */
export function testKey(kid: string, alg = "ES256"): TestKey {
  return { kid, alg, ...keyPairFor(alg) };
}

function keyPairFor(alg: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (/^[RP]S\d+$/.test(alg)) return generateKeyPairSync("rsa", { modulusLength: 2048 });
  if (alg === "EdDSA" || alg === "Ed25519") return generateKeyPairSync("ed25519");
  const namedCurve = ({ ES256: "P-256", ES384: "P-384", ES512: "P-521" } as const)[alg];
  if (namedCurve === undefined) throw new Error(`no key pairs for ${alg}`);
  return generateKeyPairSync("ec", { namedCurve });
}
