/** key-book: what operators do with the key file. Every change is one transaction. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { CredentialKind } from "../../policy/consumers.ts";
import { keyFileVersions } from "./key-file.ts";
import {
  keptConsumer,
  keptCredential,
  type KeptConsumer,
  type KeptCredential,
  type KeyRow,
} from "./key-rows.ts";
import { openSqliteFile } from "./sqlite-file.ts";

/** The key file, open to write; made if it is not there. */
export class KeyBook implements Disposable {
  private readonly database: DatabaseSync;

  /** @throws Error when the file cannot be opened */
  constructor(file: string) {
    this.database = openSqliteFile(file, keyFileVersions);
  }

  [Symbol.dispose](): void {
    this.database.close();
  }

  /** All or nothing; what `change` throws undoes what it has done. */
  transaction<Result>(change: () => Result): Result {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      this.database.exec("COMMIT");
      return result;
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }

  /** By name. */
  consumers(): KeptConsumer[] {
    return this.rows("SELECT * FROM consumers ORDER BY name").map(keptConsumer);
  }

  consumer(name: string): KeptConsumer | undefined {
    return this.rows("SELECT * FROM consumers WHERE name = ?", name).map(keptConsumer)[0];
  }

  /** Adds the consumer, or replaces what was said of it. */
  putConsumer(consumer: KeptConsumer): void {
    const { name, groups, roles, scopes, metadata, plan, createdAtMs } = consumer;
    this.run(
      "INSERT OR REPLACE INTO consumers (name, groups, roles, scopes, metadata, plan, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
      name,
      JSON.stringify(groups),
      JSON.stringify(roles),
      JSON.stringify(scopes),
      JSON.stringify(metadata),
      plan,
      createdAtMs,
    );
  }

  /** Its credentials go as well. */
  deleteConsumer(name: string): void {
    this.run("DELETE FROM credentials WHERE consumer = ?", name);
    this.run("DELETE FROM consumers WHERE name = ?", name);
  }

  /** Oldest first; of one consumer, where it is named. */
  credentials(consumer?: string): KeptCredential[] {
    const order = "ORDER BY created_ms, id";
    const rows =
      consumer === undefined
        ? this.rows(`SELECT * FROM credentials ${order}`)
        : this.rows(`SELECT * FROM credentials WHERE consumer = ? ${order}`, consumer);
    return rows.map(keptCredential);
  }

  credential(id: string): KeptCredential | undefined {
    return this.rows("SELECT * FROM credentials WHERE id = ?", id).map(keptCredential)[0];
  }

  /** By what workers look it up by; also a revoked one. */
  credentialFor(kind: CredentialKind, lookup: string): KeptCredential | undefined {
    const where = "WHERE kind = ? AND lookup = ?";
    return this.rows(`SELECT * FROM credentials ${where}`, kind, lookup).map(keptCredential)[0];
  }

  addCredential(credential: KeptCredential): void {
    const { id, kind, lookup, consumer, name, secret, algorithm, scopes } = credential;
    this.run(
      "INSERT INTO credentials (id, kind, lookup, consumer, name, secret, algorithm, scopes, created_ms, expires_ms, revoked_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      kind,
      lookup,
      consumer,
      name,
      secret,
      algorithm,
      JSON.stringify(scopes),
      credential.createdAtMs,
      momentOf(credential.expiresAtMs),
      momentOf(credential.revokedAtMs),
    );
  }

  setExpiry(id: string, expiresAtMs: number): void {
    this.run("UPDATE credentials SET expires_ms = ? WHERE id = ?", momentOf(expiresAtMs), id);
  }

  /** Stays as a revoked one, so that the book tells what became of it. */
  revoke(id: string, atMs: number): void {
    this.run("UPDATE credentials SET revoked_ms = ? WHERE id = ?", atMs, id);
  }

  private rows(statement: string, ...values: SQLInputValue[]): KeyRow[] {
    return this.database.prepare(statement).all(...values);
  }

  private run(statement: string, ...values: SQLInputValue[]): void {
    this.database.prepare(statement).run(...values);
  }
}

function momentOf(epochMs: number): number | null {
  return epochMs === Infinity ? null : epochMs;
}
