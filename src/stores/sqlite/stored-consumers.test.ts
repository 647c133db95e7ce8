import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { silentLog } from "../../base/log/log.ts";
import { KeyBook } from "./key-book.ts";
import { KEY_FILE } from "./key-file.ts";
import type { KeptConsumer, KeptCredential } from "./key-rows.ts";
import { StoredConsumers } from "./stored-consumers.ts";

const CHECK_MS = 250;

const mobile: KeptConsumer = {
  name: "mobile",
  groups: ["apps"],
  roles: ["reader"],
  scopes: ["read", "write"],
  metadata: { team: { id: 7 } },
  plan: "free",
  createdAtMs: 1,
};

function key(id: string, more: Partial<KeptCredential> = {}): KeptCredential {
  return {
    id,
    kind: "api-key",
    lookup: `hash of ${id}`,
    consumer: "mobile",
    name: "",
    secret: "",
    algorithm: "",
    scopes: [],
    createdAtMs: 1,
    expiresAtMs: Infinity,
    revokedAtMs: Infinity,
    ...more,
  };
}

/** A file that is not there yet, and a reader whose clock the test moves. */
function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "gateward-keys-"));
  const file = join(folder, "data", KEY_FILE);
  const clock = { now: 0 };
  const errors: string[] = [];
  const log = { ...silentLog, error: (message: string) => void errors.push(message) };
  const stored = new StoredConsumers(file, log, () => clock.now);
  t.after(() => {
    stored[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return { file, clock, stored, errors };
}

test("stored consumers: before there is a file nothing is found, and none is made", (t) => {
  const { file, stored } = setUp(t);
  assert.equal(stored.credential("api-key", "hash of k1"), undefined);
  assert.equal(stored.consumer("mobile"), undefined);
  assert.equal(statSync(file, { throwIfNoEntry: false }), undefined);
});

test("stored consumers: what is written is found within a quarter of a second, as it was", (t) => {
  const { file, clock, stored } = setUp(t);
  assert.equal(stored.credential("api-key", "hash of k1"), undefined);
  using book = new KeyBook(file);
  book.putConsumer(mobile);
  book.addCredential(key("k1", { scopes: ["read"], expiresAtMs: 5000 }));
  const before = stored.version;
  clock.now += CHECK_MS;
  assert.notEqual(stored.version, before);
  assert.deepEqual(stored.credential("api-key", "hash of k1"), {
    kind: "api-key",
    consumer: "mobile",
    name: "k1",
    secret: "",
    algorithm: "",
    scopes: ["read"],
    expiresAtMs: 5000,
  });
  const { createdAtMs: _, ...consumer } = mobile;
  assert.deepEqual(stored.consumer("mobile"), consumer);
  assert.equal(stored.credential("basic", "hash of k1"), undefined);
});

test("stored consumers: a revoked key is gone after the next look, and not before a look", (t) => {
  const { file, clock, stored } = setUp(t);
  using book = new KeyBook(file);
  book.addCredential(key("k1"));
  assert.notEqual(stored.credential("api-key", "hash of k1"), undefined);
  const { version } = stored;
  book.revoke("k1", 2);
  assert.equal(stored.version, version);
  clock.now += CHECK_MS;
  assert.notEqual(stored.version, version);
  assert.equal(stored.credential("api-key", "hash of k1"), undefined);
});

test("stored consumers: a file that does not change keeps its version", (t) => {
  const { file, clock, stored } = setUp(t);
  new KeyBook(file)[Symbol.dispose]();
  const { version } = stored;
  for (let count = 0; count < 5; count++) {
    clock.now += CHECK_MS;
    assert.equal(stored.version, version);
  }
});

test("stored consumers: a file that is removed, and one that is put in its place, are noticed", (t) => {
  const { file, clock, stored } = setUp(t);
  const write = (path: string, id: string) => {
    using book = new KeyBook(path);
    book.addCredential(key(id));
  };
  write(file, "k1");
  write(`${file}.next`, "k2");
  assert.notEqual(stored.credential("api-key", "hash of k1"), undefined);
  for (const ending of ["", "-wal", "-shm"]) rmSync(file + ending, { force: true });
  clock.now += CHECK_MS;
  assert.equal(stored.credential("api-key", "hash of k1"), undefined);
  renameSync(`${file}.next`, file);
  clock.now += CHECK_MS;
  assert.equal(stored.credential("api-key", "hash of k1"), undefined);
  assert.notEqual(stored.credential("api-key", "hash of k2"), undefined);
});

test("stored consumers: a file that cannot be read is an error, told once, until it can be again", (t) => {
  const { file, clock, stored, errors } = setUp(t);
  new KeyBook(file)[Symbol.dispose]();
  writeFileSync(file, "no database, and long enough to be taken for the head of one".repeat(20));
  for (let count = 0; count < 3; count++) {
    assert.throws(
      () => stored.credential("api-key", "x"),
      /cannot be read: file is not a database/,
    );
    clock.now += CHECK_MS;
  }
  assert.equal(errors.length, 1);
  rmSync(file);
  using book = new KeyBook(file);
  book.addCredential(key("k1"));
  clock.now += CHECK_MS;
  assert.notEqual(stored.credential("api-key", "hash of k1"), undefined);
});

test("key file: only its owner may read it, whatever the umask", (t) => {
  const { file } = setUp(t);
  const mask = process.umask(0);
  t.after(() => process.umask(mask));
  using book = new KeyBook(file);
  book.putConsumer(mobile);
  for (const ending of ["", "-wal", "-shm"]) {
    assert.equal(statSync(file + ending).mode & 0o777, 0o600, ending);
  }
});

test("key file: one that a newer gateway has made is refused, to write and to read", (t) => {
  const { file, stored } = setUp(t);
  new KeyBook(file)[Symbol.dispose]();
  const database = new DatabaseSync(file);
  database.exec("PRAGMA user_version = 99");
  database.close();
  assert.throws(() => new KeyBook(file), /newer version of the gateway/);
  assert.throws(() => stored.consumer("mobile"), /newer version of the gateway/);
});

test("key book: a change that fails leaves nothing behind", (t) => {
  const { file } = setUp(t);
  using book = new KeyBook(file);
  assert.throws(() =>
    book.transaction(() => {
      book.putConsumer(mobile);
      book.addCredential(key("k1"));
      book.addCredential(key("k2", { lookup: "hash of k1" }));
    }),
  );
  assert.deepEqual(book.consumers(), []);
  assert.deepEqual(book.credentials(), []);
});

test("key book: a consumer takes its credentials along", (t) => {
  const { file } = setUp(t);
  using book = new KeyBook(file);
  book.putConsumer(mobile);
  book.addCredential(key("k1"));
  book.addCredential(key("k2", { consumer: "other" }));
  book.deleteConsumer("mobile");
  assert.deepEqual(
    book.credentials().map(({ id }) => id),
    ["k2"],
  );
});
