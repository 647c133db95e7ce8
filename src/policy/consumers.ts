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
 * - `certificate`: the SHA-256 fingerprint of a client certificate, hexadecimal, or `subject ` and its
 *   distinguished name as Node writes it with the line feeds made commas
 */
export type CredentialKind = "api-key" | "basic" | "token" | "signature" | "certificate";

export interface Credential {
  readonly kind: CredentialKind;
  readonly consumer: Consumer;
  /** Names it within its consumer, for people: `ci`, `2027`. "" for the only one. */
  readonly name: string;
  /** What it is checked against, where finding it is not proof enough: a password's hash, a signing key. */
  readonly secret: string;
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
  byName(name: string): Consumer | undefined;
  find(kind: CredentialKind, id: string): Credential | undefined;
}
