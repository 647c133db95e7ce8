// HOT
/**
 * The one lock of the cache, for all that changes it; finding needs none. Nobody has to store: who does not get
 * it soon goes without, so that a thread that died with it, or lost its core, holds nobody up.
 */
import { LOCK } from "./cache-layout.ts";

const TRIES = 200;
const SLEEP_MS = 1;
const SLEEPS = 5;

export class CacheLock {
  private readonly header: Int32Array;
  private readonly holder: number;

  /** @param holder the thread's own number, from 1. */
  constructor(header: Int32Array, holder: number) {
    this.header = header;
    this.holder = holder;
  }

  /** Whether it could be had within some milliseconds. */
  take(): boolean {
    const { header, holder } = this;
    for (let tries = 0; tries < TRIES + SLEEPS; tries++) {
      const found = Atomics.compareExchange(header, LOCK, 0, holder);
      if (found === 0) return true;
      if (tries >= TRIES) Atomics.wait(header, LOCK, found, SLEEP_MS);
    }
    return false;
  }

  /** Takes over the lock of a thread that has ended; false when it did not have it. */
  takeFrom(holder: number): boolean {
    return Atomics.compareExchange(this.header, LOCK, holder, this.holder) === holder;
  }

  release(): void {
    Atomics.store(this.header, LOCK, 0);
  }
}
