import { close, constants, fstatSync, open, type Stats, write } from "node:fs";
import { stat } from "node:fs/promises";

/** A batch for a file: so large that the cost of a write is nothing per line. */
const FILE_BATCH_BYTES = 64 * 1024;
/** A batch for a pipe: PIPE_BUF of Linux, up to which writes of several workers do not mix (POSIX, write). */
const PIPE_BATCH_BYTES = 4096;
/** Access logs name clients: readable by owner and group only. */
const FILE_MODE = 0o640;
const STDOUT = 1;

/** Windows lacks O_NONBLOCK, which leaves the flags as they are. */
const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;

export type WriteDone = (error: NodeJS.ErrnoException | null) => void;

interface Place {
  /** What is opened; null writes to descriptor 1 as it was inherited. */
  path: string | null;
  flags: number;
  isFile: boolean;
}

/**
 * Where a log is appended to: a file, a named pipe, or standard output. It opens by itself when there is
 * something to write, so that it can let go of the file at any time (`release`).
 *
 * Pipes and terminals are opened anew and non-blocking: a write that blocks holds a thread of the pool that
 * everyone shares, and the flags of an inherited descriptor belong to others too.
 */
export class LogOutput {
  /** The largest batch that reaches the output in one piece. */
  readonly batchBytes: number;
  /** Whether a write may wait in the kernel. */
  readonly mayBlock: boolean;
  private readonly place: Place;
  private fd = -1;
  private isWriting = false;
  private wantsRelease = false;
  /** How much of the batch has been written, kept from one try to the next. */
  private written = 0;

  private constructor(place: Place) {
    this.batchBytes = place.isFile ? FILE_BATCH_BYTES : PIPE_BATCH_BYTES;
    this.mayBlock = place.isFile || place.path === null;
    this.place = place;
  }

  /** `file` is an absolute path, or null for standard output. Rejects when it cannot be opened. */
  static async open(file: string | null): Promise<LogOutput> {
    const output = new LogOutput(file === null ? stdoutPlace() : await filePlace(file));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    output.open((error) => (error === null || error.code === "ENXIO" ? resolve() : reject(error)));
    await promise;
    return output;
  }

  /**
   * Appends the first `length` bytes of `batch`. After an error the same batch is to be given again: what
   * was written of it is not repeated.
   */
  write(batch: Buffer, length: number, done: WriteDone): void {
    if (this.fd < 0) {
      this.open((error) => (error === null ? this.write(batch, length, done) : done(error)));
      return;
    }
    this.isWriting = true;
    write(this.fd, batch, this.written, length - this.written, null, (error, written) => {
      this.isWriting = false;
      this.written += error === null ? written : 0;
      const isDone = error === null && this.written >= length;
      if (isDone) this.written = 0;
      // Between two batches only, so that no line is torn between two files.
      if (this.wantsRelease && this.written === 0) this.release();
      if (isDone || error !== null) done(error);
      else this.write(batch, length, done);
    });
  }

  /** Closes the file, now or after the batch that is being written; the next write opens it anew. */
  release(): void {
    this.wantsRelease = this.isWriting || this.written > 0;
    if (this.wantsRelease || this.fd < 0) return;
    if (this.fd !== STDOUT) close(this.fd, () => {});
    this.fd = -1;
  }

  private open(done: WriteDone): void {
    const { path, flags } = this.place;
    if (path === null) {
      this.fd = STDOUT;
      done(null);
      return;
    }
    open(path, flags, FILE_MODE, (error, fd) => {
      if (error === null) this.fd = fd;
      done(error);
    });
  }
}

async function filePlace(path: string): Promise<Place> {
  const stats = await stat(path).catch(() => null);
  const isFile = stats === null || stats.isFile();
  // A pipe must not be created as a file should it vanish; ENXIO then says that nobody reads it yet.
  const flags = O_WRONLY | O_APPEND | O_NONBLOCK | (isFile ? O_CREAT : 0);
  return { path, flags, isFile };
}

function stdoutPlace(): Place {
  const stats = statStdout();
  const flags = O_WRONLY | O_APPEND | O_NONBLOCK;
  if (stats === null || stats.isFile() || process.platform !== "linux") {
    return { path: null, flags, isFile: stats === null || stats.isFile() };
  }
  // Sockets cannot be opened a second time (ENXIO); /proc may be missing, or the pipe someone else's.
  return { path: stats.isSocket() ? null : "/proc/self/fd/1", flags, isFile: false };
}

function statStdout(): Stats | null {
  try {
    return fstatSync(STDOUT);
  } catch {
    return null;
  }
}
