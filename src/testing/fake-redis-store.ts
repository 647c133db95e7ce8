import type { Clock } from "../policy/environment.ts";
import type { RedisScript, RedisStore } from "../policy/redis-store.ts";

/** Stands in for a Lua script. */
export type FakeScript = (keys: readonly string[], args: readonly (string | number)[]) => unknown;

interface Entry {
  value: string;
  untilMs: number;
}

/**
 * A Redis in memory, by the test's clock. It runs no Lua: a script answers what the test has it answer, and
 * rejects otherwise. A named fake.
 */
export class FakeRedisStore implements RedisStore {
  readonly prefix = "test:";
  readonly isCluster = false;
  /** What a test sets to false to take it away. */
  isReady = true;
  private readonly clock: Clock;
  private readonly entries = new Map<string, Entry>();
  private readonly scripts = new Map<string, FakeScript>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** From now on the script answers that. */
  answer(script: RedisScript, run: FakeScript): void {
    this.scripts.set(script.text, run);
  }

  async run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    this.assertReady();
    const run = this.scripts.get(script.text);
    if (run === undefined) throw new Error("the fake of Redis does not know this script");
    return run(keys, args);
  }

  async get(key: string): Promise<string | null> {
    this.assertReady();
    return this.entryAt(key)?.value ?? null;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.assertReady();
    this.entries.set(key, { value, untilMs: this.clock.now() + ttlMs });
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    this.assertReady();
    if (this.entryAt(key) !== undefined) return false;
    await this.set(key, value, ttlMs);
    return true;
  }

  async delete(key: string): Promise<void> {
    this.assertReady();
    this.entries.delete(key);
  }

  private entryAt(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    return entry === undefined || entry.untilMs <= this.clock.now() ? undefined : entry;
  }

  private assertReady(): void {
    if (!this.isReady) throw new Error("no connection to Redis");
  }
}
