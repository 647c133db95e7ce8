import { mkdir, open, rm, stat, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How often a holder shows that it is alive. */
const beatMs = 1_000;
/** A lock not touched for this long belongs to a process that died: five missed beats. */
const staleMs = 5_000;
const pollMs = 100;

/**
 * Runs `work` while holding the lock file, so that of several processes one works and the others
 * wait. A lock whose holder died is taken over after 5 seconds.
 *
 * @param {string} path the lock file; its folder is made when missing
 * @param {() => Promise<T>} work
 * @param {{ onWait?: () => void }} [settings] `onWait` is called once, if another process holds it
 * @returns {Promise<T>}
 * @template T
 */
export async function withExclusiveLock(path, work, { onWait } = {}) {
  await mkdir(dirname(path), { recursive: true });
  let waiting = false;
  while (!(await tryCreate(path))) {
    if (!waiting) onWait?.();
    waiting = true;
    await takeOverIfStale(path);
    await sleep(pollMs);
  }
  // Nobody awaits the beat: a failed one only means that the lock is gone already.
  const beat = setInterval(() => {
    utimes(path, new Date(), new Date()).catch(() => {});
  }, beatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function tryCreate(path) {
  try {
    const file = await open(path, "wx");
    // For a person who looks into the file; the age of the file is what decides.
    await file.write(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Two processes may see the same stale lock; if both removed it, the second would remove the fresh
 * lock of the first. So removing needs a lock of its own, and a second look once that is held.
 */
async function takeOverIfStale(path) {
  if (!(await isStale(path))) return;
  const takeover = `${path}.takeover`;
  if (await tryCreate(takeover)) {
    try {
      if (await isStale(path)) await rm(path, { force: true });
    } finally {
      await rm(takeover, { force: true });
    }
  } else if (await isStale(takeover)) {
    await rm(takeover, { force: true });
  }
}

async function isStale(path) {
  try {
    return Date.now() - (await stat(path)).mtimeMs > staleMs;
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}
