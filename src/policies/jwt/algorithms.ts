import { constants } from "node:crypto";

/** A signature algorithm of JSON Web Tokens (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
export interface Algorithm {
  /** The only kind of key it is used with; nothing else a token says can change that. */
  readonly keyType: "rsa" | "ec" | "okp" | "oct";
  /** As Node calls it; null: part of the algorithm. */
  readonly hash: string | null;
  /** Curve of the key as a JWK names it; "" for RSA and secrets, and for EdDSA, where it is the key's. */
  readonly curve: string;
  /** Exactly; 0: as long as the key's modulus. */
  readonly signatureBytes: number;
  readonly isPss: boolean;
}

const pkcs = (hash: string): Algorithm => {
  return { keyType: "rsa", hash, curve: "", signatureBytes: 0, isPss: false };
};
const pss = (hash: string): Algorithm => ({ ...pkcs(hash), isPss: true });
const ecdsa = (hash: string, curve: string, signatureBytes: number): Algorithm => {
  return { keyType: "ec", hash, curve, signatureBytes, isPss: false };
};
const edwards = (curve: string, signatureBytes: number): Algorithm => {
  return { keyType: "okp", hash: null, curve, signatureBytes, isPss: false };
};
const hmac = (hash: string, signatureBytes: number): Algorithm => {
  return { keyType: "oct", hash, curve: "", signatureBytes, isPss: false };
};

export const algorithmNames = [
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const),
  ...(["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"] as const),
  ...(["HS256", "HS384", "HS512"] as const),
] as const;

export type AlgorithmName = (typeof algorithmNames)[number];

/** All that are accepted anywhere. `none` is not among them, in no spelling: names are compared exactly. */
export const algorithms: Readonly<Record<AlgorithmName, Algorithm>> = {
  RS256: pkcs("sha256"),
  RS384: pkcs("sha384"),
  RS512: pkcs("sha512"),
  PS256: pss("sha256"),
  PS384: pss("sha384"),
  PS512: pss("sha512"),
  ES256: ecdsa("sha256", "P-256", 64),
  ES384: ecdsa("sha384", "P-384", 96),
  ES512: ecdsa("sha512", "P-521", 132),
  EdDSA: edwards("", 0),
  Ed25519: edwards("Ed25519", 64),
  Ed448: edwards("Ed448", 114),
  HS256: hmac("sha256", 32),
  HS384: hmac("sha384", 48),
  HS512: hmac("sha512", 64),
};

/** The algorithm a token names; null for any other value. */
export function algorithmNamed(name: unknown): AlgorithmName | null {
  if (typeof name !== "string" || !Object.hasOwn(algorithms, name)) return null;
  return name as AlgorithmName;
}

/** Salt as long as the hash (RFC 7518 section 3.5). */
export const pssOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};
