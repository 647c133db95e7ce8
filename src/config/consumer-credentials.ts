import type { CredentialKind } from "../policy/consumers.ts";
import type { ConsumerConfig } from "./config.ts";
import type { DocumentPath } from "./mistake.ts";

/** A credential of a consumer of the document. */
export interface CredentialUse {
  readonly kind: CredentialKind;
  /** What it is looked up by, see `CredentialKind`. */
  readonly id: string;
  readonly name: string;
  /** "" where finding it is proof enough; of a public key the PEM text or file, as written. */
  readonly secret: string;
  readonly algorithm: string;
  /** Epoch milliseconds; 0: never. */
  readonly expiresAtMs: number;
  readonly scopes: readonly string[];
  /** Within the consumer. */
  readonly path: DocumentPath;
}

const PLAIN = { name: "", secret: "", algorithm: "", expiresAtMs: 0, scopes: [] };

/** All credentials that the document gives to one consumer. */
export function credentialUses(consumerName: string, consumer: ConsumerConfig): CredentialUse[] {
  const { keys, basic, tokens, signatures, certificates } = consumer;
  return [
    ...keys.map(({ hash, name, expiresAtMs, scopes }, index): CredentialUse => {
      const path = ["keys", index];
      return { ...PLAIN, kind: "api-key", id: hash, name, expiresAtMs, scopes, path };
    }),
    ...(basic === undefined ? [] : [basic]).map(({ username, hash }): CredentialUse => {
      const id = username === "" ? consumerName : username;
      return { ...PLAIN, kind: "basic", id, secret: hash, path: ["basic"] };
    }),
    ...tokens.map(({ issuer, subject }, index): CredentialUse => {
      return { ...PLAIN, kind: "token", id: `${issuer}\n${subject}`, path: ["tokens", index] };
    }),
    ...signatures.map(({ keyId, secret, publicKey, algorithm }, index): CredentialUse => {
      const shared = secret === "" ? publicKey : secret;
      const path = ["signatures", index];
      return {
        ...PLAIN,
        kind: "signature",
        id: keyId,
        name: keyId,
        secret: shared,
        algorithm,
        path,
      };
    }),
    ...certificates.map(({ id }, index): CredentialUse => {
      return { ...PLAIN, kind: "certificate", id, path: ["certificates", index] };
    }),
  ];
}
