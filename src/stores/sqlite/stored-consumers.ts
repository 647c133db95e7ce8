/** stored-consumers: what a worker reads of the key file while others write to it. */
import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { eventNow } from "../../base/event-clock.ts";
import { GenerationCache } from "../../base/generation-cache.ts";
import type { Log } from "../../base/log/log.ts";
import type {
  Consumer,
  ConsumerStore,
  CredentialKind,
  StoredCredential,
} from "../../policy/consumers.ts";
import { keyFileVersions } from "./key-file.ts";
import { keptConsumer, keptCredential, type KeyRow } from "./key-rows.ts";
import { openSqliteReader } from "./sqlite-file.ts";

/** How late a change may be seen: asking costs some microseconds, so not each request does. */
const CHECK_INTERVAL_MS = 250;
const FOUND_MAX = 20_000;
/** Apart from what is found, so that a flood of wrong keys does not push out the right ones. */
const MISSING_MAX = 4096;

interface OpenFile {
  readonly database: DatabaseSync;
  readonly inode: number;
  readonly change: StatementSync;
  readonly consumer: StatementSync;
  readonly credential: StatementSync;
}

/**
 * Looks into the key file, which need not be there yet. What is found or missed is remembered until the file
 * changes; whether it has is looked at most every 250 ms, so no message to workers is needed.
 */
export class StoredConsumers implements ConsumerStore, Disposable {
  private readonly file: string;
  private readonly log: Log;
  private readonly now: () => number;
  private readonly consumers = new GenerationCache<Consumer>(FOUND_MAX, Infinity);
  private readonly credentials = new GenerationCache<StoredCredential>(FOUND_MAX, Infinity);
  private readonly missing = new GenerationCache<true>(MISSING_MAX, Infinity);
  private opened: OpenFile | null = null;
  private failure: Error | null = null;
  private change = 0;
  private changeCount = 0;
  private checkAtMs = -Infinity;

  /** @param now milliseconds of a clock that only rises */
  constructor(file: string, log: Log, now: () => number = eventNow) {
    this.file = file;
    this.log = log;
    this.now = now;
  }

  get version(): number {
    const now = this.now();
    if (now >= this.checkAtMs) {
      this.checkAtMs = now + CHECK_INTERVAL_MS;
      this.check();
    }
    return this.changeCount;
  }

  consumer(name: string): Consumer | undefined {
    const opened = this.current();
    if (opened === null) return undefined;
    const known = this.consumers.get(name);
    if (known !== undefined) return known;
    const key = `consumer ${name}`;
    if (this.missing.get(key) !== undefined) return undefined;
    const row = opened.consumer.get(name);
    if (row === undefined) {
      this.missing.set(key, true, 1);
      return undefined;
    }
    const consumer = consumerOf(row);
    this.consumers.set(name, consumer, 1);
    return consumer;
  }

  credential(kind: CredentialKind, id: string): StoredCredential | undefined {
    const opened = this.current();
    if (opened === null) return undefined;
    const key = `${kind} ${id}`;
    const known = this.credentials.get(key);
    if (known !== undefined) return known;
    if (this.missing.get(key) !== undefined) return undefined;
    const row = opened.credential.get(kind, id);
    if (row === undefined) {
      this.missing.set(key, true, 1);
      return undefined;
    }
    const credential = credentialOf(row);
    this.credentials.set(key, credential, 1);
    return credential;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @throws Error when the file is there and cannot be read: nobody can say then that a key is unknown. */
  private current(): OpenFile | null {
    // Looks whether the file has changed, where it is time.
    void this.version;
    if (this.failure !== null) throw this.failure;
    return this.opened;
  }

  private check(): void {
    try {
      const inode = statSync(this.file, { throwIfNoEntry: false })?.ino;
      // Another file under the name: restored from a backup, or removed.
      if (this.opened !== null && this.opened.inode !== inode) this.close();
      if (this.opened === null && inode !== undefined) this.openFile(inode);
      if (this.opened !== null) this.readChange(this.opened);
      this.failure = null;
    } catch (error) {
      const { message } = error as Error;
      const failure = new Error(`the keys in ${this.file} cannot be read: ${message}`);
      if (this.failure?.message !== failure.message) this.log.error(failure.message);
      this.close();
      this.failure = failure;
    }
  }

  private openFile(inode: number): void {
    const database = openSqliteReader(this.file, keyFileVersions);
    if (database === undefined) return;
    this.opened = {
      database,
      inode,
      change: database.prepare("PRAGMA data_version"),
      consumer: database.prepare("SELECT * FROM consumers WHERE name = ?"),
      credential: database.prepare(
        "SELECT * FROM credentials WHERE kind = ? AND lookup = ? AND revoked_ms IS NULL",
      ),
    };
    this.change = 0;
  }

  /** SQLite counts what other connections commit. */
  private readChange({ change }: OpenFile): void {
    const now = change.get()!["data_version"] as number;
    if (now === this.change) return;
    this.change = now;
    this.forget();
  }

  private close(): void {
    if (this.opened === null) return;
    this.opened.database.close();
    this.opened = null;
    this.forget();
  }

  private forget(): void {
    this.changeCount++;
    this.consumers.clear();
    this.credentials.clear();
    this.missing.clear();
  }
}

function consumerOf(row: KeyRow): Consumer {
  const { createdAtMs: _, ...consumer } = keptConsumer(row);
  return consumer;
}

function credentialOf(row: KeyRow): StoredCredential {
  const { id, kind, consumer, name, secret, algorithm, scopes, expiresAtMs } = keptCredential(row);
  return {
    kind,
    consumer,
    name: name === "" ? id : name,
    secret,
    algorithm,
    scopes,
    expiresAtMs,
  };
}
