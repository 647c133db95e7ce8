import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FileWatcher, fileFingerprint } from "./file-watcher.ts";

interface Watch {
  folder: string;
  watcher: FileWatcher;
  changes: number;
  /** Resolves at the next change, or fails the test after a while. */
  change(): Promise<void>;
}

/** Long enough that only events can tell in time; the tests of the poll ask for their own. */
const NO_POLL_MS = 3_600_000;

async function makeWatch(context: TestContext, pollMs = NO_POLL_MS): Promise<Watch> {
  const folder = await mkdtemp(join(tmpdir(), "gateward-watch-"));
  const seen: Watch = { folder, changes: 0, watcher: undefined!, change: async () => {} };
  let tell = (): void => {};
  seen.watcher = new FileWatcher({
    quietMs: 20,
    pollMs,
    onChange: () => {
      seen.changes += 1;
      tell();
    },
  });
  seen.change = async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    tell = () => resolve(true);
    assert.ok(
      await Promise.race([promise, sleep(5000, false, { ref: false })]),
      "no change was told",
    );
  };
  context.after(async () => {
    seen.watcher.close();
    await rm(folder, { recursive: true, force: true });
  });
  return seen;
}

test("file watcher: a file that is written is told of, once for writes close together", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.yaml");
  await writeFile(file, "a");
  await seen.watcher.setFiles([file]);
  const changed = seen.change();
  await writeFile(file, "bb");
  await writeFile(file, "ccc");
  await changed;
  await sleep(100);
  assert.equal(seen.changes, 1);
});

test("file watcher: other files of the folder and touched ones of equal state are not told of", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.yaml");
  await writeFile(file, "a");
  await seen.watcher.setFiles([file]);
  await writeFile(join(seen.folder, "other.yaml"), "b");
  await sleep(200);
  assert.equal(seen.changes, 0);
});

test("file watcher: an editor that writes aside and renames is told of", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.yaml");
  await writeFile(file, "a");
  await seen.watcher.setFiles([file]);
  for (const content of ["b", "c"]) {
    const changed = seen.change();
    await writeFile(`${file}.swap`, content);
    await rename(`${file}.swap`, file);
    await changed;
  }
  assert.equal(seen.changes, 2);
});

test("file watcher: a file that is moved away is told of only when it is back, changed", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.yaml");
  await writeFile(file, "a");
  await seen.watcher.setFiles([file]);
  await rename(file, `${file}~`);
  await sleep(200);
  assert.equal(seen.changes, 0);
  const changed = seen.change();
  await writeFile(file, "b");
  await changed;
});

/** The shape of a mounted ConfigMap: file -> ..data/file, ..data -> ..N/. */
async function swapConfigMap(folder: string, version: string): Promise<void> {
  await mkdir(join(folder, `..${version}`));
  await writeFile(join(folder, `..${version}`, "gateward.yaml"), version);
  await symlink(`..${version}`, join(folder, "..data_tmp"));
  await rename(join(folder, "..data_tmp"), join(folder, "..data"));
}

test("file watcher: the swap of a ConfigMap's symbolic link is told of, each time", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.yaml");
  await swapConfigMap(seen.folder, "one");
  await symlink(join("..data", "gateward.yaml"), file);
  await seen.watcher.setFiles([file]);
  for (const version of ["two", "three"]) {
    const changed = seen.change();
    await swapConfigMap(seen.folder, version);
    await changed;
  }
});

test("file watcher: a file behind a link into another folder is told of when written there", async (context) => {
  const seen = await makeWatch(context);
  const [live, archive] = [join(seen.folder, "live"), join(seen.folder, "archive")];
  await mkdir(live);
  await mkdir(archive);
  await writeFile(join(archive, "cert1.pem"), "a");
  await symlink(join(archive, "cert1.pem"), join(live, "cert.pem"));
  await seen.watcher.setFiles([join(live, "cert.pem")]);
  const changed = seen.change();
  await writeFile(join(archive, "cert1.pem"), "bb");
  await changed;
});

test("file watcher: a folder that is replaced is watched again, at the latest after the poll", async (context) => {
  const seen = await makeWatch(context, 50);
  const folder = join(seen.folder, "conf");
  const file = join(folder, "gateward.yaml");
  await mkdir(folder);
  await writeFile(file, "a");
  await seen.watcher.setFiles([file]);
  await rm(folder, { recursive: true });
  await sleep(120);
  let changed = seen.change();
  await mkdir(folder);
  await writeFile(file, "b");
  await changed;
  changed = seen.change();
  await writeFile(file, "cc");
  await changed;
});

test("file watcher: what a TypeScript document may import is told of too", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.ts");
  await writeFile(file, "a");
  await seen.watcher.setFiles([file], [seen.folder]);
  const changed = seen.change();
  await writeFile(join(seen.folder, "routes.ts"), "b");
  await changed;
  await writeFile(join(seen.folder, "notes.txt"), "c");
  await sleep(100);
  assert.equal(seen.changes, 1);
});

test("file watcher: files no longer asked for are not told of", async (context) => {
  const seen = await makeWatch(context);
  const [one, two] = [join(seen.folder, "one"), join(seen.folder, "two")];
  await writeFile(one, "a");
  await writeFile(two, "a");
  await seen.watcher.setFiles([one, two]);
  await seen.watcher.setFiles([two]);
  await utimes(one, new Date(), new Date());
  await writeFile(one, "bb");
  await sleep(150);
  assert.equal(seen.changes, 0);
});

test("file watcher: a folder that is written to all the time does not hide a change", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.yaml");
  await writeFile(file, "a");
  await seen.watcher.setFiles([file]);
  const changed = seen.change();
  let isQuiet = false;
  const noise = (async () => {
    while (!isQuiet) {
      await writeFile(join(seen.folder, "access.log"), "x");
      await sleep(5);
    }
  })();
  await writeFile(file, "bb");
  await changed.finally(() => (isQuiet = true));
  await noise;
});

test("file watcher: a change between the reading of a file and its watching is told of", async (context) => {
  const seen = await makeWatch(context);
  const file = join(seen.folder, "gateward.yaml");
  await writeFile(file, "a");
  const read = await fileFingerprint(file);
  await writeFile(file, "bb");
  const changed = seen.change();
  seen.watcher.assume(file, read);
  await seen.watcher.setFiles([file]);
  await changed;
});
