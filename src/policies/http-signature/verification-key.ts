import {
  constants,
  createHmac,
  createPublicKey,
  timingSafeEqual,
  verify,
  type KeyObject,
} from "node:crypto";

/** RFC 9421 section 3.3. */
export const ALGORITHMS = [
  "hmac-sha256",
  "ed25519",
  "ecdsa-p256-sha256",
  "ecdsa-p384-sha384",
  "rsa-pss-sha512",
  "rsa-v1_5-sha256",
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

/** A key that signatures are checked with. What it is made of says which algorithms it may be used for. */
export interface VerificationKey {
  /** The first is the one where nothing else is said. */
  readonly algorithms: readonly Algorithm[];
  verify(algorithm: Algorithm, base: Buffer, signature: Buffer): boolean;
}

/** What a key is made of; a secret counts by the bytes of its text or, after `base64:`, by what it encodes. */
export type KeyMaterial = { readonly secret: string } | { readonly publicKey: string };

/** A secret under that can be guessed; 16 bytes are 128 bits. */
const SECRET_BYTES_MIN = 16;

/**
 * @param only the one algorithm to accept; "" for all that the key can be used for
 * @throws Error for a key that no algorithm uses, or not this one
 */
export function verificationKey(material: KeyMaterial, only: string): VerificationKey {
  const key = "secret" in material ? sharedSecret(material.secret) : publicKey(material.publicKey);
  if (only === "") return key;
  const algorithms = key.algorithms.filter((one) => one === only);
  if (algorithms.length === 0) throw new Error(`the key is not one for ${only}`);
  return { ...key, algorithms };
}

/** Whether a text holds a key in PEM, wherever in it: what is public must never be taken for a secret. */
export function isPem(material: string): boolean {
  return material.includes("-----BEGIN ");
}

function sharedSecret(material: string): VerificationKey {
  const secret = material.startsWith("base64:")
    ? Buffer.from(material.slice("base64:".length), "base64")
    : Buffer.from(material);
  if (isPem(material)) throw new Error("a key in PEM is no shared secret");
  if (secret.length < SECRET_BYTES_MIN) {
    throw new Error(`a shared secret under ${SECRET_BYTES_MIN} bytes`);
  }
  return {
    algorithms: ["hmac-sha256"],
    verify(_algorithm, base, signature) {
      const expected = createHmac("sha256", secret).update(base).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  };
}

function publicKey(pem: string): VerificationKey {
  const key = createPublicKey(pem);
  return {
    algorithms: algorithmsOf(key),
    verify: (algorithm, base, signature) => verifyPublic(key, algorithm, base, signature),
  };
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm[] {
  const curve = asymmetricKeyDetails?.namedCurve;
  if (asymmetricKeyType === "ed25519") return ["ed25519"];
  if (asymmetricKeyType === "rsa") return ["rsa-pss-sha512", "rsa-v1_5-sha256"];
  if (asymmetricKeyType === "rsa-pss") return ["rsa-pss-sha512"];
  if (curve === "prime256v1") return ["ecdsa-p256-sha256"];
  if (curve === "secp384r1") return ["ecdsa-p384-sha384"];
  throw new Error(`RFC 9421 has no algorithm for a key of the kind ${curve ?? asymmetricKeyType}`);
}

function verifyPublic(
  key: KeyObject,
  algorithm: Algorithm,
  base: Buffer,
  signature: Buffer,
): boolean {
  // RFC 9421 section 3.3.4: r and s, one after the other.
  const dsaEncoding = "ieee-p1363";
  switch (algorithm) {
    case "ed25519":
      return verify(null, base, key, signature);
    case "ecdsa-p256-sha256":
      return verify("sha256", base, { key, dsaEncoding }, signature);
    case "ecdsa-p384-sha384":
      return verify("sha384", base, { key, dsaEncoding }, signature);
    case "rsa-v1_5-sha256":
      return verify("sha256", base, key, signature);
    case "rsa-pss-sha512": {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return verify("sha512", base, { key, padding, saltLength: 64 }, signature);
    }
    case "hmac-sha256":
      return false;
  }
}
