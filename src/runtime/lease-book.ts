/** How many superseded revisions may wait for their last exchange; tunnels can live for days. */
const WAITING_MAX = 64;

interface Waiting {
  release: () => void;
  /** Workers that may still use the revision. */
  holders: Set<number>;
}

/**
 * Knows when what was leased for a revision can be given back: when a later one is current and every
 * worker has said that it is done with the old one, or has ended.
 */
export class LeaseBook {
  private readonly waiting = new Map<number, Waiting>();
  private current: { revision: number; release: () => void } | undefined;

  /** A revision becomes current. `workers` are those that served the one before it. */
  begin(revision: number, release: () => void, workers: Iterable<number>): void {
    const before = this.current;
    this.current = { revision, release };
    if (before === undefined) return;
    this.waiting.set(before.revision, { release: before.release, holders: new Set(workers) });
    for (const oldest of this.waiting.keys()) {
      if (this.waiting.size <= WAITING_MAX) break;
      this.close(oldest);
    }
    this.closeIfUnused(before.revision);
  }

  retired(worker: number, revision: number): void {
    this.waiting.get(revision)?.holders.delete(worker);
    this.closeIfUnused(revision);
  }

  /** A worker has ended, and with it its use of every revision. */
  gone(worker: number): void {
    for (const revision of this.waiting.keys()) this.retired(worker, revision);
  }

  /** Revisions that are superseded and still in use. */
  get size(): number {
    return this.waiting.size;
  }

  private closeIfUnused(revision: number): void {
    if (this.waiting.get(revision)?.holders.size === 0) this.close(revision);
  }

  private close(revision: number): void {
    this.waiting.get(revision)?.release();
    this.waiting.delete(revision);
  }
}
