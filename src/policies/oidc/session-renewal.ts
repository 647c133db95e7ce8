import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../../base/log/log.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Clock } from "../../policy/environment.ts";
import type { OpenidProvider, Tokens } from "./openid-provider.ts";
import { ProviderFailure } from "./provider-failure.ts";
import type { SessionStore } from "./session-store.ts";
import { claimsOf, type Session } from "./session.ts";

/** An access token is renewed when a fifth of its life is left, or a minute. */
const LEFT_SHARE = 0.2;
const LEFT_MS_MAX = 60_000;
/** A provider in trouble is left alone for so long. */
const AWAY_MS = 2000;
/** How long a request whose tokens are over waits for another worker or machine that is renewing them. */
const OTHERS_MS = 5000;
const OTHERS_POLL_MS = 50;

export interface RenewalSettings {
  readonly provider: Pick<OpenidProvider, "renewedTokens" | "userinfo" | "revoke">;
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly keepsAccessToken: boolean;
  readonly asksUserinfo: boolean;
  readonly renewed: Counter;
  readonly failed: Counter;
}

/** What became of it: the session as it goes on; null: it is over; `away`: it could not be renewed now. */
export type Renewal = Session | "away" | null;

/** When to ask for new tokens; 0 where there is no need to, or no way. */
export function renewAt({ accessLifeMs }: Tokens, refreshToken: string, nowMs: number): number {
  if (refreshToken === "" || accessLifeMs === 0) return 0;
  return nowMs + accessLifeMs - Math.min(LEFT_MS_MAX, accessLifeMs * LEFT_SHARE);
}

/**
 * Renews the tokens of sessions shortly before they end. A refresh token may be good for one use (RFC 9700
 * section 4.14.2), and a second use may end the session: so one request renews a session at a time, in all
 * workers and on all machines that share the store. The others go on with the tokens there are.
 */
export class SessionRenewal {
  private readonly settings: RenewalSettings;
  private readonly running = new Map<string, Promise<Renewal>>();
  private awayUntilMs = 0;

  constructor(settings: RenewalSettings) {
    this.settings = settings;
  }

  isDue({ renewAtMs }: Session, nowMs: number): boolean {
    return renewAtMs > 0 && nowMs >= renewAtMs;
  }

  /** At once where nobody needs to wait. @throws what the store throws */
  renew(session: Session, nowMs: number): Renewal | Promise<Renewal> {
    const hasEnded = nowMs >= session.accessEndsAtMs;
    const running = this.running.get(session.handle);
    if (running !== undefined) return hasEnded ? running : session;
    if (nowMs < this.awayUntilMs) return hasEnded ? "away" : session;
    const run = this.run(session, nowMs, hasEnded).finally(() =>
      this.running.delete(session.handle),
    );
    this.running.set(session.handle, run);
    return run;
  }

  private async run(session: Session, nowMs: number, hasEnded: boolean): Promise<Renewal> {
    const { store } = this.settings;
    if (!(await store.claim(session))) return hasEnded ? await this.others(session) : session;
    try {
      const latest = await store.latest(session, nowMs);
      if (latest === null || latest.version > session.version) return latest;
      return await this.ask(session, nowMs, hasEnded);
    } finally {
      store.release(session);
    }
  }

  /** Somebody else is at it. */
  private async others(session: Session): Promise<Renewal> {
    const { store, clock } = this.settings;
    for (let waitedMs = 0; waitedMs < OTHERS_MS; waitedMs += OTHERS_POLL_MS) {
      await wait(OTHERS_POLL_MS);
      const latest = await store.latest(session, clock.now());
      if (latest === null || latest.version > session.version) return latest;
    }
    return "away";
  }

  private async ask(session: Session, nowMs: number, hasEnded: boolean): Promise<Renewal> {
    const { provider, store, clock, log, renewed, failed } = this.settings;
    try {
      const tokens = await provider.renewedTokens(session.refreshToken);
      const next = await this.renewedBy(session, tokens, clock.now());
      if (!(await store.update(next))) {
        // The user has signed out meanwhile.
        provider.revoke(next.refreshToken).catch(() => {});
        return null;
      }
      renewed.add(1);
      return next;
    } catch (error) {
      failed.add(1);
      if (!(error instanceof ProviderFailure)) throw error;
      const { kind, code, message } = error;
      log.warn("a session could not be renewed", { kind, code, reason: message });
      if (kind === "invalid" || code === "invalid_grant") {
        await store.end(session);
        return null;
      }
      this.awayUntilMs = nowMs + AWAY_MS;
      return hasEnded ? "away" : session;
    }
  }

  private async renewedBy(session: Session, tokens: Tokens, nowMs: number): Promise<Session> {
    const { provider, keepsAccessToken, asksUserinfo } = this.settings;
    const { sub } = claimsOf(session.idToken);
    // OpenID Connect Core section 12.2: it is about the same user.
    if (tokens.claims !== null && tokens.claims["sub"] !== sub) {
      throw new ProviderFailure("invalid", "SUBJECT", "the new tokens are about somebody else");
    }
    const refreshToken = tokens.refreshToken === "" ? session.refreshToken : tokens.refreshToken;
    return {
      ...session,
      version: session.version + 1,
      seenAtMs: nowMs,
      accessEndsAtMs: tokens.accessLifeMs === 0 ? 0 : nowMs + tokens.accessLifeMs,
      renewAtMs: renewAt(tokens, refreshToken, nowMs),
      scope: tokens.scope === "" ? session.scope : tokens.scope,
      idToken: tokens.idToken === "" ? session.idToken : tokens.idToken,
      accessToken: keepsAccessToken ? tokens.accessToken : "",
      refreshToken,
      userinfo: asksUserinfo
        ? // The refresh token of before may be used up: nothing that comes after may lose the new one.
          await provider.userinfo(tokens.accessToken, String(sub)).catch(() => session.userinfo)
        : session.userinfo,
    };
  }
}
