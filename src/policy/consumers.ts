/** Someone whom the gateway knows: an application, a partner, a team. */
export interface Consumer {
  /** Unique; what logs, headers and limits call it. */
  readonly name: string;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** What the configuration or the store says of it beside; plain data. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Name of its plan; "" without one. */
  readonly plan: string;
}

/**
 * Kinds of credentials, and what a credential is looked up by:
 *
 * - `api-key`: the SHA-256 of the key, hexadecimal
 * - `basic`: the user name
 * - `token`: the issuer, a line feed, the subject of a token (an empty issuer stands for any)
 * - `signature`: the key id of a message signature
 * - `certificate`: the SHA-256 fingerprint of a client certificate, hexadecimal; or `subject ` and its
 *   distinguished name as Node writes it with the line feeds made commas; or `san ` and one of its
 *   alternative names, `DNS:a.example`
 */
export type CredentialKind = "api-key" | "basic" | "token" | "signature" | "certificate";

export interface Credential {
  readonly kind: CredentialKind;
  readonly consumer: Consumer;
  /** Names it within its consumer, for people: `ci`, `2027`. "" for the only one. */
  readonly name: string;
  /**
   * What it is checked against, where finding it is not proof enough: a password's hash (argon2id, PHC
   * string), a signing secret, a public key as PEM.
   */
  readonly secret: string;
  /** Of a signature, as RFC 9421 section 3.3 names it; absent or "": any that fits the secret. */
  readonly algorithm?: string;
  /** Epoch milliseconds; Infinity: never. */
  readonly expiresAtMs: number;
  /** Narrows what the consumer may; empty: all of the consumer's scopes. */
  readonly scopes: readonly string[];
}

/**
 * The consumers of the configuration and, where there is one, of the store. Look-ups are synchronous and
 * see a change of the store within a second; expired credentials are found, so that the caller can say so.
 */
export interface Consumers {
  /** Stays the same as long as every look-up would find what it found before: for what is remembered of them. */
  readonly version: number;
  byName(name: string): Consumer | undefined;
  /** @throws Error when the store is there and cannot be read */
  find(kind: CredentialKind, id: string): Credential | undefined;
}

/** A credential of a store; its consumer may be one of the document. */
export interface StoredCredential extends Omit<Credential, "consumer"> {
  /** Name of its consumer. */
  readonly consumer: string;
}

/** Consumers and credentials that are kept outside the document. Revoked credentials are not found. */
export interface ConsumerStore {
  /** As that of `Consumers`. */
  readonly version: number;
  consumer(name: string): Consumer | undefined;
  credential(kind: CredentialKind, id: string): StoredCredential | undefined;
}
