/** A Lua script; the store sends its text once and its digest from then on. */
export interface RedisScript {
  readonly text: string;
}

/**
 * Redis or Valkey, alone, behind Sentinel or as a Cluster, as this worker sees it. Calls never wait for a
 * connection: they reject at once while there is none, and after the store's `timeout` when no answer comes.
 */
export interface RedisStore {
  /** There is a connection now. */
  readonly isReady: boolean;
  /** Put before every key. */
  readonly prefix: string;
  /** The keys of one script have to hash alike. */
  readonly isCluster: boolean;
  /** Runs a script in one step. In a Cluster all keys must hash alike: give them one `{tag}`. */
  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>;
  get(key: string): Promise<string | null>;
  /** @param ttlMs the key goes away after it */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** @returns false when the key was there: nothing has changed then. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>;
  delete(key: string): Promise<void>;
}
