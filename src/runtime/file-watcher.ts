import { type FSWatcher, watch } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";

export interface FileWatcherSettings {
  /** Called once for one or more changes close together. */
  onChange: () => void;
  /** Changes are told when nothing more has happened for this long: editors write in several steps. */
  quietMs?: number;
  /** Also looks at the files this often, for file systems that tell of nothing (NFS, some mounts). */
  pollMs?: number;
}

/** Waits this many times the quiet time at most. */
const UNREST_MAX = 10;

/** What a TypeScript config may import from its own folder. */
const SOURCE_ENDINGS = new Set([".ts", ".mts", ".js", ".mjs", ".json"]);

/**
 * Tells when files have other content. Folders are watched, not files, and a file is known by what stands at
 * its path after all links are followed: so it sees an editor's rename, and the swap of a symbolic link that
 * a Kubernetes ConfigMap or an ACME client makes. A file that is missing for a while is no change.
 */
export class FileWatcher {
  private readonly settings: Required<FileWatcherSettings>;
  private readonly folders = new Map<string, FSWatcher>();
  private fingerprints = new Map<string, string>();
  /** Folders where any source file counts. */
  private sourceFolders = new Set<string>();
  private quietTimer: NodeJS.Timeout | undefined;
  /** Monotonic, when what the quiet timer waits for began. */
  private unrestSinceMs = 0;
  private readonly pollTimer: NodeJS.Timeout;
  private sourceChanged = false;
  private isClosed = false;

  constructor(settings: FileWatcherSettings) {
    this.settings = { quietMs: 100, pollMs: 5000, ...settings };
    this.pollTimer = setInterval(() => void this.check(), this.settings.pollMs).unref();
  }

  /**
   * From now on watches these files, by absolute path, and no others. `sourceFolders` are folders in which a
   * change of any source file is told, since a document may import it.
   */
  async setFiles(files: Iterable<string>, sourceFolders: Iterable<string> = []): Promise<void> {
    const paths = new Set(files);
    const known = this.fingerprints;
    this.sourceFolders = new Set(sourceFolders);
    const entries = await Promise.all(
      Array.from(paths, async (path): Promise<[string, string]> => {
        // What changed since it was last looked at is still to be told.
        return [path, known.get(path) ?? (await fileFingerprint(path))];
      }),
    );
    this.fingerprints = new Map(entries);
    await this.watchFolders();
    this.checkWhenQuiet();
  }

  /**
   * To be called before `setFiles` names the file: what was read of it is what `fingerprint` saw, so that a
   * change since then is told.
   */
  assume(path: string, fingerprint: string): void {
    this.fingerprints.set(path, fingerprint);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.quietTimer);
    clearInterval(this.pollTimer);
    for (const watcher of this.folders.values()) watcher.close();
    this.folders.clear();
  }

  /** Watches the folders where the paths and the files behind them are, and stops watching others. */
  private async watchFolders(): Promise<void> {
    const paths = [...this.fingerprints.keys()];
    const real = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
    if (this.isClosed) return;
    const wanted = new Set(
      [...paths, ...real].map((path) => dirname(path)).concat([...this.sourceFolders]),
    );
    for (const [folder, watcher] of this.folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.folders.delete(folder);
    }
    for (const folder of wanted) if (!this.folders.has(folder)) this.watchFolder(folder);
  }

  private watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => this.onEvent(folder, name));
      watcher.on("error", () => this.forget(folder));
      this.folders.set(folder, watcher);
    } catch {
      // No such folder now, or no watches left: the poll goes on looking.
    }
  }

  private onEvent(folder: string, name: string | null): void {
    if (name !== null && this.sourceFolders.has(folder) && SOURCE_ENDINGS.has(extname(name))) {
      this.sourceChanged = true;
    }
    // The folder itself was moved or removed: its watch follows the old one.
    if (name !== null && name === basename(folder)) this.forget(folder);
    this.checkWhenQuiet();
  }

  /** A folder that never comes to rest, with a log in it perhaps, is looked at all the same. */
  private checkWhenQuiet(): void {
    const { quietMs } = this.settings;
    const nowMs = performance.now();
    if (this.quietTimer === undefined) this.unrestSinceMs = nowMs;
    else if (nowMs - this.unrestSinceMs > quietMs * UNREST_MAX) return;
    clearTimeout(this.quietTimer);
    this.quietTimer = setTimeout(() => {
      this.quietTimer = undefined;
      void this.check();
    }, quietMs);
  }

  private forget(folder: string): void {
    this.folders.get(folder)?.close();
    this.folders.delete(folder);
  }

  private async check(): Promise<void> {
    const checked = this.fingerprints;
    let hasChanged = this.sourceChanged;
    this.sourceChanged = false;
    for (const path of checked.keys()) {
      const now = await fileFingerprint(path);
      const before = checked.get(path);
      if (now === MISSING || now === before) continue;
      checked.set(path, now);
      hasChanged = true;
    }
    await this.watchFolders();
    if (hasChanged && !this.isClosed) this.settings.onChange();
  }
}

const MISSING = "";

/** Changes when another content stands at `path`; empty when nothing does. */
export async function fileFingerprint(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return MISSING;
  }
}
