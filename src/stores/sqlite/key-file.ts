import type { SqliteVersions } from "./sqlite-file.ts";

/** Name of the file in the data folder. */
export const KEY_FILE = "keys.db";

/** Lists are JSON, moments epoch milliseconds, NULL where there is none. */
export const keyFileVersions: SqliteVersions = [
  `
  CREATE TABLE consumers (
    name TEXT PRIMARY KEY,
    groups TEXT NOT NULL,
    roles TEXT NOT NULL,
    scopes TEXT NOT NULL,
    metadata TEXT NOT NULL,
    plan TEXT NOT NULL,
    created_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- A consumer may be one of the document: no foreign key.
  CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    lookup TEXT NOT NULL,
    consumer TEXT NOT NULL,
    name TEXT NOT NULL,
    secret TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    revoked_ms INTEGER,
    UNIQUE (kind, lookup)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX credentials_of_consumer ON credentials (consumer);
  `,
];
