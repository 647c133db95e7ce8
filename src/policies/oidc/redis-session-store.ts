import { createHash, randomBytes } from "node:crypto";
import type { RedisScript, RedisStore } from "../../policy/redis-store.ts";
import type { CookieSealer } from "./sealed-cookie.ts";
import type { SessionStore } from "./session-store.ts";
import {
  formatSession,
  parseSession,
  sessionEndsAt,
  type Session,
  type SessionLimits,
} from "./session.ts";

/** Longer than a renewal may take; what a machine that died has claimed is free again after it. */
const CLAIM_MS = 20_000;
const HANDLE = /^[\w-]{43}$/;

/** Never makes a session that has been ended live again. */
export const updateScript: RedisScript = {
  text: `if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1`,
};

export interface RedisSessionSettings {
  readonly redis: RedisStore;
  /** Who can read Redis reads no tokens, and who can write there makes no sessions. */
  readonly sealer: CookieSealer;
  /** Other sessions than those of this cannot be opened: names of cookie, issuer and client. */
  readonly context: string;
  readonly limits: SessionLimits;
  readonly clock: { now(): number };
}

/** The browser's cookie holds a random name; the session is in Redis, sealed, under a digest of the name. */
export class RedisSessionStore implements SessionStore {
  private readonly settings: RedisSessionSettings;

  constructor(settings: RedisSessionSettings) {
    this.settings = settings;
  }

  open(ticket: string, nowMs: number): Promise<Session | null> | null {
    return HANDLE.test(ticket) ? this.read(ticket, nowMs) : null;
  }

  newHandle(): string {
    return randomBytes(32).toString("base64url");
  }

  async start(session: Session): Promise<string> {
    const { redis } = this.settings;
    const key = keyOf(session.handle);
    await redis.set(key, this.seal(session, key), this.leftMs(session));
    return session.handle;
  }

  async update(session: Session): Promise<boolean> {
    const { redis } = this.settings;
    const key = keyOf(session.handle);
    const args = [this.seal(session, key), this.leftMs(session)];
    return (await redis.run(updateScript, [key], args)) === 1;
  }

  freshTicket(): null {
    return null;
  }

  async end({ handle }: Session): Promise<void> {
    await this.settings.redis.delete(keyOf(handle));
  }

  latest({ handle }: Session, nowMs: number): Promise<Session | null> {
    return this.read(handle, nowMs);
  }

  claim({ handle }: Session): Promise<boolean> {
    return this.settings.redis.setIfAbsent(`${keyOf(handle)}:renewal`, "1", CLAIM_MS);
  }

  release({ handle }: Session): void {
    // Redis may be away just now; the claim ends by itself then.
    this.settings.redis.delete(`${keyOf(handle)}:renewal`).catch(() => {});
  }

  private async read(handle: string, nowMs: number): Promise<Session | null> {
    const { redis, sealer, limits } = this.settings;
    const key = keyOf(handle);
    const sealed = await redis.get(key);
    const text = sealed === null ? null : sealer.open(sealed, this.contextOf(key), nowMs);
    if (text === null) return null;
    const session = parseSession(text);
    return nowMs < sessionEndsAt(session, limits) ? session : null;
  }

  private seal(session: Session, key: string): string {
    const { sealer, limits } = this.settings;
    const endsAt = sessionEndsAt(session, limits);
    return sealer.seal(formatSession(session), this.contextOf(key), endsAt);
  }

  private contextOf(key: string): string {
    return `${this.settings.context}\n${key}`;
  }

  private leftMs(session: Session): number {
    const { limits, clock } = this.settings;
    return Math.max(1, Math.ceil(sessionEndsAt(session, limits) - clock.now()));
  }
}

function keyOf(handle: string): string {
  return `oidc:${createHash("sha256").update(handle).digest("base64url")}`;
}
