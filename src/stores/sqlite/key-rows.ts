import type { Consumer, CredentialKind } from "../../policy/consumers.ts";

/** A consumer as it is kept. */
export interface KeptConsumer extends Consumer {
  readonly createdAtMs: number;
}

/** A credential as it is kept: never the key itself. */
export interface KeptCredential {
  /** Names it for operators; says nothing of the key. */
  readonly id: string;
  readonly kind: CredentialKind;
  /** See `CredentialKind`. */
  readonly lookup: string;
  readonly consumer: string;
  /** "" for none. */
  readonly name: string;
  readonly secret: string;
  readonly algorithm: string;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  /** Infinity: never. */
  readonly expiresAtMs: number;
  /** Infinity: not revoked. */
  readonly revokedAtMs: number;
}

/** A row of one of the tables of the key file. */
export type KeyRow = Record<string, unknown>;

export function keptConsumer(row: KeyRow): KeptConsumer {
  return {
    name: row["name"] as string,
    groups: listOf(row["groups"]),
    roles: listOf(row["roles"]),
    scopes: listOf(row["scopes"]),
    metadata: JSON.parse(row["metadata"] as string) as Record<string, unknown>,
    plan: row["plan"] as string,
    createdAtMs: row["created_ms"] as number,
  };
}

export function keptCredential(row: KeyRow): KeptCredential {
  return {
    id: row["id"] as string,
    kind: row["kind"] as CredentialKind,
    lookup: row["lookup"] as string,
    consumer: row["consumer"] as string,
    name: row["name"] as string,
    secret: row["secret"] as string,
    algorithm: row["algorithm"] as string,
    scopes: listOf(row["scopes"]),
    createdAtMs: row["created_ms"] as number,
    expiresAtMs: (row["expires_ms"] as number | null) ?? Infinity,
    revokedAtMs: (row["revoked_ms"] as number | null) ?? Infinity,
  };
}

function listOf(json: unknown): readonly string[] {
  return JSON.parse(json as string) as string[];
}
