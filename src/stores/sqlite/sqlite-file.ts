/** sqlite-file: database files of the gateway's own. The only file that opens them. */
import { chownSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** How the file has grown: the statements at index `n` bring it from version `n` to `n + 1`. */
export type SqliteVersions = readonly string[];

const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;
/** Writers wait for one another. */
const WRITER_WAITS_MS = 5000;
/** Readers wait only where a writer that died has left work to be done; the thread stands still meanwhile. */
const READER_WAITS_MS = 50;

/**
 * Opens the file to write, and makes it, with its folder, if it is not there: readable only by the owner.
 * Made by root it belongs to whom the folder belongs to, so that the gateway can read what its operator wrote.
 *
 * @throws Error when it cannot be opened, or a newer gateway has made it
 */
export function openSqliteFile(file: string, versions: SqliteVersions): DatabaseSync {
  makeFile(file);
  const database = new DatabaseSync(file, { timeout: WRITER_WAITS_MS });
  try {
    // Readers go on while one writes; what is committed survives the process, not always a loss of power.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    bringUp(database, file, versions);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens the file to read.
 *
 * @returns undefined while whoever makes it has not come to the end
 * @throws Error when it cannot be opened, or another gateway has made it
 */
export function openSqliteReader(file: string, versions: SqliteVersions): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { readOnly: true, timeout: READER_WAITS_MS });
  try {
    const version = versionOf(database);
    if (version === versions.length) return database;
    if (version > versions.length) throw new Error(newerThanThis(file));
    if (version > 0)
      throw new Error(`${file} is of an older version; \`gateward keys list\` renews it`);
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return undefined;
}

function makeFile(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: FOLDER_OWNER_ONLY });
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return;
  closeSync(openSync(file, "a", OWNER_ONLY));
  const { uid, gid } = statSync(folder);
  if (process.getuid?.() === 0 && uid !== 0) chownSync(file, uid, gid);
}

function bringUp(database: DatabaseSync, file: string, versions: SqliteVersions): void {
  if (versionOf(database) === versions.length) return;
  // Two that come at once: the second waits here, and finds nothing left to do.
  database.exec("BEGIN IMMEDIATE");
  try {
    const version = versionOf(database);
    if (version > versions.length) throw new Error(newerThanThis(file));
    for (const statements of versions.slice(version)) database.exec(statements);
    database.exec(`PRAGMA user_version = ${versions.length}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function newerThanThis(file: string): string {
  return `${file} was made by a newer version of the gateway`;
}
